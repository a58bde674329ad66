//! Scripts that mean harm: each is run in a process of its own, which must
//! survive, say the right thing, in time, and with little memory; and then all
//! of them one after another in one process.
//!
//! `cargo test --test hostile NAME` runs those whose name contains NAME.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it found"
)]

mod cases;
mod child;
#[path = "../driver/mod.rs"]
mod driver;

use std::{
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use libtest_mimic::{Arguments, Failed, Trial};

use cases::{CASES, Case};
use child::{Report, WALL_CLOCK};

/// The argument that makes this program the child that runs one case.
const CHILD: &str = "--run-case";
/// The argument that makes it the child that runs them all.
const CHILD_OF_ALL: &str = "--run-all-cases";

/// What a process may have touched at most for one script that may hold 32 MiB.
const PEAK_KIB: u64 = 192 << 10;
/// What it may have touched at most for all of them, one after another.
const PEAK_OF_ALL_KIB: u64 = 400 << 10;
/// What it may keep after them.
const RESIDENT_AFTER_ALL_KIB: u64 = 250 << 10;
/// How long after its wall clock a run may end.
const GRACE: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next()) {
        (Some(CHILD), Some(name)) => return child::run_one(&name),
        (Some(CHILD_OF_ALL), _) => return child::run_all(),
        _ => {}
    }
    let mut trials: Vec<Trial> =
        CASES.iter().map(|case| Trial::test(case.name, move || alone(case))).collect();
    trials.push(Trial::test("all_one_after_another", all));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs one case in a process of its own.
fn alone(case: &Case) -> Result<(), Failed> {
    let [report] = <[Report; 1]>::try_from(reports(&[CHILD, case.name])?).map_err(|_| "no report")?;
    judge(case, &report)?;
    if report.peak_kib > PEAK_KIB {
        return Err(format!("it took {} KiB of memory: {report:?}", report.peak_kib).into());
    }
    Ok(())
}

/// Runs all cases in one process.
fn all() -> Result<(), Failed> {
    let reports = reports(&[CHILD_OF_ALL])?;
    for (case, report) in CASES.iter().zip(&reports) {
        judge(case, report).map_err(|failed| format!("{}: {:?}", case.name, failed.message()))?;
    }
    let last = reports.last().filter(|_| reports.len() == CASES.len()).ok_or("some did not run")?;
    if last.peak_kib > PEAK_OF_ALL_KIB || last.resident_kib > RESIDENT_AFTER_ALL_KIB {
        return Err(format!("they took {} KiB and left {} KiB", last.peak_kib, last.resident_kib).into());
    }
    println!("all: peak {} KiB, resident after {} KiB", last.peak_kib, last.resident_kib);
    Ok(())
}

/// What the child says of the cases it ran.
fn reports(arguments: &[&str]) -> Result<Vec<Report>, Failed> {
    let program = std::env::current_exe()?;
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::piped()).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the process ended: {}\n{said}", output.status).into());
    }
    let said = String::from_utf8(output.stdout)?;
    Ok(said.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// Whether a case ended as it must.
fn judge(case: &Case, report: &Report) -> Result<(), Failed> {
    if !case.ends.contains(&report.kind.as_str()) {
        return Err(format!("it ended otherwise than {:?}: {report:?}", case.ends).into());
    }
    if report.took > WALL_CLOCK + GRACE {
        return Err(format!("it took too long: {report:?}").into());
    }
    // A failure that happened somewhere in the script says where.
    let placed = report.line.is_some() && report.column.is_some();
    let limit = matches!(report.kind.as_str(), "memory" | "size" | "operations" | "timeout" | "log_limit");
    let answer = ["response", "the body cannot be sent"].iter().any(|words| report.message.contains(words));
    if limit && !placed && !answer {
        return Err(format!("it does not say where: {report:?}").into());
    }
    if !report.serves_on {
        return Err("its thread does not serve the next run".into());
    }
    Ok(())
}
