//! What every native that walks a value keeps to: a depth, and looks at whether the run is to end.

use rhai::EvalAltResult;

use crate::engine::{
    convert::MAX_DEPTH,
    guard::{self, Guarded, STEPS},
};

/// How many bytes that are read or compared are one step.
const STEP_BYTES: usize = 256;

/// Counts the steps of a native, and looks from time to time whether the run is to end.
#[derive(Debug, Default)]
pub(super) struct Steps(usize);

impl Steps {
    /// Counts one value.
    pub(super) fn value(&mut self) -> Guarded {
        self.count(1)
    }

    /// Counts a stretch of text or bytes.
    pub(super) fn bytes(&mut self, length: usize) -> Guarded {
        self.count(1 + length / STEP_BYTES)
    }

    /// Counts the wait for a lock that was not got, which takes Rhai a while.
    pub(super) fn wait(&mut self) -> Guarded {
        self.count(STEPS)
    }

    fn count(&mut self, steps: usize) -> Guarded {
        self.0 += steps;
        if self.0 < STEPS {
            return Ok(());
        }
        self.0 = 0;
        guard::check()
    }
}

/// The depth within a value at `depth`, if there may be one.
pub(super) fn deeper(depth: usize) -> Result<usize, Box<EvalAltResult>> {
    if depth == MAX_DEPTH { Err(guard::too_deep()) } else { Ok(depth + 1) }
}
