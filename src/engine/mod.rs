//! Running scripts: an invocation goes in, an outcome comes out.
//!
//! Rhai engines are built once per sandbox profile, compiled scripts are kept
//! by version, and runs happen on long-lived threads behind the gate. Nothing
//! here awaits, and nothing of a script's values leaves its thread: what goes
//! in and comes out is plain data.
//!
//! Start reading at [`Engine::submit`], then `gate` (who runs when), `run`
//! (one run), `call` (what a run is counted by and what natives see of it).

pub mod body;
mod call;
mod checked;
mod compile;
mod context;
mod convert;
mod failure;
mod gate;
mod guard;
mod invocation;
mod job;
mod limits;
mod logbook;
mod meter;
mod natives;
mod outcome;
mod pace;
mod profile;
pub mod reference;
mod reply;
mod run;
mod sdk;
mod stdlib;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

pub use body::Body;
pub use compile::{Compiled, Problem};
pub use gate::{Full, Gauges, Started, Ticket, Visit};
pub use invocation::{AppRef, Invocation, Kind, Principal, Request, ScriptRef};
pub use job::{Code, Job, Lane};
pub use limits::{Bounds, Limits};
pub use logbook::LogLimits;
pub use outcome::{BodyKind, Failure, FailureKind, Level, LogLine, Outcome, Response};
pub use sdk::SdkModule;

use crate::{
    base::{id::ScriptId, time::Timestamp},
    system::worker,
};
use gate::{Gate, Sizes};
use run::Runner;

/// The version of what scripts see (semantic versioning), apart from the product's.
pub const SDK_VERSION: &str = "0.1.0";

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Runs that use a core at one time.
    pub running: u32,
    /// Runs that have started and not ended; each has a thread of its own.
    pub in_flight: u32,
    /// Interactive jobs that may wait to start.
    pub queue: u32,
    /// Compiled scripts that are kept.
    pub compiled_scripts: u32,
    /// The deepest call depth a run's limits may ask for.
    pub max_call_depth: u32,
    /// The most bytes of memory a run's limits may ask for.
    pub max_memory: usize,
    /// Bytes of memory all runs together may hold.
    pub memory_of_all: usize,
    /// The most bytes of a response's body.
    pub response_limit: usize,
    /// What one run may log.
    pub log: LogLimits,
}

/// The engine. A clone is another handle on the same one.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    gate: Arc<Gate>,
    runner: Arc<Runner>,
    /// Bytes of stack a run needs.
    stack: usize,
}

/// How large a body a run may have on the thread of another: a larger one is a while's work to read.
const SMALL_BODY: usize = 16 << 10;

/// The stack of a thread on which runs are made that may hold `memory` bytes.
pub fn stack_bytes(memory: usize) -> usize {
    gate::stack_bytes(memory)
}

impl Engine {
    /// Starts an engine whose scripts have the standard library and `modules`.
    /// Its threads are made when there is work for them.
    pub fn start(settings: &Settings, modules: &[SdkModule]) -> Self {
        let pool = Arc::new(meter::Pool::new(settings.memory_of_all));
        let runner = Arc::new(Runner {
            profiles: profile::Profiles::new(settings.max_call_depth, modules),
            cache: compile::Cache::new(settings.compiled_scripts),
            pool: Arc::clone(&pool),
            leaks: run::Leaks::default(),
            log: settings.log,
            response_limit: settings.response_limit,
        });
        let sizes = Sizes {
            running: settings.running,
            in_flight: settings.in_flight,
            queue: settings.queue,
            stack: gate::stack_bytes(settings.max_memory),
        };
        let runs = Arc::clone(&runner);
        let gate = Gate::new(sizes, pool, Box::new(move |job, turn| runs.run(job, turn)));
        Self { inner: Arc::new(Inner { gate, runner, stack: sizes.stack }) }
    }

    /// Hands a job in. It starts at once if there is a permit, or waits in the
    /// queue of its lane, which is bounded for this; never waits itself.
    pub fn submit(&self, job: Job) -> Result<Ticket, Full> {
        self.inner.gate.submit(job)
    }

