//! The pace of a loop that makes values: it asks the guards every so often, not at every step.

use std::cell::Cell;

use super::guard::{self, Guarded, STEPS};

/// How many bytes a loop may make between two looks at the guards.
const BYTES: usize = 64 << 10;

/// What a loop has done since it last asked.
#[derive(Debug, Default)]
pub(super) struct Pace {
    steps: Cell<usize>,
    bytes: Cell<usize>,
}

impl Pace {
    /// Counts one step that makes about `bytes`, and ends the run if its time
    /// or its memory is used up.
    pub(super) fn step(&self, bytes: usize) -> Guarded {
        self.steps.set(self.steps.get() + 1);
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        if self.steps.get() < STEPS && self.bytes.get() < BYTES { Ok(()) } else { self.ask() }
    }

    #[cold]
    fn ask(&self) -> Guarded {
        self.steps.set(0);
        guard::check()?;
        guard::room(self.bytes.replace(0))
    }
}
