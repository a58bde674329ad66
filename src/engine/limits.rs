//! What one run may use: the instance's figures, and a script's overrides below the ceilings.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The limits of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Operations, those in closures that natives call included.
    pub operations: u64,
    /// Wall clock from the moment the run starts.
    pub wall_clock: Duration,
    /// Function calls within function calls.
    pub call_depth: u32,
    /// Log lines.
    pub log_lines: u32,
}

/// What a script may ask for itself; what it leaves out is the instance's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// Operations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_operations: Option<u64>,
    /// Function calls within function calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_call_depth: Option<u32>,
    /// Log lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_log_lines: Option<u32>,
}

/// The instance's figures: what a run gets by default, and the most a script may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What a run gets when its script asks for nothing.
    pub default: Limits,
    /// The most a script may ask for.
    pub ceiling: Limits,
}

impl Default for Bounds {
    /// The figures of the manual.
    fn default() -> Self {
        Self {
            default: Limits {
                operations: 10_000_000,
                wall_clock: Duration::from_secs(30),
                call_depth: 64,
                log_lines: 200,
            },
            ceiling: Limits {
                operations: 100_000_000,
                wall_clock: Duration::from_secs(300),
                call_depth: 128,
                log_lines: 2000,
            },
        }
    }
}

impl Sandbox {
    /// The same overrides, each within the ceiling and at least 1: what is stored and shown.
    #[must_use]
    pub fn clamped(self, ceiling: &Limits) -> Self {
        Self {
            max_operations: self.max_operations.map(|n| n.clamp(1, ceiling.operations.max(1))),
            max_call_depth: self.max_call_depth.map(|n| n.clamp(1, ceiling.call_depth.max(1))),
            max_log_lines: self.max_log_lines.map(|n| n.min(ceiling.log_lines)),
        }
    }
}

impl Bounds {
    /// The limits of a run of a script with these overrides.
    ///
    /// The ceiling is applied here too: it may have been lowered since the script was saved.
    pub fn limits(&self, sandbox: Sandbox, timeout: Option<Duration>) -> Limits {
        let asked = sandbox.clamped(&self.ceiling);
        let default = &self.default;
        Limits {
            operations: asked.max_operations.unwrap_or(default.operations).min(self.ceiling.operations),
            wall_clock: timeout.unwrap_or(default.wall_clock).min(self.ceiling.wall_clock),
            call_depth: asked.max_call_depth.unwrap_or(default.call_depth).min(self.ceiling.call_depth),
            log_lines: asked.max_log_lines.unwrap_or(default.log_lines).min(self.ceiling.log_lines),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_asks_for_nothing_gets_the_defaults() {
        let bounds = Bounds::default();
        assert_eq!(bounds.limits(Sandbox::default(), None), bounds.default);
    }

    #[test]
    fn what_a_script_asks_for_is_clamped_to_the_ceiling() {
        let bounds = Bounds::default();
        let greedy = Sandbox {
            max_operations: Some(u64::MAX),
            max_call_depth: Some(u32::MAX),
            max_log_lines: Some(u32::MAX),
        };
        assert_eq!(bounds.limits(greedy, Some(Duration::MAX)), bounds.ceiling);
        assert_eq!(greedy.clamped(&bounds.ceiling).max_call_depth, Some(128));
    }

    #[test]
    fn a_script_may_ask_for_less() {
        let modest = Sandbox { max_operations: Some(5), max_call_depth: Some(0), max_log_lines: Some(0) };
        let limits = Bounds::default().limits(modest, Some(Duration::from_secs(1)));
        assert_eq!((limits.operations, limits.call_depth, limits.log_lines), (5, 1, 0));
        assert_eq!(limits.wall_clock, Duration::from_secs(1));
    }

    #[test]
    fn a_ceiling_below_the_default_lowers_it() {
        let mut bounds = Bounds::default();
        bounds.ceiling.operations = 7;
        assert_eq!(bounds.limits(Sandbox::default(), None).operations, 7);
    }
}
