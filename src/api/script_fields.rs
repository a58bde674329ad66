//! Fields of scripts that need more than a type to be right.

use std::num::{NonZeroU32, NonZeroU64};

use crate::{
    base::{Error, FieldError, Result, name::Source},
    config::Config,
    engine::Problem,
    store::script::{Ceilings, DEFAULT_TIMEOUT_SECONDS, Sandbox},
    web::State,
};

/// How long one run may take, 1 to 300 seconds.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "i64")]
pub(super) struct Timeout(#[schemars(range(min = 1, max = 300))] pub(super) i32);

impl Default for Timeout {
    fn default() -> Self {
        Self(DEFAULT_TIMEOUT_SECONDS)
    }
}

impl TryFrom<i64> for Timeout {
    type Error = &'static str;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        match i32::try_from(seconds) {
            Ok(seconds @ 1..=300) => Ok(Self(seconds)),
            _ => Err("must be between 1 and 300 seconds"),
        }
    }
}

/// Where a script departs from the instance's limits; each ends at its ceiling.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sandbox")]
pub(super) struct SandboxFields {
    /// The operations one run may take.
    max_operations: Option<NonZeroU64>,
    /// How deep calls may nest.
    max_call_depth: Option<NonZeroU32>,
    /// The log lines one run may write.
    max_log_lines: Option<u32>,
}

impl SandboxFields {
    /// The limits to store: none above the instance's ceiling.
    pub(super) fn clamped(self, config: &Config) -> Sandbox {
        let asked = Sandbox {
            max_operations: self.max_operations.map(NonZeroU64::get),
            max_call_depth: self.max_call_depth.map(NonZeroU32::get),
            max_log_lines: self.max_log_lines,
        };
        asked.clamped(&Ceilings {
            max_operations: config.execution.max_operations_ceiling,
            max_call_depth: config.execution.max_call_depth_ceiling,
            max_log_lines: config.execution.max_log_lines_ceiling,
        })
    }
}

impl From<Sandbox> for SandboxFields {
    fn from(stored: Sandbox) -> Self {
        Self {
            max_operations: stored.max_operations.and_then(NonZeroU64::new),
            max_call_depth: stored.max_call_depth.and_then(NonZeroU32::new),
            max_log_lines: stored.max_log_lines,
        }
    }
}

/// The source, if it compiles; else every problem under the field `source`, with line and column.
pub(super) async fn checked(state: &State, source: Source) -> Result<Source> {
    let (source, problems) = problems(state, source).await?;
    if problems.is_empty() {
        return Ok(source);
    }
    let errors =
        problems.into_iter().map(|p| FieldError { field: "source".to_owned(), message: located(&p) });
    Err(Error::Invalid(errors.collect()))
}

/// The source, and what keeps it from being saved. Compiling a long one takes
/// a while, so it happens off the async threads.
pub(super) async fn problems(state: &State, source: Source) -> Result<(Source, Vec<Problem>)> {
    let engine = state.engine.clone();
    let look = move || {
        let problems = engine.check(source.as_str()).err().unwrap_or_default();
        (source, problems)
    };
    tokio::task::spawn_blocking(look)
        .await
        .map_err(|e| Error::internal_from("a source could not be compiled", e))
}

fn located(problem: &Problem) -> String {
    match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: {}", problem.message),
        (Some(line), None) => format!("line {line}: {}", problem.message),
        _ => problem.message.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let problem = |line, column| Problem { line, column, message: "unexpected `;`".to_owned() };
        assert_eq!(located(&problem(Some(3), Some(7))), "line 3, column 7: unexpected `;`");
        assert_eq!(located(&problem(Some(3), None)), "line 3: unexpected `;`");
        assert_eq!(located(&problem(None, None)), "unexpected `;`");
    }

    #[test]
    fn a_timeout_has_bounds() {
        assert!([1, 30, 300].into_iter().all(|n| Timeout::try_from(n).is_ok()));
        assert!([0, -1, 301, i64::MAX].into_iter().all(|n| Timeout::try_from(n).is_err()));
    }
}
