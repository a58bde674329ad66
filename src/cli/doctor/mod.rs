//! `picloud doctor`: looks at everything a start depends on, and says why it is
//! well or not. It changes nothing but what it takes away again at once.

mod database;
mod machine;
mod surroundings;

use std::{fmt::Write as _, process::ExitCode};

use super::{Failure, Settings, print, show::print_json};
use crate::system::hardware::Hardware;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Ok,
    /// Works, but somebody should know.
    Warn,
    /// Keeps PiCloud from working.
    Fail,
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
struct Check {
    name: &'static str,
    state: State,
    /// What was found, and what to do about it.
    reason: String,
}

impl Check {
    fn ok(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, state: State::Ok, reason: reason.into() }
    }

    fn warn(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, state: State::Warn, reason: reason.into() }
    }

    fn fail(name: &'static str, reason: impl Into<String>) -> Self {
        Self { name, state: State::Fail, reason: reason.into() }
    }
}

/// Looks at everything and prints what was found; the exit code is 1 if a check failed.
pub(super) fn run(settings: &Settings, json: bool) -> Result<ExitCode, Failure> {
    let machine = Hardware::detect();
    let config = settings.load(&machine)?;
    let sizing = machine::sizing(&config, &machine);
    let mut checks = vec![
        machine::hardware(&machine),
        surroundings::data_directory(&config.data_dir),
        surroundings::disk(&config.data_dir, config.min_free),
        surroundings::address(&config),
        surroundings::clock(),
    ];
    checks.extend(database::checks(&config)?);
    let failed = checks.iter().any(|check| check.state == State::Fail);
    if json {
        print_json(&serde_json::json!({ "checks": checks, "sizing": sizing }))?;
    } else {
        print(&text(&checks, &sizing))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(checks: &[Check], sizing: &[machine::Size]) -> String {
    let mut text = String::new();
    // Writing to text cannot fail.
    for Check { name, state, reason } in checks {
        let state = match state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let _ = writeln!(text, "{state}  {name}: {reason}");
    }
    let _ = writeln!(text, "\nSized for this machine:");
    for machine::Size { name, value, why } in sizing {
        let _ = writeln!(text, "  {name} = {value}  ({why})");
    }
    text
}
