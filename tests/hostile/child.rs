//! The process that runs hostile scripts and says how it went.

use std::{
    process::ExitCode,
    sync::mpsc,
    time::{Duration, Instant},
};

use picloud::{
    base::id::{AppId, ExecutionId, ScriptId},
    engine::{
        AppRef, Body, Bounds, Code, Engine, Invocation, Job, Kind, Limits, LogLimits, Outcome, Request,
        ScriptRef, Settings, body::decode_request,
    },
};
use serde::{Deserialize, Serialize};

use crate::cases::{CASES, Case};

/// What a run may take, on the clock.
pub(crate) const WALL_CLOCK: Duration = Duration::from_secs(2);

/// How one case went.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The kind of failure, or `ok`.
    pub(crate) kind: String,
    /// What was said.
    pub(crate) message: String,
    /// Where it happened.
    pub(crate) line: Option<u32>,
    /// Where in that line.
    pub(crate) column: Option<u32>,
    /// From handing the job in until its outcome.
    pub(crate) took: Duration,
    /// The thread ran another script afterwards.
    pub(crate) serves_on: bool,
    /// The most memory the process has touched so far.
    pub(crate) peak_kib: u64,
    /// What it holds now.
    pub(crate) resident_kib: u64,
}

/// Runs the case of that name.
pub(crate) fn run_one(name: &str) -> ExitCode {
    let Some(case) = CASES.iter().find(|case| case.name == name) else { return ExitCode::FAILURE };
    run(&engine(), case)
}

/// Runs all cases on one engine.
pub(crate) fn run_all() -> ExitCode {
    let engine = engine();
    let failed = CASES.iter().any(|case| run(&engine, case) != ExitCode::SUCCESS);
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn run(engine: &Engine, case: &Case) -> ExitCode {
    let began = Instant::now();
    let outcome = outcome(engine, &case.source(), case.body());
    let took = began.elapsed();
    let next = outcome_within(engine, "1", Body::default(), Duration::from_secs(5));
    let serves_on = next.is_some_and(|outcome| outcome.result.is_ok());
    let (kind, message, line, column) = match outcome.result {
        Ok(response) => ("ok", format!("{} with {} bytes", response.status, response.body.len()), None, None),
        Err(failure) => (failure.kind.name(), failure.message, failure.line, failure.column),
    };
    let [peak_kib, resident_kib] = ["VmHWM:", "VmRSS:"].map(status_kib);
    let kind = kind.to_owned();
    let report = Report { kind, message, line, column, took, serves_on, peak_kib, resident_kib };
    match serde_json::to_string(&report) {
        Ok(text) => println!("{text}"),
        Err(_) => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

/// An engine as a machine with little memory has it, with one thread that runs.
fn engine() -> Engine {
    picloud::system::memory::return_large_blocks();
    let settings = Settings {
        running: 1,
        in_flight: 2,
        queue: 4,
        compiled_scripts: 64,
        max_call_depth: 128,
        max_memory: 64 << 20,
        memory_of_all: 128 << 20,
        response_limit: 8 << 20,
        log: LogLimits::default(),
    };
    Engine::start(&settings, &[])
}

fn outcome(engine: &Engine, source: &str, body: Body) -> Outcome {
    outcome_within(engine, source, body, Duration::from_secs(60)).expect("the run ends")
}

fn outcome_within(engine: &Engine, source: &str, body: Body, patience: Duration) -> Option<Outcome> {
    let (sender, receiver) = mpsc::channel();
    let limits = Limits { wall_clock: WALL_CLOCK, ..Bounds::default().default };
    let job = Job {
        invocation: invocation(body),
        code: Code::Draft(source.into()),
        limits,
        done: Box::new(move |outcome| {
            // Who no longer waits does not care.
            let _ = sender.send(outcome);
        }),
    };
    engine.submit(job).ok()?;
    receiver.recv_timeout(patience).ok()
}

fn invocation(body: Body) -> Invocation {
    let execution_id = ExecutionId::new();
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        host: "garden.local".to_owned(),
        remote_addr: "192.0.2.7".to_owned(),
        body,
        ..Request::default()
    };
    Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: "req-1".to_owned(),
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: AppId::new(), slug: "garden".parse().expect("a slug") },
        script: ScriptRef { id: ScriptId::new(), name: "hostile".parse().expect("a name"), version: None },
        kind: Kind::Http,
        request,
        principal: None,
    }
}

/// A body of JSON, decoded as a front door does.
pub(crate) fn json_body(text: String) -> Body {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(decode_request(Some("application/json"), text.into())).expect("it decodes")
}

fn status_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(u64::MAX)
}
