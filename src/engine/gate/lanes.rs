//! The two lanes: which job starts next, and what of the gate is kept for whom.
//!
//! A part of the permits and of the places in flight is never the background's,
//! so that interactive jobs find one whatever waits behind. A free permit goes to
//! interactive jobs first, but for one start in [`TURN`] while both wait.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use tokio::sync::Notify;

use super::{Job, Lane, Sizes, Started};

/// One start in so many is the background's while both lanes wait.
const TURN: u32 = 8;

/// So many background jobs may go before the others of their lane in a row.
const AHEAD: u32 = 3;

/// A job that waits to start.
pub(super) struct Queued {
    /// Later jobs have higher ones.
    pub number: u64,
    pub job: Box<Job>,
    /// When it came.
    pub came: Instant,
    /// Told when it starts, where somebody has a ticket for it.
    pub started: Option<Started>,
}

/// What waits and what has begun.
pub(super) struct Lanes {
    running: Share,
    in_flight: Share,
    interactive: VecDeque<Queued>,
    /// Background jobs that go before the others of their lane.
    ahead: VecDeque<Queued>,
    background: VecDeque<Queued>,
    /// Interactive jobs that went before a waiting background job since the last of those started.
    passed: u32,
    /// Jobs from ahead that started since the last of the other background jobs.
    ahead_in_a_row: u32,
    /// When so few background jobs wait, whoever hands them in is told.
    low: usize,
    told: Arc<Notify>,
}

/// So many of something, and how they are shared between the lanes.
struct Share {
    most: u32,
    /// How many of them the background may have at most: at least one.
    most_background: u32,
    interactive: u32,
    background: u32,
}

impl Share {
    fn new(most: u32) -> Self {
        let most = most.max(1);
        let kept = (most / 4).max(1);
        Self { most, most_background: (most - kept).max(1), interactive: 0, background: 0 }
    }

    fn taken(&self) -> u32 {
        self.interactive + self.background
    }

    fn of(&mut self, lane: Lane) -> &mut u32 {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Background => &mut self.background,
        }
    }

    /// How many more `lane` may have now.
    fn room(&self, lane: Lane) -> u32 {
        let free = self.most.saturating_sub(self.taken());
        match lane {
            Lane::Background => free.min(self.most_background.saturating_sub(self.background)),
            // Where there is only one, nothing can be kept: then there is another
            // for interactive jobs while the background has the only one.
            Lane::Interactive if self.most == 1 && self.background > 0 => 2 - self.taken().min(2),
            Lane::Interactive => free,
        }
    }
}

impl Lanes {
    pub(super) fn new(sizes: &Sizes) -> Self {
        Self {
            running: Share::new(sizes.running),
            in_flight: Share::new(sizes.in_flight),
            interactive: VecDeque::new(),
            ahead: VecDeque::new(),
            background: VecDeque::new(),
            passed: 0,
            ahead_in_a_row: 0,
            low: 0,
            told: Arc::default(),
        }
    }

    /// What is told when few background jobs wait.
    pub(super) fn told(&self) -> Arc<Notify> {
        Arc::clone(&self.told)
    }

    /// Tells when no more than `low` background jobs wait; at once, if so it is.
    pub(super) fn tell_at(&mut self, low: usize) {
        self.low = low;
        if self.waiting(Lane::Background) <= low {
            self.told.notify_one();
        }
    }

    /// Queues a job as the last of its lane.
    pub(super) fn push(&mut self, queued: Queued) {
        self.queue_of(queued.job.lane).push_back(queued);
    }

    /// Queues a background job before those that came the usual way.
    pub(super) fn push_ahead(&mut self, queued: Queued) {
        self.ahead.push_back(queued);
    }

    /// Takes the job that starts next, if one may start, and counts it as begun.
    pub(super) fn start(&mut self, has_memory: bool) -> Option<Queued> {
        let may = |lane| self.startable_of(lane, has_memory) > 0;
        let lane = match (may(Lane::Interactive), may(Lane::Background)) {
            (false, false) => return None,
            (true, true) if self.passed + 1 < TURN => Lane::Interactive,
            (true, false) => Lane::Interactive,
            (_, true) => Lane::Background,
        };
        let queued = match lane {
            Lane::Interactive => self.interactive.pop_front(),
            Lane::Background => self.next_of_background(),
        }?;
        if lane == Lane::Background && self.waiting(lane) == self.low {
            self.told.notify_one();
        }
        self.begin(lane);
        Some(queued)
    }

    /// The background job whose turn it is: those ahead first, but not for ever.
    fn next_of_background(&mut self) -> Option<Queued> {
        let ahead = self.background.is_empty() || self.ahead_in_a_row < AHEAD;
        if ahead && !self.ahead.is_empty() {
            self.ahead_in_a_row += 1;
            return self.ahead.pop_front();
        }
        self.ahead_in_a_row = 0;
        self.background.pop_front()
    }

