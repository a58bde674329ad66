//! PiCloud's engine as the product starts it, driven without HTTP.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use picloud::{
    base::id::{AppId, ExecutionId, ScriptId},
    engine::{
        AppRef, Body, Bounds, Code, Engine, Invocation, Job, Kind, LogLimits, Outcome, Request, ScriptRef,
        Settings,
    },
};

/// The engine.
#[derive(Clone)]
pub(crate) struct Ours {
    engine: Engine,
}

impl Ours {
    pub(crate) fn start() -> Self {
        let settings = Settings {
            running: 1,
            in_flight: 2,
            queue: 4,
            compiled_scripts: 64,
            max_call_depth: 128,
            max_memory: 256 << 20,
            memory_of_all: 1 << 30,
            response_limit: 8 << 20,
            log: LogLimits::default(),
        };
        Self { engine: Engine::start(&settings, &[]) }
    }

    /// Runs `source`, compiled once; each call is one run, of which the time on the script's thread counts.
    pub(crate) fn runs(&self, source: &'static str, body: Body) -> Box<dyn FnMut() -> Duration> {
        let mut run = self.prepared(source, body);
        Box::new(move || run().duration)
    }

    /// The same, from handing the job in until its outcome is here.
    pub(crate) fn calls(&self, source: &'static str) -> Box<dyn FnMut() -> Duration> {
        let mut run = self.prepared(source, Body::default());
        Box::new(move || {
            let began = Instant::now();
            for _ in 0..CALLS {
                run();
            }
            began.elapsed()
        })
    }

    fn prepared(&self, source: &'static str, body: Body) -> impl FnMut() -> Outcome + use<> {
        let engine = self.engine.clone();
        let (script, source) = (ScriptId::new(), Arc::<str>::from(source));
        move || {
            let (sender, receiver) = mpsc::channel();
            let job = Job {
                invocation: invocation(script, body.clone()),
                code: Code::Version { script, version: 1, source: Arc::clone(&source) },
                limits: Bounds::default().default,
                done: Box::new(move |outcome| sender.send(outcome).expect("the bench waits")),
            };
            engine.submit(job).expect("room at the gate");
            let outcome = receiver.recv().expect("an outcome");
            assert!(outcome.result.is_ok(), "{:?}", outcome.result);
            outcome
        }
    }
}

/// How many runs one figure of [`Ours::calls`] is of.
pub(crate) const CALLS: usize = 1000;

fn invocation(script: ScriptId, body: Body) -> Invocation {
    let execution_id = ExecutionId::new();
    Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: "bench".to_owned(),
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: AppId::new(), slug: "bench".parse().expect("a slug") },
        script: ScriptRef { id: script, name: "bench".parse().expect("a name"), version: Some(1) },
        kind: Kind::Http,
        request: Request { method: "POST".to_owned(), path: "/".to_owned(), body, ..Request::default() },
        principal: None,
    }
}
