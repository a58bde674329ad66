//! What a node has in its hands: rows that were claimed and are not settled.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    base::id::{AppId, ExecutionId, OutboxId},
    store::{
        execution::NewAttempt,
        outbox::{Claimed, Failed, NewRow, RetryPolicy, RunError},
    },
};

/// How long an outcome waits for company before it is written.
const LINGER: Duration = Duration::from_millis(20);

/// How many outcomes are written at once at most: more do not wait.
const COMPANY: usize = 256;

/// From how many bytes of payloads and bodies on nothing more is taken in hand.
const MOST_BYTES: usize = 8 << 20;

/// One run of one row.
pub(super) type Key = (ExecutionId, i32);

/// A row in hand.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) id: OutboxId,
    pub(super) attempt: i32,
    pub(super) policy: RetryPolicy,
    /// Runs that failed before.
    pub(super) failures: i32,
    pub(super) errors: Vec<RunError>,
    /// The bytes of its payload and its body.
    bytes: usize,
    /// What is known of the run for the execution log.
    pub(super) begun: NewAttempt,
}

impl Held {
    /// A row that was claimed.
    pub(super) fn claimed(row: Claimed, begun: NewAttempt) -> Self {
        Self {
            id: row.id,
            attempt: row.attempt,
            policy: row.policy,
            failures: row.attempt_count,
            errors: row.errors,
            bytes: row.payload.len() + row.body.as_ref().map_or(0, Vec::len),
            begun,
        }
    }

    /// A row that is put already claimed.
    pub(super) fn fresh(row: &NewRow, begun: NewAttempt) -> Self {
        Self {
            id: row.id,
            attempt: 1,
            policy: row.policy,
            failures: 0,
            errors: Vec::new(),
            bytes: row.payload.len() + row.body.as_ref().map_or(0, bytes::Bytes::len),
            begun,
        }
    }
}

/// Outcomes that are not written yet, all of one epoch.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// Ran to their end.
    pub(super) done: Vec<OutboxId>,
    /// Wait for their next run.
    pub(super) again: Vec<Failed>,
    /// Become dead letters.
    pub(super) buried: Vec<Failed>,
    /// Were cut off.
    pub(super) freed: Vec<OutboxId>,
    /// Were not run.
    pub(super) unrun: Vec<OutboxId>,
    /// When the oldest of them came.
    since: Option<Instant>,
}

impl Settled {
    fn len(&self) -> usize {
        self.done.len() + self.again.len() + self.buried.len() + self.freed.len() + self.unrun.len()
    }

    /// Adds what could not be written to what has come since.
    pub(super) fn append(&mut self, mut other: Self) {
        self.done.append(&mut other.done);
        self.again.append(&mut other.again);
        self.buried.append(&mut other.buried);
        self.freed.append(&mut other.freed);
        self.unrun.append(&mut other.unrun);
        self.touch();
    }

    /// Something came.
    pub(super) fn touch(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }
}

/// What is in hand, and what has become of what was.
#[derive(Debug, Default)]
pub(super) struct Hand {
    /// The epoch under which it is held.
    pub(super) epoch: Option<i64>,
    held: HashMap<Key, Held>,
    /// How many of them are of which app.
    apps: HashMap<AppId, usize>,
    /// Bytes of the payloads and bodies of what is held.
    bytes: usize,
    /// Rows whose epoch is over and whose runs are not.
    void: HashMap<Key, Held>,
    pub(super) settled: Settled,
    /// What may come in beside what is there.
    pub(super) intake: Intake,
    /// Rows may wait that are due: until a claim has found none.
    pub(super) backlog: bool,
    /// When a row is due that waits; none if none waits.
    pub(super) next: Option<Instant>,
    /// A row that must run alone waits for the hand to be empty.
    pub(super) drains: bool,
    /// Dead letters that could not be written.
    pub(super) stuck: Vec<Failed>,
    /// The database may say that we hold rows which we do not.
    astray: bool,
}

/// What a hand takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Intake {
    /// Whatever comes.
    #[default]
    Open,
    /// Nothing beside the one row in it, or about to be in it, that must run alone.
    Alone,
    /// Nothing any more.
    Closed,
}

impl Hand {
    /// Takes a row in hand.
    pub(super) fn hold(&mut self, key: Key, held: Held) {
        self.bytes += held.bytes;
        *self.apps.entry(held.begun.app_id).or_default() += 1;
        self.held.insert(key, held);
    }

    /// Lets go of a row: it has ended, or is given back. None if its epoch is over.
    pub(super) fn let_go(&mut self, key: Key) -> Option<Held> {
        let held = self.held.remove(&key)?;
        self.bytes -= held.bytes;
        if let Entry::Occupied(mut of_app) = self.apps.entry(held.begun.app_id) {
            *of_app.get_mut() -= 1;
            if *of_app.get() == 0 {
                of_app.remove();
            }
        }
        if self.held.is_empty() {
            self.end_alone();
        }
        Some(held)
    }

