//! The outcome table, as far as durable rows go: what becomes of a row when its run has ended.

use std::time::Duration;

use crate::{
    base::backoff::jittered,
    engine::{Failure, FailureKind, Response},
    store::outbox::RetryPolicy,
};

/// What becomes of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has run: deleted.
    Done,
    /// It failed and is run again after this wait.
    Again(Duration),
    /// Its every run failed: a dead letter.
    Buried,
    /// The stop of this node cut it off: it runs again, and no failure is counted.
    Freed,
}

/// The fate of a row by how its run ended: `failure` decides how a failed one goes on.
///
/// What a durable run returns is dropped, so that no response can be a bad one;
/// a response that is thrown is a failure, like everything that is thrown.
pub(super) fn of_run(result: &Result<Response, Failure>, failure: impl FnOnce() -> Fate) -> Fate {
    match result.as_ref().err().map(|failure| failure.kind) {
        None => Fate::Done,
        Some(FailureKind::Stopped) => Fate::Freed,
        Some(_) => failure(),
    }
}

/// The fate of a row that failed `failures` times, this one included; `random` is in 0..1.
pub(super) fn of_failure(policy: RetryPolicy, failures: i32, jitter_pct: u32, random: f64) -> Fate {
    if failures >= policy.max_attempts {
        return Fate::Buried;
    }
    let nth = u32::try_from(failures).unwrap_or(1);
    let base = Duration::from_millis(u64::try_from(policy.base_ms).unwrap_or_default());
    Fate::Again(jittered(policy.backoff.wait(base, nth), jitter_pct, random))
}
