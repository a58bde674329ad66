//! Fields of scripts that need more than a type to be right.

use std::num::{NonZeroU32, NonZeroU64};

use crate::store::script::{DEFAULT_TIMEOUT_SECONDS, Sandbox};

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
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub(super) struct SandboxFields {
    /// The operations one run may take.
    max_operations: Option<NonZeroU64>,
    /// How deep calls may nest.
    max_call_depth: Option<NonZeroU32>,
    /// The log lines one run may write.
    max_log_lines: Option<u32>,
}

impl From<SandboxFields> for Sandbox {
    fn from(asked: SandboxFields) -> Self {
        Self {
            max_operations: asked.max_operations.map(NonZeroU64::get),
            max_call_depth: asked.max_call_depth.map(NonZeroU32::get),
            max_log_lines: asked.max_log_lines,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_bounds() {
        assert!([1, 30, 300].into_iter().all(|n| Timeout::try_from(n).is_ok()));
        assert!([0, -1, 301, i64::MAX].into_iter().all(|n| Timeout::try_from(n).is_err()));
    }
}
