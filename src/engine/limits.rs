//! What one run may use: the instance's figures, and a script's overrides below the ceilings.

use std::time::Duration;

use crate::store::script::{Ceilings, Sandbox};

const MIB: usize = 1 << 20;

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
    /// Bytes of memory held at one time.
    pub memory: usize,
    /// Bytes of one string where it crosses a border or a native of ours makes it.
    pub string_bytes: usize,
    /// Bytes of one blob, likewise.
    pub blob_bytes: usize,
}

impl Limits {
    /// Nothing at all.
    pub(super) const NONE: Self = Self {
        operations: 0,
        wall_clock: Duration::ZERO,
        call_depth: 0,
        log_lines: 0,
        memory: 0,
        string_bytes: 0,
        blob_bytes: 0,
    };
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
                memory: 32 * MIB,
                string_bytes: MIB,
                blob_bytes: 8 * MIB,
            },
            ceiling: Limits {
                operations: 100_000_000,
                wall_clock: Duration::from_secs(300),
                call_depth: 128,
                log_lines: 2000,
                memory: 256 * MIB,
                string_bytes: MIB,
                blob_bytes: 8 * MIB,
            },
        }
    }
}

impl Bounds {
    /// What a script's own limits may not go beyond.
    pub fn ceilings(&self) -> Ceilings {
        Ceilings {
            max_operations: self.ceiling.operations,
            max_call_depth: self.ceiling.call_depth,
            max_log_lines: self.ceiling.log_lines,
            max_memory_bytes: self.ceiling.memory as u64,
        }
    }

    /// The limits of a run of a script with these limits of its own.
    ///
    /// The ceiling is applied here too: it may have been lowered since the script was saved.
    pub fn limits(&self, sandbox: Sandbox, timeout: Option<Duration>) -> Limits {
        let (default, ceiling) = (&self.default, &self.ceiling);
        let operations = sandbox.max_operations.unwrap_or(default.operations);
        let call_depth = sandbox.max_call_depth.unwrap_or(default.call_depth);
        let memory =
            sandbox.max_memory_bytes.map_or(default.memory, |n| usize::try_from(n).unwrap_or(usize::MAX));
        Limits {
            operations: operations.min(ceiling.operations),
            wall_clock: timeout.unwrap_or(default.wall_clock).min(ceiling.wall_clock),
            call_depth: call_depth.min(ceiling.call_depth),
            log_lines: sandbox.max_log_lines.unwrap_or(default.log_lines).min(ceiling.log_lines),
            memory: memory.min(ceiling.memory),
            string_bytes: default.string_bytes,
            blob_bytes: default.blob_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(operations: u64, call_depth: u32, log_lines: u32) -> Sandbox {
        Sandbox {
            max_operations: Some(operations),
            max_call_depth: Some(call_depth),
            max_log_lines: Some(log_lines),
            max_memory_bytes: Some(operations),
        }
    }

    #[test]
    fn a_script_that_asks_for_nothing_gets_the_defaults() {
        let bounds = Bounds::default();
        assert_eq!(bounds.limits(Sandbox::default(), None), bounds.default);
    }

    #[test]
    fn what_a_script_asks_for_ends_at_the_ceiling() {
        let bounds = Bounds::default();
        let greedy = sandbox(u64::MAX, u32::MAX, u32::MAX);
        assert_eq!(bounds.limits(greedy, Some(Duration::MAX)), bounds.ceiling);
        assert_eq!(greedy.clamped(&bounds.ceilings()).max_call_depth, Some(128));
    }

    #[test]
    fn a_script_may_ask_for_less() {
        let limits = Bounds::default().limits(sandbox(5, 1, 0), Some(Duration::from_secs(1)));
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
