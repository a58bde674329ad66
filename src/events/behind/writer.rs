//! The one task that writes rows behind.

use std::{convert::Infallible, sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::time::{Instant, sleep, timeout};

use super::{Entry, Shared};
use crate::{
    base::{Result, id::OutboxId},
    events::Node,
    store::{
        abandoned::{self, NewAbandoned},
        outbox::{self, SyncRow},
    },
};

/// Between two flushes, and how long a run goes on before it gets a row.
const TICK: Duration = Duration::from_millis(10);

/// The pause while the database is away.
const PAUSE: Duration = Duration::from_millis(250);

/// The most rows of one statement.
const BATCH: usize = 500;

/// Writes what goes on for long, and erases it when it has ended.
pub(super) struct Writer {
    db: PgPool,
    node: Node,
    shared: Arc<Shared>,
    /// The epoch that the rows belong to.
    epoch: Option<i64>,
    /// The runs that had not ended when they were seen last.
    runs: Vec<Run>,
    /// Rows of runs that have ended.
    ended: Vec<OutboxId>,
    abandoned: Vec<NewAbandoned>,
    /// A statement failed, and it is not known what it did.
    in_doubt: bool,
}

struct Run {
    entry: Arc<Entry>,
    /// Its row is in the database, as far as is known.
    written: bool,
}

/// What to wait for.
enum Next {
    /// Nothing: there is something to write.
    Now,
    /// The next flush.
    Tick,
    /// Somebody who wakes it.
    Wake,
    /// An epoch.
    Epoch,
    /// Nothing will come.
    Over,
}

impl Writer {
    pub(super) fn new(db: PgPool, node: Node, shared: Arc<Shared>) -> Self {
        Self {
            db,
            node,
            shared,
            epoch: None,
            runs: Vec::new(),
            ended: Vec::new(),
            abandoned: Vec::new(),
            in_doubt: false,
        }
    }

    /// The task.
    pub(super) async fn run(mut self) -> Result<(), Infallible> {
        // However the task ends, nobody may go on waiting for it.
        let _ended = self.shared.ended.clone().drop_guard();
        let give_up = self.shared.give_up.clone();
        if give_up.run_until_cancelled(self.write()).await.is_none() {
            let (rows, outcomes) = (self.ended.len(), self.abandoned.len());
            self.shared.dropped("abandoned", outcomes);
            tracing::warn!(rows, outcomes, "the end came before what was under way could be settled");
        }
        Ok(())
    }

    async fn write(&mut self) {
        let mut epoch = self.node.watch();
        let mut away = false;
        loop {
            let closed = self.take();
            match self.next(closed) {
                Next::Over => return,
                Next::Now => {}
                Next::Tick => sleep(TICK).await,
                Next::Epoch => {
                    let _ = timeout(PAUSE, epoch.changed()).await;
                }
                Next::Wake => {
                    tokio::select! {
                        () = self.shared.wake.notified() => {}
                        _ = epoch.changed() => {}
                    }
                    continue;
                }
            }
            self.take();
            let Some(epoch) = self.node.epoch() else { continue };
            let done = self.flush(epoch).await;
            if let Err(error) = &done {
                if !away {
                    tracing::warn!(%error, "what is under way waits for the database to be recorded");
                }
                sleep(PAUSE).await;
            }
            away = done.is_err();
        }
    }

    /// Takes what was noted, and sorts out what has ended; says whether nothing more will come.
    fn take(&mut self) -> bool {
        let closed = {
            let mut notes = self.shared.notes();
            self.runs.extend(notes.runs.drain(..).map(|entry| Run { entry, written: false }));
            // What does not fit here stays there, where it is bounded.
            if self.abandoned.is_empty() {
                std::mem::swap(&mut self.abandoned, &mut notes.abandoned);
            }
            notes.closed
        };
        let ended = &mut self.ended;
        self.runs.retain(|run| {
            let over = run.entry.has_ended();
            if over && run.written {
                ended.push(run.entry.row.id);
            }
            !over
        });
        closed
    }

    fn next(&self, closed: bool) -> Next {
        let epoch = self.node.epoch();
        let unsettled = !self.ended.is_empty() || !self.abandoned.is_empty() || self.in_doubt;
        // Rows of another epoch went with it.
        let has_row = |run: &Run| run.written && epoch == self.epoch;
        if closed {
            // What has not started by now never will.
            let none_due = self.runs.iter().all(|run| has_row(run) || !run.entry.runs_for(TICK, now()));
            return match (unsettled, none_due, epoch) {
                (false, true, _) => Next::Over,
                (_, _, None) => Next::Epoch,
                _ => Next::Now,
            };
        }
        if !unsettled && self.runs.iter().all(has_row) && self.falls_asleep() {
            return Next::Wake;
        }
        if epoch.is_none() { Next::Epoch } else { Next::Tick }
    }

    /// From now on whoever notes something wakes it; false if somebody just did.
    fn falls_asleep(&self) -> bool {
        let mut notes = self.shared.notes();
        notes.asleep = notes.runs.is_empty() && notes.abandoned.is_empty() && !notes.closed;
        notes.asleep
    }

    /// Brings the rows to where the runs are. Fails only while the database is away.
    async fn flush(&mut self, epoch: i64) -> Result<()> {
        if self.epoch != Some(epoch) {
            // The rows of the one before went with it.
            self.forget_rows();
            self.epoch = Some(epoch);
        }
        let done = self.settle(epoch).await;
        self.in_doubt |= done.is_err();
        done
    }

    async fn settle(&mut self, epoch: i64) -> Result<()> {
        if self.in_doubt {
            outbox::erase_all(&self.db, epoch).await?;
            self.forget_rows();
        }
        // Before their rows go, so that none is lost between the two.
        self.abandon().await?;
        if !self.ended.is_empty() {
            outbox::erase(&self.db, &self.ended).await?;
            self.ended.clear();
        }
        self.record(epoch).await
    }

    /// Writes the rows of what goes on for long.
    async fn record(&mut self, epoch: i64) -> Result<()> {
        let now = now();
        let due = |run: &&mut Run| !run.written && run.entry.runs_for(TICK, now);
        let mut due: Vec<&mut Run> = self.runs.iter_mut().filter(due).collect();
        due.retain(|run| run.entry.mark());
        for runs in due.chunks_mut(BATCH) {
            let rows: Vec<&SyncRow> = runs.iter().map(|run| &run.entry.row).collect();
            match outbox::record(&self.db, epoch, &rows).await {
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) => tracing::error!(?error, "the database refused rows of runs under way"),
                Ok(()) => {}
            }
            for run in runs {
                run.written = true;
            }
        }
        Ok(())
    }

    async fn abandon(&mut self) -> Result<()> {
        for entries in self.abandoned.chunks(BATCH) {
            match abandoned::insert(&self.db, entries).await {
                Err(error) if error.is_unavailable() => return Err(error),
                Err(error) => {
                    self.shared.dropped("abandoned", entries.len());
                    tracing::error!(?error, "the database refused outcomes nobody waited for");
                }
                Ok(_) => {}
            }
        }
        self.abandoned.clear();
        Ok(())
    }

    /// There is none in the database any more.
    fn forget_rows(&mut self) {
        for run in &mut self.runs {
            run.written = false;
        }
        self.ended.clear();
        self.in_doubt = false;
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}