    /// Lets an interactive job through that need not wait and promises to be
    /// short, to be run on a thread of the async runtime; else gives it back.
    ///
    /// Only on a thread of [`worker::runtime`] with room for it is a job let through.
    pub fn enter(&self, job: Box<Job>) -> Result<Visit, Box<Job>> {
        let promises = match &job.code {
            Code::Compiled(compiled) => compiled.habit.is_short(),
            Code::Version { .. } | Code::Draft(_) => false,
        };
        let small = job.invocation.request.body.raw.len() <= SMALL_BODY;
        if promises && small && job.lane == Lane::Interactive && worker::takes(self.inner.stack) {
            self.inner.gate.enter(job)
        } else {
            Err(job)
        }
    }

    /// Hands many jobs in at once; never waits, and takes as many as come.
    ///
    /// They come back if none of them can ever start: the engine stops, or has no thread.
    pub fn submit_all(&self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        self.inner.gate.submit_all(jobs)
    }

    /// The same, before the background jobs that wait already.
    pub fn submit_ahead(&self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        self.inner.gate.submit_ahead(jobs)
    }

    /// Takes the background jobs back that have not started, but for the `keep` oldest.
    pub fn take_back(&self, keep: usize) -> Vec<Job> {
        self.inner.gate.take_back(keep)
    }

    /// Told when so few background jobs wait to start as [`Self::tell_at`] said.
    pub fn background_low(&self) -> Arc<Notify> {
        self.inner.gate.background_low()
    }

    /// Has that told when no more than `low` background jobs wait; at once, if so it is.
    pub fn tell_at(&self, low: usize) {
        self.inner.gate.tell_at(low);
    }

    /// How many background runs may be in flight at one time.
    pub fn background_slots(&self) -> usize {
        self.inner.gate.background_slots() as usize
    }

    /// The compiled version, if it is at hand: then its source need not be loaded.
    pub fn compiled(&self, script: ScriptId, version: i32) -> Option<Compiled> {
        self.inner.runner.cache.get(script, version)
    }

    /// Says what keeps `source` from being saved, in the order of the text.
    ///
    /// Takes a moment for a long text: not for an async thread.
    pub fn check(&self, source: &str) -> Result<(), Vec<Problem>> {
        compile::compile(self.inner.runner.profiles.compiler(), source).map(|_| ())
    }

    /// Whether it takes runs: from its start until it is stopped.
    pub fn is_running(&self) -> bool {
        self.inner.gate.is_open()
    }

    /// How busy the gate is.
    pub fn gauges(&self) -> Gauges {
        self.inner.gate.gauges()
    }

    /// Bytes of memory that runs have taken from what all of them may hold, or
    /// have left behind for good.
    pub fn memory_taken(&self) -> u64 {
        self.inner.runner.pool.taken()
    }

    /// Takes nothing new, waits up to `grace` for what was taken, then cuts
    /// off what still runs and answers what never started. Blocks.
    pub fn stop(&self, grace: Duration) {
        let gate = &self.inner.gate;
        gate.close();
        if gate.wait_until_empty(grace) {
            return;
        }
        for job in gate.cut_off() {
            (job.done)(never_started());
        }
        // A native that cannot be interrupted is not waited for any longer than this.
        if !gate.wait_until_empty(Duration::from_secs(1)) {
            tracing::warn!(in_flight = gate.gauges().in_flight, "scripts are still running at the stop");
        }
    }
}

impl Drop for Inner {
    /// Lets the threads go, without waiting for them.
    fn drop(&mut self) {
        drop(self.gate.cut_off());
        self.gate.watch().close();
    }
}

fn never_started() -> Outcome {
    Outcome {
        result: Err(failure::failure(FailureKind::Stopped, "PiCloud is stopping")),
        waited: Duration::ZERO,
        started_at: Timestamp::now(),
        duration: Duration::ZERO,
        operations: 0,
        logs: Vec::new(),
        lost_log_lines: 0,
    }
}
