//! The process that runs hostile scripts and says how it went.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use picloud::engine::{Body, Bounds, Code, Engine, Limits, Outcome};
use serde::{Deserialize, Serialize};

use crate::{
    cases::{CASES, Case},
    driver,
};

/// What a run may take, on the clock.
pub(crate) const WALL_CLOCK: Duration = Duration::from_secs(4);

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
    let [peak_kib, resident_kib] = ["VmHWM:", "VmRSS:"].map(driver::status_kib);
    let kind = kind.to_owned();
    let report = Report { kind, message, line, column, took, serves_on, peak_kib, resident_kib };
    match serde_json::to_string(&report) {
        Ok(text) => println!("{text}"),
        Err(_) => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

/// An engine as a machine with little memory has it.
fn engine() -> Engine {
    driver::engine(64 << 20, 128 << 20)
}

fn outcome(engine: &Engine, source: &str, body: Body) -> Outcome {
    outcome_within(engine, source, body, Duration::from_secs(60)).expect("the run ends")
}

fn outcome_within(engine: &Engine, source: &str, body: Body, patience: Duration) -> Option<Outcome> {
    let limits = Limits { wall_clock: WALL_CLOCK, ..Bounds::default().default };
    driver::run(engine, Code::Draft(source.into()), body, limits, patience)
}
