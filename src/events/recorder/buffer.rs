//! What waits to be written, within bounds.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use super::budget::Budgets;
use crate::{base::id::AppId, store::execution::NewAttempt};

/// How long a record may wait for others to be written with.
const LINGER: Duration = Duration::from_millis(500);
/// The most records written by one statement.
const BATCH_ROWS: usize = 500;
/// About the most bytes written by one statement.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// The most records that wait or are being written.
const MOST_ROWS: usize = 10_000;
/// About the most bytes of them.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Records that wait, and the counts of those that were not worth a row.
pub(super) struct Buffer {
    rows: VecDeque<Row>,
    /// What waits and what is being written.
    held: Size,
    budgets: Budgets,
    overflow: HashMap<AppId, u64>,
    /// How many records have come so far.
    came: u64,
    /// Everything up to this one is written or dropped.
    settled: u64,
    /// Records dropped since the last batch that could be written.
    dropped: u64,
    /// When the oldest that waits has waited long enough.
    due: Option<Instant>,
    /// Somebody waits for what is here to be written.
    hurried: bool,
    closed: bool,
}

struct Row {
    /// Its number in the order of coming.
    nth: u64,
    attempt: NewAttempt,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    rows: usize,
    bytes: usize,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It waits to be written.
    Kept,
    /// It was over the budget and uneventful: one more in the count.
    Counted,
    /// There was no room.
    Dropped {
        /// Whether it is the first since something was written.
        first: bool,
    },
}

/// How soon the writer has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// There is nothing to write.
    Idle,
    /// There is nothing to write and nothing will come.
    Over,
    /// When the oldest record has waited long enough.
    At(Instant),
    /// At once.
    Now,
}

/// What is written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Oldest first.
    pub(super) attempts: Vec<NewAttempt>,
    /// Successes that were counted instead of stored.
    pub(super) overflow: Vec<(AppId, u64)>,
    /// Once the batch is written, everything up to this number is.
    pub(super) settles: u64,
    size: Size,
}

/// What is known once a batch is done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Released {
    /// Everything up to this number is written or dropped.
    pub(super) settled: u64,
    /// Records dropped for want of room since the batch before.
    pub(super) dropped: u64,
}

impl Buffer {
    /// An empty buffer; each app may log `budget_per_second` attempts a second.
    pub(super) fn new(budget_per_second: u32) -> Self {
        Self {
            rows: VecDeque::new(),
            held: Size::default(),
            budgets: Budgets::new(budget_per_second),
            overflow: HashMap::new(),
            came: 0,
            settled: 0,
            dropped: 0,
            due: None,
            hurried: false,
            closed: false,
        }
    }

    /// Takes in a record.
    pub(super) fn add(&mut self, attempt: NewAttempt, now: Instant) -> Fate {
        self.came += 1;
        let granted = self.budgets.take(attempt.app_id, now);
        if self.closed {
            return self.drop_one();
        }
        if !granted && !attempt.is_noteworthy() {
            *self.overflow.entry(attempt.app_id).or_default() += 1;
            self.due.get_or_insert(now + LINGER);
            return Fate::Counted;
        }
        let bytes = attempt.weight();
        if self.held.rows >= MOST_ROWS || self.held.bytes + bytes > MOST_BYTES {
            return self.drop_one();
        }
        self.held.rows += 1;
        self.held.bytes += bytes;
        self.rows.push_back(Row { nth: self.came, attempt });
        self.due.get_or_insert(now + LINGER);
        Fate::Kept
    }

    fn drop_one(&mut self) -> Fate {
        self.dropped += 1;
        Fate::Dropped { first: self.dropped == 1 && !self.closed }
    }

    /// How soon the writer has to act.
    pub(super) fn urgency(&self) -> Urgency {
        match self.due {
            None if self.closed => Urgency::Over,
            None => Urgency::Idle,
            Some(_) if self.closed || self.hurried || self.rows.len() >= BATCH_ROWS => Urgency::Now,
            Some(at) => Urgency::At(at),
        }
    }

    /// Asks for what is here to be written at once; the number to wait for.
    pub(super) fn hurry(&mut self) -> Option<u64> {
        self.hurried = self.due.is_some();
        (self.settled < self.came).then_some(self.came)
    }

    /// Nothing is taken in from now on.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// The next batch, oldest records first.
    pub(super) fn take(&mut self, now: Instant) -> Batch {
        self.budgets.forget_quiet(now);
        let mut batch = Batch { overflow: self.overflow.drain().collect(), ..Batch::default() };
        while let Some(row) = self.rows.pop_front() {
            batch.size.rows += 1;
            batch.size.bytes += row.attempt.weight();
            batch.attempts.push(row.attempt);
            if batch.size.rows >= BATCH_ROWS || batch.size.bytes >= BATCH_BYTES {
                break;
            }
        }
        // What is left has lingered already.
        self.due = (!self.rows.is_empty()).then_some(now);
        self.hurried = self.hurried && self.due.is_some();
        batch.settles = self.rows.front().map_or(self.came, |row| row.nth - 1);
        batch
    }

