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
    /// Called once with the outcome, on the script thread: it must not wait.
    ///
    /// It is not called for a job that was cancelled before it started, and for
    /// one that is still waiting when the engine stops it is called there.
    pub done: Box<dyn FnOnce(Outcome) + Send>,
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
