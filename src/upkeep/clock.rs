//! The wall clock: when it was last right, and what ends when it is set.
//!
//! Sessions that began while nobody knew the time end when the clock is set by
//! more than an hour: by then they may be years old, or have years to live.
//! How the clock stood is kept in the database, so that a clock that is set
//! while PiCloud does not run is noticed too.

use std::{convert::Infallible, time::Duration};

use sqlx::PgPool;

use crate::{
    base::Result,
    store::{instance, session},
    system::{
        clock::{Clock, Reading, Watch},
        tasks::{OnFailure, Tasks},
    },
};

/// How often the clock is looked at. Nothing is written where nothing happened.
const LOOK: Duration = Duration::from_secs(10);

/// How often it is kept how the clock stands.
const KEEP: Duration = Duration::from_secs(60 * 60);

/// Looks after the clock.
#[derive(Debug)]
pub struct Keeper {
    db: PgPool,
    watch: Watch,
    /// How the clock stood at the last look.
    last: Reading,
    /// How it stood when that was last kept.
    kept: Reading,
}

impl Keeper {
    /// Looks for the first time, before anybody is let in: what happened while
    /// PiCloud did not run.
    pub async fn begin(db: &PgPool, watch: &Watch) -> Result<Self> {
        let now = Reading::now();
        watch.was_right(instance::last_good_time(db).await?);
        if let Some((boot, at, offset_ms)) = instance::clock_seen(db).await? {
            let seen = Reading { boot, at, offset_ms };
            if seen.stepped_until(&now) {
                end_sessions(db).await?;
            }
        }
        keep(db, &now).await?;
        Ok(Self { db: db.clone(), watch: watch.clone(), last: now.clone(), kept: now })
    }

    /// Goes on looking.
    pub fn start(mut self, tasks: &Tasks) {
        let stop = tasks.token();
        tasks.spawn("clock", OnFailure::Log, async move {
            stop.run_until_cancelled(self.run()).await;
            Ok::<_, Infallible>(())
        });
    }

    async fn run(&mut self) {
        loop {
            if let Err(error) = self.look(Reading::now(), Clock::now(None)).await {
                tracing::warn!(%error, "what the clock means could not be written down; the next look goes on");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// One look, at which the clock stands like this.
    pub async fn look(&mut self, now: Reading, clock: Clock) -> Result<()> {
        let stepped = self.last.stepped_until(&now);
        if stepped {
            end_sessions(&self.db).await?;
        }
        let since = now.at < self.kept.at || now.at >= self.kept.at.after(KEEP);
        if stepped || since {
            keep(&self.db, &now).await?;
            self.kept = now.clone();
        }
        // Not while a chip keeps it: the chip is judged by this.
        let good = self.watch.last_good();
        let old = good.is_none_or(|good| now.at < good || now.at >= good.after(KEEP));
        if clock == Clock::Synchronised && old {
            let mut connection = self.db.acquire().await?;
            self.watch.was_right(instance::clock_is_right(&mut connection).await?);
        }
        self.last = now;
        Ok(())
    }
}

async fn end_sessions(db: &PgPool) -> Result<()> {
    let sessions = session::clock_stepped(db).await?;
    tracing::warn!(
        sessions,
        "the clock was set by more than an hour; sessions that began before it was known to be right end"
    );
    Ok(())
}

async fn keep(db: &PgPool, now: &Reading) -> Result<()> {
    instance::keep_clock(db, (&now.boot, now.at, now.offset_ms)).await
}
