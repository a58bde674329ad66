//! Running scripts: an invocation goes in, an outcome comes out.
//!
//! Rhai engines are built once per sandbox profile, compiled scripts are kept
//! by version, and runs happen on long-lived threads behind the gate. Nothing
//! here awaits, and nothing of a script's values leaves its thread: what goes
//! in and comes out is plain data.

pub mod body;
mod compile;
mod invocation;
mod job;
mod limits;
mod outcome;

pub use compile::Compiled;
pub use invocation::{AppRef, Invocation, Kind, Principal, Request, ScriptRef};
pub use job::{Code, Job};
pub use limits::{Bounds, Limits, Sandbox};
pub use outcome::{BodyKind, Failure, FailureKind, Level, LogLine, Outcome, Response};
