//! The gate: who runs, who waits, who never runs.

mod batch;
mod lanes;
mod memory;
mod visits;

use std::sync::{Mutex, atomic::AtomicU32};

use super::*;

fn narrow(running: u32, in_flight: u32, queue: u32) -> Engine {
    engine(|settings| {
        (settings.running, settings.in_flight, settings.queue) = (running, in_flight, queue);
    })
}

/// In which order runs end.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<&'static str>>>);

impl Order {
    /// A job that notes when it ends under `name`.
    fn noting(&self, name: &'static str, source: &str, lane: Lane) -> (Job, mpsc::Receiver<Outcome>) {
        let (mut job, outcome) = job(source, |job| {
            job.limits.operations = u64::MAX;
            job.lane = lane;
        });
        let (done, order) = (job.done, self.clone());
        job.done = Box::new(move |outcome| {
            order.0.lock().expect("no panic").push(name);
            done(outcome);
        });
        (job, outcome)
    }

    fn submit(&self, engine: &Engine, name: &'static str, source: &str) -> mpsc::Receiver<Outcome> {
        let (job, outcome) = self.noting(name, source, Lane::Interactive);
        engine.submit(job).expect("room at the gate");
        outcome
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.lock().expect("no panic").clone()
    }
}

/// Hands in so many background jobs of `source` at once.
fn batch(engine: &Engine, number: usize, source: &str) -> Vec<mpsc::Receiver<Outcome>> {
    let jobs = (0..number).map(|_| {
        job(source, |job| {
            job.lane = Lane::Background;
            job.limits.operations = u64::MAX;
            job.limits.wall_clock = PATIENCE * 10;
        })
    });
    let (jobs, outcomes): (Vec<_>, Vec<_>) = jobs.unzip();
    engine.submit_all(jobs).map_err(|jobs| jobs.len()).expect("the gate is open");
    outcomes
}

/// Waits for the outcomes, all of them good.
fn all_end_well(outcomes: &[mpsc::Receiver<Outcome>]) {
    for outcome in outcomes {
        let outcome = outcome.recv_timeout(PATIENCE).expect("an outcome");
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    }
}

/// Whether one run is under way, and waits without a permit.
fn is_asleep(engine: &Engine) -> bool {
    engine.gauges() == Gauges { in_flight: 1, threads: 1, ..Gauges::default() }
}

/// Occupies a permit with a script that ends only when it is stopped by its budget, or the engine.
fn endless(engine: &Engine) -> mpsc::Receiver<Outcome> {
    let before = engine.gauges().in_flight;
    let (job, outcome) = job("loop {}", |job| job.limits.operations = u64::MAX);
    engine.submit(job).expect("room at the gate");
    eventually("the endless script runs", || engine.gauges().in_flight > before);
    outcome
}

#[test]
fn threads_are_made_when_there_is_work_for_them() {
    let engine = narrow(2, 8, 16);
    assert_eq!(engine.gauges(), Gauges::default());
    for _ in 0..20 {
        run_on(&engine, "1", |_| ());
    }
    assert!(engine.gauges().threads <= 2, "{:?}", engine.gauges());
    eventually("all is quiet", || {
        let gauges = engine.gauges();
        (gauges.running, gauges.in_flight, gauges.queued) == (0, 0, 0)
    });
}

#[test]
fn no_more_run_at_once_than_there_are_permits() {
    let engine = narrow(2, 8, 64);
    let most = Arc::new(AtomicU32::new(0));
    let outcomes: Vec<_> = (0..32)
        .map(|_| {
            let (mut job, outcome) = job("let n = 0; for i in 0..2000 { n += i } n", |_| ());
            let (done, watch, most) = (job.done, engine.clone(), Arc::clone(&most));
            job.done = Box::new(move |outcome| {
                most.fetch_max(watch.gauges().running, Ordering::Relaxed);
                done(outcome);
            });
            engine.submit(job).expect("room at the gate");
            outcome
        })
        .collect();
    for outcome in outcomes {
        assert!(outcome.recv_timeout(PATIENCE).is_ok_and(|outcome| outcome.result.is_ok()));
    }
    assert_eq!(most.load(Ordering::Relaxed), 2);
    assert!(engine.gauges().threads <= 2, "{:?}", engine.gauges());
}

