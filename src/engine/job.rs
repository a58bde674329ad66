//! What is handed to the engine: an invocation, its code, its limits, and where the outcome goes.

use std::sync::Arc;

use super::{compile::Compiled, invocation::Invocation, limits::Limits, outcome::Outcome};
use crate::base::id::ScriptId;

/// One run to be done.
pub struct Job {
    /// What the run is told.
    pub invocation: Invocation,
    /// What runs.
    pub code: Code,
    /// What it may use.
    pub limits: Limits,
    /// Where it waits for the gate.
    pub lane: Lane,
    /// Called once with the outcome, on the script thread: it must not wait.
    ///
    /// It is not called for a job that was cancelled or taken back before it started, and
    /// for one that is still waiting when the engine stops it is called there.
    pub done: Box<dyn FnOnce(Outcome) + Send>,
}

/// Who waits for a job, and so how it is let through the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Somebody waits for the outcome: a part of the gate is kept for these.
    Interactive,
    /// Nobody does, so that what the script returns is dropped: these use what is left, and are never starved.
    Background,
}

impl Lane {
    /// The name in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Background => "background",
        }
    }
}

/// What runs.
pub enum Code {
    /// A script that [`super::Engine::compiled`] had at hand.
    Compiled(Compiled),
    /// A saved version, compiled on the script thread and kept.
    Version {
        /// The script.
        script: ScriptId,
        /// Its version.
        version: i32,
        /// The text of that version.
        source: Arc<str>,
    },
    /// Text that is run unsaved, compiled and forgotten.
    Draft(Arc<str>),
}
