//! Floor 6: what must be cleared away, in batches, behind everybody's back.
//!
//! Each duty is a [`Sweep`]: it takes no input, finds its work by query, and
//! may run at any time and on several nodes at once. All run soon after start
//! (a machine that is switched off every night must be swept too), hourly, and
//! when somebody has just made work for them.

mod apps;
pub mod clock;
mod executions;
mod over;
mod sessions;
mod sign_ins;

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use rand::Rng as _;
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::{
    base::Result,
    config::Retention,
    system::{
        clock::{Clock, Watch},
        tasks::{OnFailure, Tasks},
    },
};

/// How many rows one statement deletes at most.
const BATCH: i64 = 5_000;
/// The wait after start: whatever else starts then comes first.
const SOON: Duration = Duration::from_secs(60);
/// The wait from one round to the next.
const HOURLY: Duration = Duration::from_secs(3600);

/// One duty.
pub struct Sweep {
    /// Its name in the log.
    pub name: &'static str,
    /// Whether it judges by age, which only a clock that is right allows.
    pub by_age: bool,
    /// Deletes all there is to delete, in batches, and answers with how many rows that was.
    pub run: for<'a> fn(&'a PgPool, &'a Retention) -> BoxFuture<'a, Result<u64>>,
}

/// All duties.
pub const SWEEPS: &[Sweep] = &[
    apps::SWEEP,
    sessions::SWEEP,
    sign_ins::OLD,
    sign_ins::TOO_MANY,
    over::OLD_DEAD_LETTERS,
    over::TOO_MANY_DEAD_LETTERS,
    over::OLD_ABANDONED,
    over::TOO_MANY_ABANDONED,
    executions::OLD,
    executions::OLD_COUNTS,
    executions::TOO_MANY,
    executions::TOO_LARGE,
];

/// Runs the sweeps; clones share the runner.
#[derive(Clone, Debug)]
pub struct Upkeep {
    nudged: Arc<Notify>,
}

impl Upkeep {
    /// Starts the runner.
    pub fn start(db: PgPool, retention: Retention, clock: Watch, tasks: &Tasks) -> Self {
        let nudged = Arc::new(Notify::new());
        let (token, wake) = (tasks.token(), nudged.clone());
        tasks.spawn("upkeep", OnFailure::Log, async move {
            // A batch that is cut off is rolled back; the next round finds the rows again.
            token.run_until_cancelled(run(db, retention, &clock, &wake)).await;
            Ok::<_, Infallible>(())
        });
        Self { nudged }
    }

    /// Says that there is something to sweep now.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }
}

async fn run(db: PgPool, retention: Retention, clock: &Watch, nudged: &Notify) {
    let mut wait = SOON;
    loop {
        // The offset keeps the nodes of a fleet, started by the same power cut, apart.
        let wait_with_offset = wait.mul_f64(rand::rng().random_range(1.0..1.25));
        tokio::select! {
            () = tokio::time::sleep(wait_with_offset) => wait = HOURLY,
            () = nudged.notified() => {}
        }
        sweep_all(&db, &retention, clock.now()).await;
    }
}

/// Runs every sweep that may run by `clock` until nothing is left for it.
pub async fn sweep_all(db: &PgPool, retention: &Retention, clock: Clock) {
    for sweep in SWEEPS {
        if sweep.by_age && !clock.is_right() {
            tracing::debug!(sweep = sweep.name, "nothing is deleted by age while the clock may be wrong");
            continue;
        }
        match (sweep.run)(db, retention).await {
            Ok(0) => tracing::debug!(sweep = sweep.name, "nothing to sweep"),
            Ok(rows) => tracing::info!(sweep = sweep.name, rows, "swept"),
            Err(error) => {
                tracing::warn!(sweep = sweep.name, %error, "a sweep failed; the next round goes on");
            }
        }
    }
}

/// Deletes batch after batch until one finds nothing.
async fn to_the_end<F: Future<Output = Result<u64>>>(batch: impl Fn() -> F) -> Result<u64> {
    let mut total = 0;
    loop {
        match batch().await? {
            0 => return Ok(total),
            rows => total += rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweeps_have_names_of_their_own() {
        let mut names: Vec<&str> = SWEEPS.iter().map(|sweep| sweep.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SWEEPS.len());
    }
}