    /// Makes room after a batch was written or given up.
    pub(super) fn release(&mut self, batch: &Batch) -> Released {
        self.held.rows -= batch.size.rows;
        self.held.bytes -= batch.size.bytes;
        // With nothing waiting, what came since the batch was taken was dropped.
        self.settled = if self.due.is_none() { self.came } else { batch.settles };
        Released { settled: self.settled, dropped: std::mem::take(&mut self.dropped) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{
            id::{ExecutionId, ScriptId},
            time::Timestamp,
        },
        store::execution::AttemptError,
    };

    fn success(app_id: AppId) -> NewAttempt {
        let execution_id = ExecutionId::new();
        NewAttempt {
            execution_id,
            attempt: 1,
            root_execution_id: execution_id,
            app_id,
            script_id: ScriptId::new(),
            script_version: Some(1),
            source: "http".into(),
            trigger_id: None,
            route_id: None,
            principal: None,
            started_at: Timestamp::now(),
            duration: Duration::ZERO,
            operations: 0,
            status: 200,
            error: None,
            request_summary: None,
            response_summary: None,
            trigger_depth: 0,
            logs: Vec::new(),
            lost_log_lines: 0,
        }
    }

    fn failure(app_id: AppId, message: String) -> NewAttempt {
        let error = AttemptError { kind: "throw".into(), message, line: None, column: None };
        NewAttempt { error: Some(error), ..success(app_id) }
    }

    #[test]
    fn beyond_the_budget_successes_are_counted_and_failures_kept() {
        let (mut buffer, app, now) = (Buffer::new(2), AppId::new(), Instant::now());
        let fates: Vec<Fate> = (0..4).map(|_| buffer.add(success(app), now)).collect();
        assert_eq!(fates, [Fate::Kept, Fate::Kept, Fate::Counted, Fate::Counted]);
        assert_eq!(buffer.add(failure(app, String::new()), now), Fate::Kept);
        let batch = buffer.take(now);
        assert_eq!((batch.attempts.len(), batch.overflow.as_slice(), batch.settles), (3, &[(app, 2)][..], 5));
    }

    #[test]
    fn the_writer_lingers_unless_a_batch_is_full_or_somebody_waits() {
        let (mut buffer, app, now) = (Buffer::new(50), AppId::new(), Instant::now());
        assert_eq!((buffer.urgency(), buffer.hurry()), (Urgency::Idle, None));
        buffer.add(success(app), now);
        buffer.add(success(app), now + LINGER);
        assert_eq!(buffer.urgency(), Urgency::At(now + LINGER));
        assert_eq!((buffer.hurry(), buffer.urgency()), (Some(2), Urgency::Now));
        let batch = buffer.take(now);
        assert_eq!((batch.attempts.len(), buffer.urgency()), (2, Urgency::Idle));
        assert_eq!(buffer.hurry(), Some(2), "it is not written yet");
        assert_eq!(buffer.release(&batch), Released { settled: 2, dropped: 0 });
        assert_eq!(buffer.hurry(), None);
        for _ in 0..BATCH_ROWS {
            buffer.add(failure(app, String::new()), now);
        }
        assert_eq!(buffer.urgency(), Urgency::Now);
    }

    #[test]
    fn the_buffer_is_bounded_in_rows_and_in_bytes() {
        let (mut buffer, app, now) = (Buffer::new(50), AppId::new(), Instant::now());
        for _ in 0..MOST_ROWS {
            assert_eq!(buffer.add(failure(app, String::new()), now), Fate::Kept);
        }
        assert_eq!(buffer.add(failure(app, String::new()), now), Fate::Dropped { first: true });
        assert_eq!(buffer.add(failure(app, String::new()), now), Fate::Dropped { first: false });
        let batch = buffer.take(now);
        assert_eq!(batch.attempts.len(), BATCH_ROWS);
        assert_eq!(
            buffer.add(failure(app, String::new()), now),
            Fate::Dropped { first: false },
            "not written yet"
        );
        assert_eq!(buffer.release(&batch), Released { settled: BATCH_ROWS as u64, dropped: 3 });
        assert_eq!(buffer.add(failure(app, String::new()), now), Fate::Kept);

        let mut buffer = Buffer::new(50);
        let kept = (0..100).filter(|_| buffer.add(failure(app, "x".repeat(1024 * 1024)), now) == Fate::Kept);
        assert_eq!(kept.count(), 15, "16 MiB with what each weighs besides");
        assert!(buffer.take(now).attempts.len() <= 3, "a batch is bounded in bytes too");
    }

    #[test]
    fn a_record_dropped_while_the_rest_is_written_is_waited_for_by_nobody() {
        let (mut buffer, app, now) = (Buffer::new(50), AppId::new(), Instant::now());
        buffer.add(success(app), now);
        let batch = buffer.take(now);
        buffer.close();
        buffer.add(success(app), now);
        assert_eq!(buffer.release(&batch), Released { settled: 2, dropped: 1 });
        assert_eq!((buffer.hurry(), buffer.urgency()), (None, Urgency::Over));
    }
}
