//! The execution gate: who may run now, who waits, and on which thread.
//!
//! Two limits. *In flight* bounds the runs that have started and not ended,
//! each on a thread of its own; *running* bounds those that use a core. A run
//! that waits gives its running permit back and takes it again to go on, and
//! goes before new work, so that what was begun gets finished. Of both a part is
//! kept for jobs somebody waits for (`lanes`). A third limit is the memory of all
//! runs: while none is left, nothing starts that would only fail for it.
//!
//! One lock and one condition variable for each thread: a job is taken by the
//! first thread that is free, which under load is the one that just finished
//! another, so that most jobs are handed over without waking anybody.

mod lanes;
mod seat;
mod threads;
mod visit;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use lanes::{Lanes, Queued, count};
use seat::Seat;
pub(super) use seat::SeatNumber;
use threads::Call;
pub(super) use threads::stack_bytes;
pub use visit::Visit;

use super::{
    job::{Job, Lane},
    meter::{Pool, Watch},
};

/// How many runs the gate lets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Runs that use a core at one time.
    pub running: u32,
    /// Runs that have started and not ended.
    pub in_flight: u32,
    /// Interactive jobs that wait to start.
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
    /// Interactive jobs that wait to start.
    pub queued: u32,
    /// Background runs that use a core now.
    pub background_running: u32,
    /// Background jobs that wait to start.
    pub background_waiting: u32,
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
type Work = Box<dyn Fn(Job, Turn<'_>) + Send + Sync>;

/// What a job is started with.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// The gate it came through.
    pub gate: &'a Arc<Gate>,
    /// Its thread's seat there.
    pub seat: SeatNumber,
    /// When it was started.
    pub began: Instant,
    /// How long it had waited for that.
    pub waited: Duration,
    /// Whether its thread is not the gate's own: a run that turns out to be long leaves it.
    pub visits: bool,
}

/// The gate.
pub(super) struct Gate {
    sizes: Sizes,
    work: Work,
    state: Mutex<State>,
    watch: Arc<Watch>,
    /// The memory of all runs.
    pool: Arc<Pool>,
    /// Told when a run ends while the gate is closed.
    emptied: Condvar,
    /// Runs under way are to end at once.
    cut_off: AtomicBool,
}

struct State {
    lanes: Lanes,
    next_number: u64,
    seats: Vec<Seat>,
    /// Seats without a thread.
    vacant: Vec<SeatNumber>,
    /// Seats for runs on the threads of others: those that are free, and how many there are.
    free_visits: Vec<SeatNumber>,
    visits: usize,
    /// Threads that wait for work. The last is the warmest and goes first.
    idle: Vec<SeatNumber>,
    /// Threads that were called and have not come yet.
    called: u32,
    /// Runs that want their permit back, longest waiting first.
    resumers: VecDeque<SeatNumber>,
    /// Nothing new is taken, and idle threads leave.
    closed: bool,
}

/// When a job was started; empty while it waits.
pub type Started = Arc<OnceLock<Instant>>;

/// The claim on a job that was handed in.
pub struct Ticket {
    gate: Arc<Gate>,
    lane: Lane,
    number: u64,
    started: Started,
}

impl Ticket {
    /// When the job was started; `None` while it waits, and for good once it is cancelled.
    pub fn started(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// Where it is told when the job was started, for who outlives the claim.
    pub fn start(&self) -> Started {
        Arc::clone(&self.started)
    }

    /// Takes the job back: true if it had not started and never will.
    pub fn cancel(&self) -> bool {
        if self.started().is_some() {
            return false;
        }
        let mut state = self.gate.lock();
        let taken = state.lanes.withdraw(self.lane, self.number);
        drop(state);
        taken.is_some()
    }
}

impl Gate {
    /// An open gate whose threads, when there is something to do, do `work`.
    pub(super) fn new(sizes: Sizes, pool: Arc<Pool>, work: Work) -> Arc<Self> {
        let state = State {
            lanes: Lanes::new(&sizes),
            next_number: 0,
            seats: Vec::new(),
            vacant: Vec::new(),
            free_visits: Vec::new(),
            visits: 0,
            idle: Vec::new(),
            called: 0,
            resumers: VecDeque::new(),
            closed: false,
        };
        Arc::new(Self {
            sizes,
            work,
            state: Mutex::new(state),
            watch: Watch::start(),
            pool,
            emptied: Condvar::new(),
            cut_off: AtomicBool::new(false),
        })
    }

