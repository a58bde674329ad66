//! The execution gate: who may run now, who waits, and on which thread.
//!
//! Two limits. *In flight* bounds the runs that have started and not ended,
//! each on a thread of its own; *running* bounds those that use a core. A run
//! that waits gives its running permit back and takes it again to go on, and
//! goes before new work, so that what was begun gets finished.
//!
//! One lock and one condition variable for each thread: a job is taken by the
//! first thread that is free, which under load is the one that just finished
//! another, so that most jobs are handed over without waking anybody.

mod seat;
mod threads;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use seat::Seat;
pub(super) use seat::SeatNumber;
pub(super) use threads::stack_bytes;

use super::{job::Job, meter::Watch};

/// How many runs the gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Runs that use a core at one time.
    pub running: u32,
    /// Runs that have started and not ended.
    pub in_flight: u32,
    /// Jobs that wait to start.
    pub queue: u32,
    /// Bytes of a script thread's stack.
    pub stack: usize,
}

/// How busy the gate is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Runs that use a core now.
    pub running: u32,
    /// Runs that have started and not ended.
    pub in_flight: u32,
    /// Runs that waited for something else and want their permit back.
    pub resuming: u32,
    /// Jobs that wait to start.
    pub queued: u32,
    /// Script threads there are.
    pub threads: u32,
}

/// The queue is full, or the engine is stopping: there is no room now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the execution gate is full")]
pub struct Full;

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// It is over, and the run goes on with its permit.
    Over,
    /// The run's deadline came first.
    Deadline,
    /// The engine stops.
    CutOff,
}

/// What a script thread does with a job.
type Work = Box<dyn Fn(Job, &Arc<Gate>, SeatNumber) + Send + Sync>;

/// The gate.
pub(super) struct Gate {
    sizes: Sizes,
    work: Work,
    state: Mutex<State>,
    watch: Arc<Watch>,
    /// Told when a run ends while the gate is closed.
    emptied: Condvar,
    /// Runs under way are to end at once.
    cut_off: AtomicBool,
}

struct State {
    queue: VecDeque<Queued>,
    next_number: u64,
    running: u32,
    in_flight: u32,
    seats: Vec<Seat>,
    /// Seats without a thread.
    vacant: Vec<SeatNumber>,
    /// Threads that wait for work. The last is the warmest and goes first.
    idle: Vec<SeatNumber>,
    /// Threads that were called and have not come yet.
    called: u32,
    /// Runs that want their permit back, longest waiting first.
    resumers: VecDeque<SeatNumber>,
    /// Nothing new is taken, and idle threads leave.
    closed: bool,
}

struct Queued {
    number: u64,
    job: Box<Job>,
    started: Started,
}

/// When a job was started; empty while it waits.
type Started = Arc<OnceLock<Instant>>;

/// The claim on a job that was handed in.
pub struct Ticket {
    gate: Arc<Gate>,
    number: u64,
    started: Started,
}

impl Ticket {
    /// When the job was started; `None` while it waits, and for good once it is cancelled.
    pub fn started(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// Takes the job back: true if it had not started and never will.
    pub fn cancel(&self) -> bool {
        if self.started().is_some() {
            return false;
        }
        let mut state = self.gate.lock();
        let found = state.queue.binary_search_by_key(&self.number, |queued| queued.number);
        let taken = found.ok().and_then(|place| state.queue.remove(place));
        drop(state);
        taken.is_some()
    }
}

impl Gate {
    /// An open gate whose threads, when there is something to do, do `work`.
    pub(super) fn new(sizes: Sizes, work: Work) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            next_number: 0,
            running: 0,
            in_flight: 0,
            seats: Vec::new(),
            vacant: Vec::new(),
            idle: Vec::new(),
            called: 0,
            resumers: VecDeque::new(),
            closed: false,
        };
        Arc::new(Self {
            sizes: Sizes { running: sizes.running.max(1), in_flight: sizes.in_flight.max(1), ..sizes },
            work,
            state: Mutex::new(state),
            watch: Watch::start(),
            emptied: Condvar::new(),
            cut_off: AtomicBool::new(false),
        })
    }

    /// Hands a job in. It starts at once if there is a permit, or waits in the bounded queue.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<Ticket, Full> {
        let job = Box::new(job);
        let mut state = self.lock();
        let room = self.sizes.queue + state.free(self.sizes);
        if state.closed || state.queue.len() >= room as usize {
            return Err(Full);
        }
        let number = state.next_number;
        state.next_number += 1;
        let started = Started::default();
        state.queue.push_back(Queued { number, job, started: Arc::clone(&started) });
        let wake = self.call_thread(&mut state);
        if state.seats.len() == state.vacant.len() {
            // No thread at all could be made: nobody would ever take the job.
            state.queue.pop_back();
            return Err(Full);
        }
        drop(state);
        // After the lock is free, so that the thread does not wake only to wait for it.
        if let Some(wake) = wake {
            wake.notify_one();
        }
        Ok(Ticket { gate: Arc::clone(self), number, started })
    }

    /// How busy the gate is now.
    pub(super) fn gauges(&self) -> Gauges {
        let state = self.lock();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Gauges {
            running: state.running,
            in_flight: state.in_flight,
            resuming: count(state.resumers.len()),
            queued: count(state.queue.len()),
            threads: count(state.seats.len() - state.vacant.len()),
        }
    }

    /// Whether runs under way are to end at once.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::SeqCst)
    }

    /// What ends runs in time.
    pub(super) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether it takes jobs.
    pub(super) fn is_open(&self) -> bool {
        !self.lock().closed
    }

    /// Takes nothing new from now on; what is queued still runs.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        for &seat in &state.idle {
            state.seats[seat.0].wake.notify_one();
        }
    }

    /// Waits until all has ended, at most `patience` long, and says whether it has.
    pub(super) fn wait_until_empty(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        while state.in_flight > 0 || !state.queue.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.emptied.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Ends the runs under way at their next operation or wait, and gives back the jobs that never started.
    pub(super) fn cut_off(&self) -> Vec<Job> {
        self.close();
        self.cut_off.store(true, Ordering::SeqCst);
        self.watch.ring_all();
        let mut state = self.lock();
        for seat in &state.seats {
            seat.wake.notify_one();
        }
        state.queue.drain(..).map(|queued| *queued.job).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nothing is left to start, and nothing will come.
    fn is_over(&self) -> bool {
        self.closed && self.queue.is_empty()
    }

    /// How many jobs could start now.
    fn free(&self, sizes: Sizes) -> u32 {
        let running = sizes.running.saturating_sub(self.running);
        running.min(sizes.in_flight.saturating_sub(self.in_flight))
    }
}