#[test]
fn a_full_queue_refuses_at_once() {
    let engine = narrow(1, 1, 2);
    let running = endless(&engine);
    let waiting: Vec<_> =
        (0..2).map(|_| engine.submit(job("1", |_| ()).0).expect("room in the queue")).collect();
    assert_eq!(engine.gauges().queued, 2);
    assert_eq!(engine.submit(job("1", |_| ()).0).err(), Some(Full));
    assert!(waiting[0].cancel());
    assert!(engine.submit(job("1", |_| ()).0).is_ok(), "a cancelled job leaves its place");
    engine.stop(Duration::ZERO);
    assert_eq!(failure_of(running.recv_timeout(PATIENCE).expect("an outcome")).kind, FailureKind::Stopped);
}

#[test]
fn a_cancelled_job_never_runs() {
    let engine = narrow(1, 1, 4);
    let (slow, slow_outcome) = job(&held(0), |job| job.limits.operations = u64::MAX);
    let slow = engine.submit(slow).expect("room at the gate");
    eventually("it has started", || engine.gauges().in_flight == 1);
    let (cancelled, cancelled_outcome) = job("2", |_| ());
    let ticket = engine.submit(cancelled).expect("room at the gate");
    assert!(ticket.cancel());
    assert!(!ticket.cancel(), "only once");
    assert!(!slow.cancel(), "it had started");
    release(0);
    assert_eq!(body_of(slow_outcome.recv_timeout(PATIENCE).expect("an outcome")), "1");
    assert_eq!(body_of(run_on(&engine, "3", |_| ())), "3");
    assert_eq!(cancelled_outcome.recv_timeout(PATIENCE).err(), Some(mpsc::RecvTimeoutError::Disconnected));
}

/// Starts scripts that sleep until they are stopped.
fn sleepers(engine: &Engine, number: u32) -> Vec<mpsc::Receiver<Outcome>> {
    let start = |_| {
        let (job, outcome) = job("sleep(1000)", |job| job.limits.wall_clock = PATIENCE * 10);
        engine.submit(job).expect("room at the gate");
        outcome
    };
    (0..number).map(start).collect()
}

#[test]
fn sleepers_give_their_permit_back() {
    let engine = narrow(1, 4, 8);
    let sleepers = sleepers(&engine, 3);
    eventually("all three sleep at once", || {
        engine.gauges() == Gauges { in_flight: 3, threads: 3, ..Gauges::default() }
    });
    assert_eq!(body_of(run_on(&engine, "7", |_| ())), "7", "the permit is free meanwhile");
    engine.stop(Duration::ZERO);
    for outcome in sleepers {
        assert_eq!(
            failure_of(outcome.recv_timeout(PATIENCE).expect("an outcome")).kind,
            FailureKind::Stopped
        );
    }
}

#[test]
fn in_flight_bounds_sleepers() {
    let engine = narrow(1, 2, 8);
    let _sleepers = sleepers(&engine, 3);
    eventually("two sleep and one waits", || {
        engine.gauges() == Gauges { in_flight: 2, queued: 1, threads: 2, ..Gauges::default() }
    });
    engine.stop(Duration::ZERO);
}