    /// Hands a job in. It starts at once if there is a permit, or waits in the bounded queue of its lane.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<Ticket, Full> {
        let (lane, came) = (job.lane, Instant::now());
        let job = Box::new(job);
        let started = Started::default();
        let mut state = self.lock();
        let room = self.sizes.queue.saturating_add(state.lanes.free(lane, self.has_memory()));
        if state.closed || count(state.lanes.waiting(lane)) >= room {
            return Err(Full);
        }
        let number = state.number();
        state.lanes.push(Queued { number, job, came, started: Some(Arc::clone(&started)) });
        let wake = self.call_thread(&mut state);
        if state.is_deserted() {
            state.lanes.withdraw(lane, number);
            return Err(Full);
        }
        drop(state);
        // After the lock is free, so that the thread does not wake only to wait for it.
        wake.notify();
        Ok(Ticket { gate: Arc::clone(self), lane, number, started })
    }

    /// Hands jobs in without a bound, and gives them back if none can ever start.
    pub(super) fn submit_all(self: &Arc<Self>, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        self.submit_to(jobs, Lanes::push)
    }

    /// The same for background jobs that go before those that wait.
    pub(super) fn submit_ahead(self: &Arc<Self>, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        self.submit_to(jobs, Lanes::push_ahead)
    }

    fn submit_to(self: &Arc<Self>, jobs: Vec<Job>, push: fn(&mut Lanes, Queued)) -> Result<(), Vec<Job>> {
        if jobs.is_empty() {
            return Ok(());
        }
        let jobs: Vec<Box<Job>> = jobs.into_iter().map(Box::new).collect();
        let came = Instant::now();
        let mut state = self.lock();
        if state.closed {
            return Err(jobs.into_iter().map(|job| *job).collect());
        }
        let first = state.next_number + 1;
        for job in jobs {
            let number = state.number();
            push(&mut state.lanes, Queued { number, job, came, started: None });
        }
        let mut wakes = Vec::new();
        loop {
            match self.call_thread(&mut state) {
                Call::Nobody => break,
                call => wakes.push(call),
            }
        }
        if state.is_deserted() {
            return Err(state.lanes.withdraw_from(first));
        }
        drop(state);
        wakes.into_iter().for_each(Call::notify);
        Ok(())
    }

    /// Takes the background jobs back that have not started, but for the `keep` oldest.
    pub(super) fn take_back(&self, keep: usize) -> Vec<Job> {
        self.lock().lanes.take_back(keep)
    }

    /// What is told when few background jobs wait to start, and from how few on.
    pub(super) fn background_low(&self) -> Arc<Notify> {
        self.lock().lanes.told()
    }

    /// See [`Lanes::tell_at`].
    pub(super) fn tell_at(&self, low: usize) {
        self.lock().lanes.tell_at(low);
    }

    /// How many background runs may be in flight at one time.
    pub(super) fn background_slots(&self) -> u32 {
        self.lock().lanes.background_slots()
    }

    /// How busy the gate is now.
    pub(super) fn gauges(&self) -> Gauges {
        let state = self.lock();
        let (running, background_running) = state.lanes.running();
        Gauges {
            running,
            in_flight: state.lanes.in_flight(),
            resuming: count(state.resumers.len()),
            queued: count(state.lanes.waiting(Lane::Interactive)),
            background_running,
            background_waiting: count(state.lanes.waiting(Lane::Background)),
            threads: count(state.threads()),
        }
    }

    /// Whether a run that starts would find memory beyond what each has without asking.
    fn has_memory(&self) -> bool {
        self.pool.has_portion()
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
        while state.lanes.in_flight() > 0 || !state.lanes.none_waits() {
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
        state.lanes.withdraw_from(0)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nothing is left to start, and nothing will come.
    fn is_over(&self) -> bool {
        self.closed && self.lanes.none_waits()
    }

    /// The number of the next job.
    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// How many script threads there are.
    fn threads(&self) -> usize {
        self.seats.len() - self.visits - self.vacant.len()
    }

    /// Whether no thread could be made: nobody would ever take a job.
    fn is_deserted(&self) -> bool {
        self.threads() == 0
    }
}
