//! Kinds of sources: what turns a waiting row back into a run.
//!
//! The dispatcher knows rows, not what they stand for. Who puts rows of a kind
//! into the outbox also says what they run, and `boot` brings the two together.

use futures_util::future::BoxFuture;

use super::Work;
use crate::{base::Error, store::outbox::Claimed};

/// A kind of source whose rows wait in the outbox.
pub trait SourceKind: Send + Sync {
    /// Its name in the rows. A row of a kind nobody here knows waits for a program that does.
    fn name(&self) -> &'static str;

    /// What a row runs, as things are now: scripts, routes and users may have
    /// changed or gone since it was put.
    fn plan<'r>(&'r self, row: &'r Claimed) -> BoxFuture<'r, Planned>;
}

/// What became of the plan to run a row.
pub enum Planned {
    /// This is to be run.
    Run(Box<Work>),
    /// It cannot be run: a failed attempt, for this reason.
    Refused(Refusal),
    /// The database did not say: the row waits, and no attempt is counted.
    Unknown(Error),
}

/// Why a row cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its name among the ways to fail.
    pub kind: &'static str,
    /// What a caller would have been answered.
    pub status: u16,
    /// What a person reads.
    pub message: String,
}

impl Refusal {
    /// What was to run, or what led to it, is gone or disabled.
    pub fn gone(message: impl Into<String>) -> Self {
        Self { kind: "gone", status: 404, message: message.into() }
    }

    /// Who it was to run for is gone, disabled or no longer allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { kind: "forbidden", status: 403, message: message.into() }
    }

    /// What the row holds cannot be read.
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self { kind: "unreadable", status: 422, message: message.into() }
    }
}