#[test]
fn who_wakes_up_goes_before_new_work() {
    let engine = narrow(1, 2, 8);
    let order = Order::default();
    let woken = order.submit(&engine, "sleeper", "sleep(1); 1");
    eventually("it sleeps", || is_asleep(&engine));
    order.submit(&engine, "busy", &held(1));
    let last = order.submit(&engine, "later", "1");
    eventually("it wants its permit back", || engine.gauges().resuming == 1);
    assert_eq!(engine.gauges().queued, 1);
    release(1);
    for outcome in [woken, last] {
        assert!(outcome.recv_timeout(PATIENCE).is_ok_and(|outcome| outcome.result.is_ok()));
    }
    assert_eq!(order.names(), ["busy", "sleeper", "later"]);
}

#[test]
fn a_sleeper_that_finds_no_permit_ends_at_its_deadline() {
    let engine = narrow(1, 2, 8);
    let (sleeper, outcome) = job("sleep(1); 1", |job| job.limits.wall_clock = Duration::from_secs(2));
    engine.submit(sleeper).expect("room at the gate");
    eventually("it sleeps", || is_asleep(&engine));
    let running = endless(&engine);
    let failure = failure_of(outcome.recv_timeout(PATIENCE).expect("an outcome"));
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(engine.gauges().running, 1, "it took no permit with it");
    engine.stop(Duration::ZERO);
    assert!(running.recv_timeout(PATIENCE).is_ok());
}

#[test]
fn a_thread_that_dies_is_replaced() {
    let engine = narrow(1, 1, 8);
    for _ in 0..3 {
        let (mut job, _) = job("1", |_| ());
        job.done = Box::new(|_| panic!("the thread dies outside of any run"));
        engine.submit(job).expect("room at the gate");
        assert_eq!(body_of(run_on(&engine, "2", |_| ())), "2");
    }
    eventually("the gate is in order", || engine.gauges() == Gauges { threads: 1, ..Gauges::default() });
}

#[test]
fn stopping_lets_finish_what_was_taken() {
    let engine = narrow(1, 2, 8);
    let outcomes: Vec<_> = ["sleep(0.1); 1", "2", "3"]
        .map(|source| {
            let (job, outcome) = job(source, |_| ());
            engine.submit(job).expect("room at the gate");
            outcome
        })
        .into();
    engine.stop(PATIENCE);
    assert_eq!(engine.submit(job("4", |_| ()).0).err(), Some(Full));
    let answers: Vec<_> =
        outcomes.iter().map(|outcome| body_of(outcome.try_recv().expect("an outcome"))).collect();
    assert_eq!(answers, ["1", "2", "3"]);
    eventually("the threads leave", || engine.gauges().threads == 0);
}

#[test]
fn stopping_cuts_off_what_does_not_end() {
    let engine = narrow(1, 4, 8);
    let (sleeper, asleep) = job("sleep(1000); 1", |_| ());
    engine.submit(sleeper).expect("room at the gate");
    eventually("it sleeps", || is_asleep(&engine));
    let running = endless(&engine);
    let (waiting, never) = job("1", |_| ());
    engine.submit(waiting).expect("room at the gate");
    engine.stop(Duration::from_millis(20));
    for outcome in [asleep, running, never] {
        let failure = failure_of(outcome.try_recv().expect("an outcome"));
        assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Stopped, 503));
    }
    eventually("the threads leave", || engine.gauges().threads == 0);
}

#[test]
fn a_version_is_compiled_once_and_kept() {
    let engine = narrow(1, 1, 1);
    let script = ScriptId::new();
    assert!(engine.compiled(script, 1).is_none());
    let version = |source: &str| Code::Version { script, version: 1, source: source.into() };
    assert_eq!(body_of(run_on(&engine, "", |job| job.code = version("1"))), "1");
    // The text is not looked at again: a version's text never changes.
    assert_eq!(body_of(run_on(&engine, "", |job| job.code = version("2"))), "1");
    let compiled = engine.compiled(script, 1).expect("at hand");
    assert_eq!(body_of(run_on(&engine, "", |job| job.code = Code::Compiled(compiled))), "1");
    assert!(engine.compiled(script, 2).is_none());
}
