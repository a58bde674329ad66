//! The one task that writes the log.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use sqlx::PgPool;

use super::{
    Shared, Written,
    buffer::{Batch, Urgency},
};
use crate::{
    base::Result,
    store::execution::{self, NewAttempt},
};

/// The wait after the first time the database was away; it doubles up to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Writes batches until it is told to stop.
pub(super) struct Writer {
    db: PgPool,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(db: PgPool, shared: Arc<Shared>) -> Self {
        Self { db, shared }
    }

    /// The task.
    pub(super) async fn run(self) -> Result<(), Infallible> {
        // However the task ends, nobody may go on waiting for it.
        let _ended = self.shared.ended.clone().drop_guard();
        while self.something_is_due().await {
            let batch = self.shared.buffer().take(std::time::Instant::now());
            tokio::select! {
                biased;
                () = self.shared.give_up.cancelled() => self.give_up(&batch),
                () = self.write(&batch) => {}
            }
            let released = self.shared.buffer().release(&batch);
            if released.dropped > 0 {
                tracing::warn!(
                    records = released.dropped,
                    "records of the execution log were dropped for want of room"
                );
            }
            self.shared.progress.send_modify(|p| p.settled = released.settled);
        }
        Ok(())
    }

    /// Waits for something to write; false if nothing will come.
    async fn something_is_due(&self) -> bool {
        loop {
            let urgency = self.shared.buffer().urgency();
            match urgency {
                Urgency::Now => return true,
                Urgency::Over => return false,
                Urgency::Idle => self.shared.wake.notified().await,
                Urgency::At(due) => tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => return true,
                    () = self.shared.wake.notified() => {}
                },
            }
        }
    }

    /// Writes a batch, however long the database is away.
    async fn write(&self, batch: &Batch) {
        let mut wait = FIRST_WAIT;
        loop {
            match self.store(batch).await {
                Ok(()) => return self.tell(batch),
                Err(error) => {
                    if wait == FIRST_WAIT {
                        tracing::warn!(%error, "the execution log waits for the database");
                    }
                    self.shared.progress.send_modify(|p| p.failures += 1);
                }
            }
            // A reader who wants to see the log is a reason to try again sooner.
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.shared.wake.notified() => {}
            }
            wait = (wait * 2).min(LAST_WAIT);
        }
    }

    /// Stores a batch; fails only while the database is away. What it has
    /// stored by then it finds again the next time.
    async fn store(&self, batch: &Batch) -> Result<()> {
        if let Err(error) = self.insert(&batch.attempts).await {
            if error.is_unavailable() {
                return Err(error);
            }
            tracing::error!(
                ?error,
                records = batch.attempts.len(),
                "the database refused a batch of the log"
            );
            self.insert_singly(&batch.attempts).await?;
        }
        if batch.overflow.is_empty() {
            return Ok(());
        }
        match execution::add_overflow(&self.db, &batch.overflow).await {
            Err(error) if !error.is_unavailable() => {
                tracing::error!(?error, "the database refused the counts of what was not stored");
                Ok(())
            }
            done => done,
        }
    }

    async fn insert(&self, attempts: &[NewAttempt]) -> Result<()> {
        if !attempts.is_empty() {
            let stored = execution::insert(&self.db, attempts).await?;
            self.shared.count("stored", stored);
        }
        Ok(())
    }

    /// One record that the database cannot take must not take the others along.
    async fn insert_singly(&self, attempts: &[NewAttempt]) -> Result<()> {
        for attempt in attempts {
            match self.insert(std::slice::from_ref(attempt)).await {
                Err(error) if !error.is_unavailable() => {
                    self.shared.count("dropped", 1);
                    tracing::error!(?error, execution.id = %attempt.execution_id, "a record was dropped");
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn tell(&self, batch: &Batch) {
        if self.shared.written.receiver_count() == 0 {
            return;
        }
        let mut apps: HashMap<_, u64> = batch.attempts.iter().map(|attempt| (attempt.app_id, 0)).collect();
        apps.extend(batch.overflow.iter().copied());
        // It fails only if the last reader has just gone.
        let _ = self.shared.written.send(Arc::new(Written { apps }));
    }

    fn give_up(&self, batch: &Batch) {
        let records = batch.attempts.len();
        self.shared.count("dropped", u64::try_from(records).unwrap_or(u64::MAX));
        tracing::warn!(records, "the end came before the execution log could be written");
    }
}
