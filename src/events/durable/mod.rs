//! The dispatcher of durable rows: claims what is due, has it run, and writes what became of it.
//!
//! One task talks to the database: it claims a batch, acknowledges the last in
//! the same statement, and lets the script threads run what it claimed
//! meanwhile. It sleeps until somebody wakes it: who put rows, a run that
//! ended, a timer set for the next row that is due, another node. A slow tick is
//! the net under these.

mod batch;
mod hand;
mod outcome;
mod plan;
#[cfg(test)]
mod sample;
mod serve;
mod write;

use std::{sync::Arc, time::Duration};

use rand::Rng as _;
use sqlx::PgPool;
use tokio::sync::Notify;

use self::{
    hand::{Held, Key, Shared},
    outcome::Fate,
};
use super::{Node, Recorder, Settings, What, Work, kind::SourceKind, settle};
use crate::{
    base::{Result, time::Timestamp},
    engine::{Code, Engine, Job, Lane, Outcome},
    store::{
        execution::AttemptError,
        outbox::{self, Failed, NewRow, RunError},
    },
    system::{
        metrics::Metrics,
        tasks::{OnFailure, Tasks},
    },
};

/// The dispatcher of durable rows; cheap to clone.
#[derive(Clone)]
pub struct Durable(Arc<Inner>);

/// What it works with.
pub struct Parts {
    /// Where scripts run.
    pub engine: Engine,
    /// Where rows are claimed: a connection of its own, with plans that do not depend on statistics.
    pub queue: PgPool,
    /// Where the source of a script is that is not compiled yet.
    pub db: PgPool,
    /// Where outcomes are recorded.
    pub recorder: Recorder,
    /// Where runs are counted.
    pub metrics: Metrics,
    /// Under whose epoch rows are held.
    pub node: Node,
    /// Whether rows are to wait.
    pub settings: Settings,
    /// The sources this program knows.
    pub kinds: Vec<Arc<dyn SourceKind>>,
    /// Rows claimed at once at most.
    pub largest_claim: u32,
    /// How far waits are moved by chance, in percent.
    pub jitter_pct: u32,
}

struct Inner {
    parts: Parts,
    hand: Shared,
    wake: Notify,
    /// Held while the database is written to: the last flush comes after the loop's round.
    round: tokio::sync::Mutex<()>,
}

/// A row that is put, with the run it stands for, so that it need not be read back.
pub struct Fresh {
    /// The row.
    pub row: NewRow,
    /// The run.
    pub work: Work,
}

impl Durable {
    /// Starts the loop. It ends when the tasks are told to stop; what is in
    /// hand then is settled by [`Self::close`] and [`Self::flush`].
    pub fn start(parts: Parts, tasks: &Tasks) -> Self {
        let this = Self(Arc::new(Inner {
            parts,
            hand: Shared::default(),
            wake: Notify::new(),
            round: tokio::sync::Mutex::default(),
        }));
        let (durable, stop) = (this.clone(), tasks.token());
        tasks.spawn("dispatcher", OnFailure::Shutdown, async move {
            durable.serve(stop).await;
            Ok::<_, std::convert::Infallible>(())
        });
        this
    }

    /// Says that rows may be due that nobody here knows of.
    pub fn wake(&self) {
        self.0.hand.lock().backlog = true;
        self.0.wake.notify_one();
    }

