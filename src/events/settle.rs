//! What an outcome becomes: an answer, a line in the execution log, a count.

use std::{fmt::Write as _, time::Duration};

use super::{Recorder, dispatcher::Cause, kind::Refusal};
use crate::{
    base::{
        id::{CauseId, ExecutionId, InboxId, OutboxId},
        name::truncated,
        time::Timestamp,
    },
    engine::{BodyKind, Failure, Invocation, Kind, Lane, Outcome, Response},
    store::{
        abandoned::NewAbandoned,
        execution::{AttemptError, LogLine, NewAttempt},
        outbox::{Claimed, SyncRow},
    },
    system::metrics::Metrics,
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

/// The row that stands for a synchronous run while it is under way.
pub(super) fn row(invocation: &Invocation, cause: Cause, inbox_id: InboxId) -> SyncRow {
    SyncRow {
        id: OutboxId::new(),
        inbox_id,
        app_id: invocation.app.id,
        script_id: invocation.script.id,
        execution_id: invocation.execution_id,
        root_execution_id: invocation.root_execution_id,
        source_kind: invocation.kind.name(),
        op: invocation.request.method.clone(),
        cause: cause.route.map(CauseId::from),
        principal: invocation.principal.as_ref().map(|p| p.id),
        trigger_depth: signed(invocation.trigger_depth),
    }
}

/// An outcome nobody waited for.
pub(super) fn abandoned(row: &SyncRow, outcome: &Outcome) -> NewAbandoned {
    let summary = match answer(outcome) {
        Ok(response) => response_summary(response),
        Err(failure) => format!("{}: {}", failure.kind.name(), failure.message),
    };
    NewAbandoned {
        outbox_id: row.id,
        inbox_id: row.inbox_id,
        app_id: row.app_id,
        script_id: row.script_id,
        execution_id: row.execution_id,
        status: i16::try_from(status(outcome)).unwrap_or(i16::MAX),
        summary: cut(summary),
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

/// The attempt of a durable row once it has ended: nobody is answered, so that
/// a thrown response is a failure like any other.
pub(super) fn ended_durable(begun: NewAttempt, outcome: &Outcome) -> NewAttempt {
    let failure = outcome.result.as_ref().err();
    NewAttempt {
        status: failure.map_or(DONE, |failure| failure.kind.status()),
        error: failure.map(error),
        response_summary: None,
        ..ended(begun, outcome)
    }
}

/// The status of a durable run that ended well: nobody is answered.
const DONE: u16 = 200;

/// The attempt of a durable row that could not be run.
pub(super) fn refused(row: &Claimed, refusal: &Refusal) -> NewAttempt {
    let route_id = (row.source_kind == Kind::Http.name()).then_some(row.cause).flatten().map(Into::into);
    NewAttempt {
        execution_id: row.execution_id,
        attempt: row.attempt,
        root_execution_id: row.root_execution_id,
        app_id: row.app_id,
        script_id: row.script_id,
        script_version: None,
        source: row.source_kind.clone().into(),
        trigger_id: None,
        route_id,
        principal: row.principal.as_ref().and_then(|p| p.user.as_ref()).map(|user| user.username.clone()),
        started_at: Timestamp::now(),
        duration: Duration::ZERO,
        operations: 0,
        status: refusal.status,
        error: Some(AttemptError {
            kind: refusal.kind.into(),
            message: cut(refusal.message.clone()),
            line: None,
            column: None,
        }),
        request_summary: None,
        response_summary: None,
        trigger_depth: row.trigger_depth,
        logs: Vec::new(),
        lost_log_lines: 0,
    }
}

/// Tells that a run has ended, before anything is done about it: what the log
/// does not tell of has changed nothing, however the process ends.
pub(super) fn tell(execution: ExecutionId, attempt: i32, outcome: &Outcome) {
    let ended = outcome.result.as_ref().map_or_else(|failure| failure.kind.name(), |_| OK);
    let micros = outcome.duration.as_micros();
    tracing::debug!(execution.id = %execution, attempt, outcome = ended, micros, "an attempt ended");
}

/// How a run ended that did not fail.
const OK: &str = "ok";

/// Counts how long a run waited at the gate.
pub(super) fn waited(metrics: &Metrics, lane: Lane, outcome: &Outcome) {
    metrics.gate_wait_seconds.with_label_values(&[lane.name()]).observe(outcome.waited.as_secs_f64());
}

/// Counts an attempt that has ended, and has it recorded.
pub(super) fn record(recorder: &Recorder, metrics: &Metrics, attempt: NewAttempt) {
    let ended = attempt.error.as_ref().map_or(OK, |error| &error.kind);
    metrics.executions.with_label_values(&[&*attempt.source, ended]).inc();
    let seconds = metrics.execution_seconds.with_label_values(&[&attempt.source]);
    seconds.observe(attempt.duration.as_secs_f64());
    recorder.record(attempt);
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
