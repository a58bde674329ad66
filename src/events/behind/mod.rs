//! Synchronous runs, recorded behind.
//!
//! A row before the run would buy a synchronous run nothing, since it dies with
//! its caller's connection. So it is noted in memory when it is handed in, and
//! one task writes down those that go on for long: a fast request writes
//! nothing, and what was under way when a process ended is found. The same task
//! writes the outcomes nobody waited for.

mod writer;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::writer::Writer;
use super::Node;
use crate::{
    engine::Started,
    store::{abandoned::NewAbandoned, outbox::SyncRow},
    system::{
        metrics::Metrics,
        tasks::{OnFailure, Tasks},
    },
};

/// How many runs may wait for the writer, and how many outcomes. Runs are
/// bounded by the gate, so the first is a net.
const MOST_RUNS: usize = 10_000;
const MOST_ABANDONED: usize = 1000;

/// How many notes there may be before those of ended runs are thrown out.
const TIDY_FROM: usize = 1024;

/// Records synchronous runs behind; clones share the writer.
#[derive(Clone)]
pub struct Behind(Arc<Shared>);

/// What the handles and the writer share.
struct Shared {
    notes: Mutex<Notes>,
    /// Wakes the writer.
    wake: Notify,
    metrics: Metrics,
    /// Cancelled when the writer has ended.
    ended: CancellationToken,
    /// Cancelled when what is left must be given up.
    give_up: CancellationToken,
}

/// What the writer has not taken yet.
struct Notes {
    runs: Vec<Arc<Entry>>,
    /// From how many runs on those that have ended are thrown out.
    tidy_at: usize,
    abandoned: Vec<NewAbandoned>,
    /// The writer sleeps until it is woken.
    asleep: bool,
    closed: bool,
}

/// A run.
struct Entry {
    row: SyncRow,
    /// When it started, once it has been handed in.
    started: OnceLock<Started>,
    stage: AtomicU8,
}

/// It has not ended, and nobody has tried to write its row.
const NOTED: u8 = 0;
/// It has not ended, and its row may be in the database.
const WRITTEN: u8 = 1;
/// It has ended.
const ENDED: u8 = 2;

/// A run as whoever hands it in sees it.
pub struct Begun(Arc<Entry>);

/// A run as what is called at its end sees it: dropping it says that it has
/// ended, or that it never will begin.
pub struct Ending {
    entry: Arc<Entry>,
    shared: Arc<Shared>,
}

impl Behind {
    /// Starts the writer. It runs until [`Self::stop`], not until the tasks are told to stop.
    pub fn start(db: PgPool, node: Node, metrics: Metrics, tasks: &Tasks) -> Self {
        let notes = Notes {
            runs: Vec::new(),
            tidy_at: TIDY_FROM,
            abandoned: Vec::new(),
            asleep: false,
            closed: false,
        };
        let shared = Arc::new(Shared {
            notes: Mutex::new(notes),
            wake: Notify::new(),
            metrics,
            ended: CancellationToken::new(),
            give_up: CancellationToken::new(),
        });
        tasks.spawn("behind", OnFailure::Log, Writer::new(db, node, shared.clone()).run());
        Self(shared)
    }

    /// Notes a run that is about to be handed in; never waits.
    pub fn began(&self, row: SyncRow) -> (Begun, Ending) {
        let entry = Arc::new(Entry { row, started: OnceLock::new(), stage: AtomicU8::new(NOTED) });
        let ending = Ending { entry: entry.clone(), shared: self.0.clone() };
        let (noted, wake) = self.0.notes().add(entry.clone());
        if wake {
            self.0.wake.notify_one();
        }
        if !noted {
            self.0.dropped("run", 1);
        }
        (Begun(entry), ending)
    }

    /// Takes over an outcome nobody waited for; never waits.
    pub fn abandoned(&self, entry: NewAbandoned) {
        let kept = {
            let mut notes = self.0.notes();
            let room = notes.abandoned.len() < MOST_ABANDONED && !notes.closed;
            if room {
                notes.abandoned.push(entry);
            }
            room
        };
        if !kept {
            self.0.dropped("abandoned", 1);
        }
        self.0.wake.notify_one();
    }

    /// Writes what is left and ends the writer; after `deadline` what is still left is dropped.
    pub async fn stop(&self, deadline: Duration) {
        self.0.notes().closed = true;
        self.0.wake.notify_one();
        if tokio::time::timeout(deadline, self.0.ended.cancelled()).await.is_err() {
            self.0.give_up.cancel();
            self.0.ended.cancelled().await;
        }
    }
}

impl Begun {
    /// Says that it was handed in, and how to tell when it starts: one that waits is not under way.
    pub fn handed_in(&self, started: Started) {
        // It is handed in once.
        let _ = self.0.started.set(started);
    }
}

impl Ending {
    /// The run.
    pub fn row(&self) -> &SyncRow {
        &self.entry.row
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if self.entry.stage.swap(ENDED, Ordering::AcqRel) == WRITTEN {
            self.shared.wake.notify_one();
        }
    }
}

impl Entry {
    fn has_ended(&self) -> bool {
        self.stage.load(Ordering::Acquire) == ENDED
    }

    /// Whether it started that long before `now`.
    fn runs_for(&self, span: Duration, now: Instant) -> bool {
        let started = self.started.get().and_then(|started| started.get());
        started.is_some_and(|started| now.saturating_duration_since(*started) >= span)
    }

    /// Marks it as written from now on; false if it has ended.
    fn mark(&self) -> bool {
        let marked = self.stage.compare_exchange(NOTED, WRITTEN, Ordering::AcqRel, Ordering::Acquire);
        marked.is_ok() || marked == Err(WRITTEN)
    }
}

impl Notes {
    /// Adds a run; says whether it was, and whether the writer is to be woken.
    fn add(&mut self, entry: Arc<Entry>) -> (bool, bool) {
        // The writer is held up by the database: what has ended meanwhile needs no row.
        if self.runs.len() >= self.tidy_at {
            self.runs.retain(|entry| !entry.has_ended());
            self.tidy_at = TIDY_FROM.max(self.runs.len() * 2);
        }
        let room = self.runs.len() < MOST_RUNS;
        if room {
            self.runs.push(entry);
        }
        (room, std::mem::take(&mut self.asleep))
    }
}

impl Shared {
    /// The notes. A panic while they were held would have left them whole.
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dropped(&self, what: &str, n: usize) {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        self.metrics.behind_dropped.with_label_values(&[what]).inc_by(n);
    }
}