    /// Lets go of a row that will not run. None if its epoch is over: it was freed with it.
    pub(super) fn let_go_unrun(&mut self, key: Key) -> Option<Held> {
        self.void.remove(&key);
        self.let_go(key)
    }

    /// How many rows are in hand.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// The rows in hand, if the database is to be asked whether it knows of others.
    pub(super) fn doubtful(&self) -> Option<Vec<OutboxId>> {
        self.astray.then(|| self.ids())
    }

    /// It was asked; it may have freed `some`.
    pub(super) fn reconciled(&mut self, some: bool) {
        self.astray = false;
        self.backlog |= some;
    }

    /// Whether a row of `app` may be taken in hand that is about to be put: nothing is
    /// about to be freed that is not known here, and `room` is left beside what is in hand.
    ///
    /// Where rows wait, one of an app that has none in hand goes before them: it is
    /// that app's turn. So many may do so at a time as find room without any backlog.
    pub(super) fn takes_fresh(&self, epoch: i64, app: AppId, room: usize) -> bool {
        let is_open = self.intake == Intake::Open && self.epoch == Some(epoch);
        if !is_open || self.astray || self.drains || self.is_heavy() {
            return false;
        }
        let in_turn = !self.apps.contains_key(&app) && self.apps.len() < room;
        in_turn || (!self.backlog && self.len() < room)
    }

    /// Whether what is held leaves no room for more.
    pub(super) fn is_heavy(&self) -> bool {
        self.bytes > MOST_BYTES
    }

    /// An answer was lost: rows may be held that are not here.
    pub(super) fn lost_an_answer(&mut self) {
        self.astray = true;
    }

    /// Has everything looked at that nobody may have told of.
    pub(super) fn look_everywhere(&mut self) {
        (self.backlog, self.astray) = (true, true);
        let mut stuck = std::mem::take(&mut self.stuck);
        if !stuck.is_empty() {
            self.settled.buried.append(&mut stuck);
            self.settled.touch();
        }
    }

    /// A row will be due after `wait`.
    pub(super) fn retry_in(&mut self, wait: Duration) {
        let due = Instant::now() + wait;
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
    }

    /// Nothing is looked for before `at`.
    pub(super) fn no_sooner_than(&mut self, at: Instant) {
        self.next = self.next.map(|next| next.max(at));
    }

    /// Looks for rows if the time has come when one is due.
    pub(super) fn wait_is_over(&mut self) {
        if self.next.is_some_and(|next| Instant::now() >= next) {
            self.next = None;
            self.backlog = true;
        }
    }

    /// Keeps the empty hand for one row that must run alone; false if it is not empty.
    pub(super) fn begin_alone(&mut self) -> bool {
        let may = self.held.is_empty() && self.intake == Intake::Open;
        if may {
            self.intake = Intake::Alone;
        }
        may
    }

    /// No row must be alone any more.
    pub(super) fn end_alone(&mut self) {
        if self.intake == Intake::Alone {
            self.intake = Intake::Open;
        }
    }

    fn ids(&self) -> Vec<OutboxId> {
        let settled = &self.settled;
        let failed = settled.again.iter().chain(&settled.buried).chain(&self.stuck).map(|failed| failed.id);
        let others = settled.done.iter().chain(&settled.freed).chain(&settled.unrun).copied();
        self.held.values().map(|held| held.id).chain(failed).chain(others).collect()
    }

    /// Begins an epoch: what was held under another is no longer ours to settle.
    pub(super) fn begin(&mut self, epoch: i64) {
        let void = self.held.drain().chain(self.void.drain()).collect();
        *self = Self { epoch: Some(epoch), void, backlog: true, intake: self.intake, ..Self::default() };
        self.end_alone();
    }

    /// Lets go of a row whose run has ended after its epoch.
    pub(super) fn let_go_void(&mut self, key: Key) -> Option<Held> {
        self.void.remove(&key)
    }

    /// When the outcomes should be written; none if there are none.
    pub(super) fn due(&self) -> Option<Instant> {
        let since = self.settled.since?;
        let at_once = self.settled.len() >= COMPANY || self.intake == Intake::Closed;
        Some(if at_once { since } else { since + LINGER })
    }

    /// Takes the outcomes to write them.
    pub(super) fn take_settled(&mut self) -> Settled {
        std::mem::take(&mut self.settled)
    }

    /// Whether outcomes were added that nobody waits for yet, or as many as need not wait.
    pub(super) fn calls_for_writing(&self) -> bool {
        let all = self.settled.len();
        all == 1 || all == COMPANY
    }
}

/// The hand, shared by the dispatcher's loop, the script threads and who puts rows.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<Hand>);

impl Shared {
    /// A panic while it was held would have left it whole: nothing in it spans two changes.
    pub(super) fn lock(&self) -> MutexGuard<'_, Hand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