    /// Lets an interactive job begin that never waited, if none waits before it
    /// and it is not the background's turn.
    pub(super) fn enter(&mut self, has_memory: bool) -> bool {
        let others = self.startable_of(Lane::Background, has_memory) > 0;
        if !self.interactive.is_empty()
            || self.free(Lane::Interactive, has_memory) == 0
            || (others && self.passed + 1 >= TURN)
        {
            return false;
        }
        self.begin(Lane::Interactive);
        true
    }

    /// Counts a job of `lane` as begun.
    fn begin(&mut self, lane: Lane) {
        self.passed = match lane {
            Lane::Interactive if self.waiting(Lane::Background) > 0 => (self.passed + 1).min(TURN),
            Lane::Interactive => self.passed,
            Lane::Background => 0,
        };
        *self.running.of(lane) += 1;
        *self.in_flight.of(lane) += 1;
    }

    /// How many jobs may start now, at least: one that starts may make room for another.
    pub(super) fn startable(&self, has_memory: bool) -> u32 {
        let interactive = self.startable_of(Lane::Interactive, has_memory);
        let background = self.startable_of(Lane::Background, has_memory);
        let free = self.free(Lane::Interactive, has_memory);
        (interactive + background).min(free)
    }

    fn startable_of(&self, lane: Lane, has_memory: bool) -> u32 {
        self.free(lane, has_memory).min(count(self.waiting(lane)))
    }

    /// How many jobs of `lane` could start now.
    ///
    /// Without memory nothing joins what has begun. Where nothing has, memory was left
    /// behind for good: one may try with what every run has without asking.
    pub(super) fn free(&self, lane: Lane, has_memory: bool) -> u32 {
        let most = match (has_memory, self.in_flight.taken()) {
            (true, _) => u32::MAX,
            (false, 0) => 1,
            (false, _) => 0,
        };
        self.running.room(lane).min(self.in_flight.room(lane)).min(most)
    }

    /// Gives a run of `lane` its running permit back, if there is one for it.
    pub(super) fn resume(&mut self, lane: Lane) -> bool {
        let may = self.running.room(lane) > 0;
        *self.running.of(lane) += u32::from(may);
        may
    }

    /// A run of `lane` uses its core no more.
    pub(super) fn pause(&mut self, lane: Lane) {
        *self.running.of(lane) -= 1;
    }

    /// A run of `lane` has ended; its permit it gave back before.
    pub(super) fn end(&mut self, lane: Lane) {
        *self.in_flight.of(lane) -= 1;
    }

    /// Takes one job back.
    pub(super) fn withdraw(&mut self, lane: Lane, number: u64) -> Option<Queued> {
        let queue = self.queue_of(lane);
        let place = queue.binary_search_by_key(&number, |queued| queued.number).ok()?;
        queue.remove(place)
    }

    /// Takes all jobs back that came with this number or later.
    pub(super) fn withdraw_from(&mut self, number: u64) -> Vec<Job> {
        let mut back = Vec::new();
        for queue in [&mut self.interactive, &mut self.ahead, &mut self.background] {
            let place = queue.partition_point(|queued| queued.number < number);
            back.extend(jobs(queue.split_off(place)));
        }
        back
    }

    /// Takes the background jobs back but for the `keep` oldest.
    pub(super) fn take_back(&mut self, keep: usize) -> Vec<Job> {
        let place = keep.saturating_sub(self.ahead.len()).min(self.background.len());
        let back = self.background.split_off(place);
        jobs(back).chain(jobs(self.ahead.split_off(keep.min(self.ahead.len())))).collect()
    }

    /// How many jobs of `lane` wait to start.
    pub(super) fn waiting(&self, lane: Lane) -> usize {
        match lane {
            Lane::Interactive => self.interactive.len(),
            Lane::Background => self.ahead.len() + self.background.len(),
        }
    }

    /// Whether no job waits.
    pub(super) fn none_waits(&self) -> bool {
        self.interactive.is_empty() && self.waiting(Lane::Background) == 0
    }

    /// Runs that use a core: all, and those of the background.
    pub(super) fn running(&self) -> (u32, u32) {
        (self.running.taken(), self.running.background)
    }

    /// Runs that have begun and not ended.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.taken()
    }

    /// How many runs of the background may be in flight at one time.
    pub(super) fn background_slots(&self) -> u32 {
        self.in_flight.most_background
    }

    /// How many runs may be in flight at one time, whatever their lanes.
    pub(super) fn most_in_flight(&self) -> u32 {
        self.in_flight.most.max(2)
    }

    fn queue_of(&mut self, lane: Lane) -> &mut VecDeque<Queued> {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Background => &mut self.background,
        }
    }
}

/// The jobs of what was queued.
fn jobs(queued: VecDeque<Queued>) -> impl Iterator<Item = Job> {
    queued.into_iter().map(|queued| *queued.job)
}

pub(super) fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
