//! What an outcome becomes: an answer, a line in the execution log, a count.

use std::{fmt::Write as _, time::Duration};

use super::dispatcher::Cause;
use crate::{
    base::{name::truncated, time::Timestamp},
    engine::{BodyKind, Failure, Invocation, Outcome, Response},
    store::execution::{AttemptError, LogLine, NewAttempt},
};

/// The most a stored summary or message of an attempt holds, in bytes.
const TEXT_LIMIT: usize = 4096;

/// The answer of a synchronous run: what the script returned, or the response it threw.
pub fn answer(outcome: &Outcome) -> Result<&Response, &Failure> {
    match &outcome.result {
        Ok(response) => Ok(response),
        Err(failure) => failure.response.as_ref().ok_or(failure),
    }
}

/// The status a synchronous caller gets.
pub fn status(outcome: &Outcome) -> u16 {
    match answer(outcome) {
        Ok(response) => response.status,
        Err(failure) => failure.kind.status(),
    }
}

/// What is known of an attempt before it runs.
pub(super) fn begun(invocation: &Invocation, cause: Cause) -> NewAttempt {
    NewAttempt {
        execution_id: invocation.execution_id,
        attempt: signed(invocation.attempt),
        root_execution_id: invocation.root_execution_id,
        app_id: invocation.app.id,
        script_id: invocation.script.id,
        script_version: invocation.script.version,
        source: invocation.kind.name().into(),
        trigger_id: None,
        route_id: cause.route,
        principal: invocation.principal.as_ref().map(|p| p.username.clone()),
        started_at: Timestamp::now(),
        duration: Duration::ZERO,
        operations: 0,
        status: 0,
        error: None,
        request_summary: Some(request_summary(invocation)),
        response_summary: None,
        trigger_depth: signed(invocation.trigger_depth),
        logs: Vec::new(),
        lost_log_lines: 0,
    }
}

/// The attempt once it has ended. A thrown response is an answer, no error.
pub(super) fn ended(begun: NewAttempt, outcome: &Outcome) -> NewAttempt {
    NewAttempt {
        started_at: outcome.started_at,
        duration: outcome.duration,
        operations: outcome.operations,
        status: status(outcome),
        error: answer(outcome).err().map(error),
        response_summary: answer(outcome).ok().map(response_summary),
        logs: outcome.logs.iter().map(log_line).collect(),
        lost_log_lines: outcome.lost_log_lines,
        ..begun
    }
}

/// A failure as the log and those who may read the app see it.
pub fn error(failure: &Failure) -> AttemptError {
    AttemptError {
        kind: failure.kind.name().into(),
        message: cut(failure.message.clone()),
        line: failure.line,
        column: failure.column,
    }
}

/// One line of a script's log, as it is stored.
pub fn log_line(line: &crate::engine::LogLine) -> LogLine {
    LogLine {
        at: line.at,
        level: line.level.name(),
        message: line.message.clone(),
        fields: line.fields.clone().and_then(|json| serde_json::value::RawValue::from_string(json).ok()),
    }
}

fn request_summary(invocation: &Invocation) -> String {
    let request = &invocation.request;
    let mut line = format!("{} {}", request.method, request.path);
    let size = request.body.raw.len();
    if size > 0 {
        // Writing to a string cannot fail.
        let _ = write!(line, " ({size} bytes)");
    }
    cut(line)
}

fn response_summary(response: &Response) -> String {
    let size = response.body.len();
    match response.body_kind {
        BodyKind::Empty => "no body".to_owned(),
        BodyKind::Json => format!("{size} bytes of JSON"),
        BodyKind::Text => format!("{size} bytes of text"),
        BodyKind::Blob => format!("{size} bytes"),
    }
}

fn cut(text: String) -> String {
    truncated(text, TEXT_LIMIT)
}

/// A count as its column holds it; none comes near the limit.
fn signed(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