    /// Has the gauges say how many rows wait, and how long.
    pub async fn read_gauges(&self) -> Result<()> {
        let Parts { db, metrics, kinds, .. } = &self.0.parts;
        let outbox::Depth { waiting, retrying, running } = outbox::depth(db, COUNTED).await?;
        for (state, rows) in [("waiting", waiting), ("retrying", retrying), ("running", running)] {
            metrics.outbox.with_label_values(&[state]).set(rows);
        }
        let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let overdue = outbox::next(db, &kinds).await?.overdue;
        metrics.outbox_oldest_due.set(i64::try_from(overdue.as_secs()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Takes a row in hand that is about to be put, if there is room for it and
    /// nothing waits before it: the epoch to put it under.
    pub(super) fn reserve(&self, fresh: &Fresh) -> Option<i64> {
        let Inner { parts, hand, .. } = &*self.0;
        let epoch = parts.node.epoch()?;
        // A script that must be loaded first takes the way of all others.
        if parts.settings.dispatch_paused() || self.compiled(&fresh.work).is_none() {
            return None;
        }
        let mut hand = hand.lock();
        let room = parts.engine.background_slots().max(READY);
        if !hand.takes_fresh(epoch, fresh.row.app_id, room) {
            return None;
        }
        let begun = settle::begun(&fresh.work.invocation, fresh.work.cause);
        hand.hold(key(&fresh.work), Held::fresh(&fresh.row, begun));
        Some(epoch)
    }

    /// Runs rows that were reserved and are now put.
    pub(super) fn run(&self, fresh: Vec<Fresh>) {
        let mut jobs = Vec::with_capacity(fresh.len());
        let mut forgotten = Vec::new();
        let paused = self.0.parts.settings.dispatch_paused();
        for fresh in fresh {
            match self.compiled(&fresh.work).filter(|_| !paused) {
                Some(code) => jobs.push(self.job(fresh.work, code)),
                // Other scripts have pushed it out of the cache since, or rows are to wait.
                None => forgotten.push(key(&fresh.work)),
            }
        }
        self.not_run(forgotten);
        if let Err(refused) = self.0.parts.engine.submit_ahead(jobs) {
            self.give_back(refused);
        }
    }

    fn compiled(&self, work: &Work) -> Option<Code> {
        let What::Version(script, version) = &work.code else { return None };
        self.0.parts.engine.compiled(*script, *version).map(Code::Compiled)
    }

    /// Lets go of rows that were reserved and could not be put, or nobody knows
    /// whether they were: what is held of them in the database is freed.
    pub(super) fn unreserve<'f>(&self, fresh: impl IntoIterator<Item = &'f Fresh>) {
        let mut hand = self.0.hand.lock();
        for fresh in fresh {
            hand.let_go_unrun(key(&fresh.work));
        }
        hand.lost_an_answer();
        drop(hand);
        self.0.wake.notify_one();
    }

    /// Forgets jobs that never started, and whose rows are no longer ours.
    fn forget(&self, jobs: Vec<Job>) {
        let mut hand = self.0.hand.lock();
        for job in jobs {
            hand.let_go_unrun((job.invocation.execution_id, attempt(&job.invocation)));
        }
    }

    /// Gives jobs to the engine; what it does not take any more is given back.
    fn hand_over(&self, jobs: Vec<Job>) {
        if let Err(refused) = self.0.parts.engine.submit_all(jobs) {
            self.give_back(refused);
        }
    }

    /// Has rows wait again whose jobs never started.
    fn give_back(&self, jobs: Vec<Job>) {
        let key = |job: Job| (job.invocation.execution_id, attempt(&job.invocation));
        self.not_run(jobs.into_iter().map(key).collect());
    }

    fn not_run(&self, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let mut hand = self.0.hand.lock();
        for key in keys {
            if let Some(held) = hand.let_go_unrun(key) {
                hand.settled.unrun.push(held.id);
            }
        }
        hand.settled.touch();
        drop(hand);
        self.0.wake.notify_one();
    }

    fn job(&self, work: Work, code: Code) -> Job {
        let (this, key) = (self.clone(), key(&work));
        let done = Box::new(move |outcome| this.ended(key, &outcome));
        Job { invocation: work.invocation, code, limits: work.limits, lane: Lane::Background, done }
    }

    /// What happens on the script thread once a run has ended.
    fn ended(&self, key: Key, outcome: &Outcome) {
        let Inner { parts, hand, wake, .. } = &*self.0;
        let (execution, attempt) = key;
        settle::tell(execution, attempt, outcome);
        settle::waited(&parts.metrics, Lane::Background, outcome);
        let mut hand = hand.lock();
        let Some(held) = hand.let_go(key) else {
            // The epoch is over under which it was claimed: the row is somebody else's.
            let void = hand.let_go_void(key);
            drop(hand);
            if let Some(held) = void {
                self.record(held, outcome);
            }
            return;
        };
        let fate = outcome::of_run(&outcome.result, || {
            outcome::of_failure(held.policy, held.failures + 1, parts.jitter_pct, rand::rng().random())
        });
        let error = || outcome.result.as_ref().err().map(settle::error);
        match fate {
            Fate::Done => hand.settled.done.push(held.id),
            Fate::Freed => hand.settled.freed.push(held.id),
            Fate::Again(wait) => hand.settled.again.push(failed(&held, error(), outcome.started_at, wait)),
            Fate::Buried => {
                hand.settled.buried.push(failed(&held, error(), outcome.started_at, Duration::ZERO));
            }
        }
        hand.settled.touch();
        let wakes = hand.calls_for_writing() || hand.len() == 0;
        drop(hand);
        if wakes {
            wake.notify_one();
        }
        self.count(fate);
        self.record(held, outcome);
    }

    fn record(&self, held: Held, outcome: &Outcome) {
        let Parts { recorder, metrics, .. } = &self.0.parts;
        settle::record(recorder, metrics, settle::ended_durable(held.begun, outcome));
    }

    fn count(&self, fate: Fate) {
        match fate {
            Fate::Again(_) => self.0.parts.metrics.retries.inc(),
            Fate::Buried => self.0.parts.metrics.dead_letters.inc(),
            Fate::Done | Fate::Freed => (),
        }
    }
}

/// How many rows that wait are counted.
const COUNTED: u32 = 100_000;

/// How many rows are taken in hand without a claim, where fewer than that can run at once.
const READY: usize = 32;

fn key(work: &Work) -> Key {
    (work.invocation.execution_id, attempt(&work.invocation))
}

fn attempt(invocation: &crate::engine::Invocation) -> i32 {
    i32::try_from(invocation.attempt).unwrap_or(i32::MAX)
}

/// A failed run of a row, after the failed runs before.
fn failed(held: &Held, error: Option<AttemptError>, started_at: Timestamp, wait: Duration) -> Failed {
    let (kind, message) = error.map(|error| (error.kind.into_owned(), error.message)).unwrap_or_default();
    let error = RunError { attempt: held.attempt, at: Timestamp::now(), kind, message };
    let errors = held.errors.iter().cloned().chain([error]).collect();
    Failed { id: held.id, started_at, errors, wait }
}
