//! The execution log's way to the card: in batches, off the request path.
//!
//! A record is handed over in memory and never waits: what ran is answered
//! whether or not the database can take its record now. One task writes what
//! came, every half second or when a batch is full. Two bounds hold: an app's
//! budget, beyond which uneventful successes are counted instead of stored,
//! and the buffer, beyond which records are dropped and that is counted.

mod budget;
mod buffer;
mod writer;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use self::{
    buffer::{Buffer, Fate},
    writer::Writer,
};
use crate::{
    base::id::AppId,
    store::execution::NewAttempt,
    system::{
        metrics::Metrics,
        tasks::{OnFailure, Tasks},
    },
};

/// The longest that a reader waits for what was recorded before it.
const FLUSH_PATIENCE: Duration = Duration::from_secs(5);

/// How many notices a live reader may be behind.
const NOTICES: usize = 64;

/// Writes the execution log; clones share the buffer.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

/// What the handles and the writer share.
struct Shared {
    buffer: Mutex<Buffer>,
    /// Wakes the writer: there is something, or it cannot wait any longer.
    wake: Notify,
    progress: watch::Sender<Progress>,
    written: broadcast::Sender<Arc<Written>>,
    /// Cancelled when the writer has ended.
    ended: CancellationToken,
    /// Cancelled when what is left must be given up.
    give_up: CancellationToken,
    metrics: Metrics,
}

/// How far the writer has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Everything up to this one, in the order it came, is written or dropped.
    settled: u64,
    /// How often the database was away when something was to be written.
    failures: u64,
}

/// A notice for live readers: which apps have something new. The records
/// themselves are read from the database.
#[derive(Debug, Default)]
pub struct Written {
    /// The apps, each with how many successes were counted instead of stored.
    pub apps: HashMap<AppId, u64>,
}

impl Recorder {
    /// Starts the writer. It runs until [`Self::stop`], not until the tasks are
    /// told to stop, since what still runs then is to be recorded too.
    pub fn start(db: PgPool, budget_per_second: u32, metrics: Metrics, tasks: &Tasks) -> Self {
        let shared = Arc::new(Shared {
            buffer: Mutex::new(Buffer::new(budget_per_second)),
            wake: Notify::new(),
            progress: watch::Sender::default(),
            written: broadcast::Sender::new(NOTICES),
            ended: CancellationToken::new(),
            give_up: CancellationToken::new(),
            metrics,
        });
        let writer = Writer::new(db, shared.clone());
        tasks.spawn("recorder", OnFailure::Log, writer.run());
        Self(shared)
    }

    /// Takes over a record; never waits.
    pub fn record(&self, attempt: NewAttempt) {
        let (fate, wake) = {
            let mut buffer = self.0.buffer();
            let before = buffer.urgency();
            let fate = buffer.add(attempt, Instant::now());
            (fate, buffer.urgency() != before)
        };
        match fate {
            Fate::Kept => {}
            Fate::Counted => self.0.count("counted", 1),
            Fate::Dropped { first } => {
                self.0.count("dropped", 1);
                if first {
                    tracing::warn!(
                        "the buffer of the execution log is full: records are dropped until it is written"
                    );
                }
            }
        }
        if wake {
            self.0.wake.notify_one();
        }
    }

    /// Waits until what was recorded before is in the database, or until it is
    /// clear that the database cannot take it now.
    pub async fn flush(&self) {
        let mut progress = self.0.progress.subscribe();
        let failures = progress.borrow().failures;
        let Some(mark) = self.0.buffer().hurry() else { return };
        self.0.wake.notify_one();
        let done = progress.wait_for(|p| p.settled >= mark || p.failures > failures);
        let in_time = tokio::select! {
            done = tokio::time::timeout(FLUSH_PATIENCE, done) => done.is_ok(),
            () = self.0.ended.cancelled() => true,
        };
        if !in_time {
            tracing::warn!("the execution log was read before all that was recorded is written");
        }
    }

    /// Notices of what has been written, for live readers.
    pub fn live(&self) -> broadcast::Receiver<Arc<Written>> {
        self.0.written.subscribe()
    }

    /// Writes what is left and ends the writer; after `deadline` what is still
    /// left is dropped. Records that come later are dropped too.
    pub async fn stop(&self, deadline: Duration) {
        self.0.buffer().close();
        self.0.wake.notify_one();
        if tokio::time::timeout(deadline, self.0.ended.cancelled()).await.is_err() {
            self.0.give_up.cancel();
            self.0.ended.cancelled().await;
        }
    }
}

impl Shared {
    /// The buffer. A panic while it was held would have left it whole: nothing
    /// in it spans two changes.
    fn buffer(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, fate: &str, n: u64) {
        self.metrics.execution_records.with_label_values(&[fate]).inc_by(n);
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}
