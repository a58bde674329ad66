//! Checking, saving and deleting scripts. What does not compile is not saved.

use crate::{
    base::{
        Error, FieldError, Result,
        id::ScriptId,
        name::Source,
    },
    engine::Problem,
    store::script::{self, DEFAULT_TIMEOUT_SECONDS, NewScript, Script, ScriptChange},
    web::State,
};

/// How long one run may take, 1 to 300 seconds.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "i64")]
pub struct Timeout(#[schemars(range(min = 1, max = 300))] i32);

impl Timeout {
    /// The seconds.
    pub fn seconds(self) -> i32 {
        self.0
    }
}

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

impl std::str::FromStr for Timeout {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().map_or(0, |seconds: i64| seconds).try_into()
    }
}

/// Makes a script.
pub async fn create(state: &State, new: &NewScript) -> Result<Script> {
    require_sound(state, &new.source).await?;
    script::create(&state.db, new).await
}

/// Changes a script; when this returns, this node runs what was saved.
pub async fn update(state: &State, id: ScriptId, change: ScriptChange) -> Result<Script> {
    if let Some(source) = &change.source {
        require_sound(state, source).await?;
    }
    let mut tx = state.db.begin().await?;
    let script = script::update(&mut tx, id, change).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(script)
}

/// Makes the source of version `number` the newest version, by `author`.
pub async fn restore(state: &State, id: ScriptId, number: i32, author: String) -> Result<Script> {
    let version = script::version(&state.db, id, number).await?;
    let version = version.ok_or_else(|| Error::NotFound("version".to_owned()))?;
    let source = Source::try_from(version.source).map_err(|why| Error::invalid("source", why))?;
    let change = ScriptChange { source: Some(source), author: Some(author), ..ScriptChange::default() };
    update(state, id, change).await
}

/// Deletes a script; refused while routes lead to it, unless they go with it.
pub async fn delete(state: &State, id: ScriptId, cascade: bool) -> Result<()> {
    let mut tx = state.db.begin().await?;
    if cascade {
        script::delete_cascade(&mut tx, id).await?;
    } else {
        script::delete(&mut tx, id).await?;
    }
    tx.commit().await?;
    state.routes_changed().await
}

/// What keeps a source from being saved. Compiling a long one takes a while,
/// so it happens off the async threads.
pub async fn check(state: &State, source: String) -> Result<Vec<Problem>> {
    let engine = state.engine.clone();
    tokio::task::spawn_blocking(move || engine.check(&source).err().unwrap_or_default())
        .await
        .map_err(|e| Error::internal_from("a source could not be compiled", e))
}

/// Refuses a source with every problem under the field `source`, with line and column.
async fn require_sound(state: &State, source: &Source) -> Result<()> {
    let problems = check(state, source.as_str().to_owned()).await?;
    if problems.is_empty() {
        return Ok(());
    }
    let errors =
        problems.iter().map(|problem| FieldError { field: "source".to_owned(), message: located(problem) });
    Err(Error::Invalid(errors.collect()))
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
        assert!("30".parse::<Timeout>().is_ok() && "soon".parse::<Timeout>().is_err());
    }
}
