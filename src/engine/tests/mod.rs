//! The engine as its users meet it: jobs go in, outcomes come out.

mod bodies;
mod classes;
mod ctx;
mod failures;
mod gate;
mod library;
mod limits;
mod log;
mod manual;
mod memory;
mod natives;
mod reference;
mod stack;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use super::*;
use crate::base::id::{AppId, ExecutionId, UserId};

/// Longer than anything here takes: a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine with natives that only tests have.
fn engine(change: impl FnOnce(&mut Settings)) -> Engine {
    let mut settings = Settings {
        running: 2,
        in_flight: 8,
        queue: 16,
        compiled_scripts: 16,
        max_call_depth: 128,
        max_memory: 32 << 20,
        memory_of_all: 1 << 30,
        response_limit: 8 << 20,
        log: LogLimits::default(),
    };
    change(&mut settings);
    Engine::start(&settings, &[SdkModule { name: "test", about: "", functions: &[], build: test_module }])
}

fn test_module() -> rhai::Module {
    let mut module = rhai::Module::new();
    module.set_native_fn("panic", || -> Result<i64, Box<rhai::EvalAltResult>> { panic!("a native panics") });
    module.set_native_fn("is_held", |latch: i64| {
        Ok(usize::try_from(latch)
            .ok()
            .and_then(|n| RELEASED.get(n))
            .is_some_and(|n| !n.load(Ordering::Relaxed)))
    });
    module.build_index();
    module
}

/// What holds scripts until a test lets them go; a latch belongs to one test.
static RELEASED: [AtomicBool; 32] = [const { AtomicBool::new(false) }; 32];

/// A script that keeps its permit until [`release`] is called.
fn held(latch: usize) -> String {
    format!("while test::is_held({latch}) {{ }} 1")
}

fn release(latch: usize) {
    RELEASED[latch].store(true, Ordering::Relaxed);
}

/// A request without a body.
fn request() -> Request {
    Request {
        method: "GET".to_owned(),
        path: "/".to_owned(),
        host: "garden.local".to_owned(),
        headers: Vec::new(),
        query: Vec::new(),
        params: Vec::new(),
        rest: None,
        body: Body::default(),
        remote_addr: "192.0.2.7".to_owned(),
    }
}

/// What a run of a draft by nobody is told.
fn invocation(request: Request) -> Invocation {
    let execution_id = ExecutionId::new();
    Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: "req-1".to_owned(),
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: AppId::new(), slug: "garden".parse().expect("a slug") },
        script: ScriptRef { id: ScriptId::new(), name: "hello".parse().expect("a name"), version: None },
        kind: Kind::Http,
        request,
        principal: None,
    }
}

/// A run of `source`, and where its outcome comes out.
fn job(source: &str, change: impl FnOnce(&mut Job)) -> (Job, mpsc::Receiver<Outcome>) {
    let (sender, outcome) = mpsc::channel();
    let mut job = Job {
        invocation: invocation(request()),
        code: Code::Draft(source.into()),
        limits: Bounds::default().default,
        lane: Lane::Interactive,
        done: Box::new(move |outcome| {
            // A test that no longer waits does not care.
            let _ = sender.send(outcome);
        }),
    };
    change(&mut job);
    (job, outcome)
}

/// Runs `source` on `engine` and waits for its outcome.
fn run_on(engine: &Engine, source: &str, change: impl FnOnce(&mut Job)) -> Outcome {
    let (job, outcome) = job(source, change);
    engine.submit(job).expect("room at the gate");
    outcome.recv_timeout(PATIENCE).expect("an outcome")
}

/// Runs `source` on an engine of its own.
fn run(source: &str) -> Outcome {
    run_on(&engine(|_| ()), source, |_| ())
}

/// The body `source` answers with, as text.
fn answer(source: &str) -> String {
    body_of(run(source))
}

fn body_of(outcome: Outcome) -> String {
    let response = outcome.result.unwrap_or_else(|failure| panic!("failed: {failure:?}"));
    String::from_utf8(response.body.into()).expect("text")
}

fn failure_of(outcome: Outcome) -> Failure {
    outcome.result.expect_err("a failure")
}

/// Waits until `holds`, for what no channel tells.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let end = std::time::Instant::now() + PATIENCE;
    while !holds() {
        assert!(std::time::Instant::now() < end, "never came true: {what}");
        std::thread::yield_now();
    }
}
