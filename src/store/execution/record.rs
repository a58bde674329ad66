//! Writing attempts down.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::PgExecutor;

use crate::{
    base::{
        Result,
        id::{AppId, ExecutionId, RouteId, ScriptId, TriggerId},
        name::storable,
        time::Timestamp,
    },
    store::batch::{column, living},
};

/// An attempt that has ended, to be written down.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// Shared by all attempts of one event's way through one script.
    pub execution_id: ExecutionId,
    /// The number of the attempt, from 1.
    pub attempt: i32,
    /// The execution that caused this one, directly or not; itself if none did.
    pub root_execution_id: ExecutionId,
    /// The app it ran in.
    pub app_id: AppId,
    /// The script that ran.
    pub script_id: ScriptId,
    /// The version that ran; null for a draft that was run unsaved.
    pub script_version: Option<i32>,
    /// What kind of event it was: `http`, `manual`, ...
    pub source: Cow<'static, str>,
    /// The trigger that fired, if one did.
    pub trigger_id: Option<TriggerId>,
    /// The route that matched, if one did.
    pub route_id: Option<RouteId>,
    /// The principal's user name; none for an anonymous caller.
    pub principal: Option<String>,
    /// When the run started.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// How many operations it took.
    pub operations: u64,
    /// What the caller was answered, or would have been.
    pub status: u16,
    /// What went wrong, if something did.
    pub error: Option<AttemptError>,
    /// What was asked, in a line.
    pub request_summary: Option<String>,
    /// What was answered, in a line.
    pub response_summary: Option<String>,
    /// How many triggers lie between this run and its root.
    pub trigger_depth: i32,
    /// What the script logged, oldest first.
    pub logs: Vec<LogLine>,
    /// How many older lines were cut off.
    pub lost_log_lines: u32,
}

/// What went wrong in an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AttemptError {
    /// Which of the known ways to fail it was.
    pub kind: Cow<'static, str>,
    /// What a person reads.
    pub message: String,
    /// The line of the script, from 1.
    pub line: Option<u32>,
    /// The column in it, from 1.
    pub column: Option<u32>,
}

/// One line that a script logged.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: &'static str,
    /// What it says.
    pub message: String,
    /// The map logged with it, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub fields: Option<Box<RawValue>>,
}

impl NewAttempt {
    /// Whether losing it would hide something: it failed, or the script logged.
    pub fn is_noteworthy(&self) -> bool {
        self.error.is_some() || !self.logs.is_empty() || self.lost_log_lines > 0
    }

    /// About how many bytes it holds while it waits to be written.
    pub fn weight(&self) -> usize {
        let text = |t: &Option<String>| t.as_ref().map_or(0, String::len);
        let line = |l: &LogLine| {
            size_of::<LogLine>() + l.message.len() + l.fields.as_ref().map_or(0, |f| f.get().len())
        };
        size_of::<Self>()
            + self.source.len()
            + text(&self.principal)
            + self.error.as_ref().map_or(0, |e| e.message.len())
            + text(&self.request_summary)
            + text(&self.response_summary)
            + self.logs.iter().map(line).sum::<usize>()
    }

    fn logs_json(&self) -> String {
        let lines: Vec<LogLine> = self
            .logs
            .iter()
            .map(|line| LogLine { message: storable(line.message.clone()), ..line.clone() })
            .collect();
        serde_json::to_string(&lines).unwrap_or_else(|_| "[]".to_owned())
    }
}

/// Writes attempts down in the order given and says how many were new.
///
/// Attempts of apps that are gone are left out, and so are those that are there
/// already, so that a batch whose outcome was unknown can be written again.
/// Arrays rather than one JSON document, because the server unescapes every
/// string of a document it takes apart and U+0000, which a logged map may hold,
/// cannot be.
pub async fn insert(db: impl PgExecutor<'_>, attempts: &[NewAttempt]) -> Result<u64> {
    let done = sqlx::query(concat!(
        "with ",
        living!("$4"),
        " insert into executions
             (execution_id, attempt, root_execution_id, app_id, script_id, script_version, source, trigger_id,
              route_id, principal, started_at, duration_us, operations, status, error_kind, error_message,
              error_line, error_column, request_summary, response_summary, trigger_depth, logs, lost_log_lines)
         select r.execution_id, r.attempt, r.root_execution_id, r.app_id, r.script_id, r.script_version, r.source,
                r.trigger_id, r.route_id, r.principal, r.started_at, r.duration_us, r.operations, r.status,
                r.error_kind, r.error_message, r.error_line, r.error_column, r.request_summary,
                r.response_summary, r.trigger_depth, r.logs::json, r.lost_log_lines
         from unnest($1::uuid[], $2::integer[], $3::uuid[], $4::uuid[], $5::uuid[], $6::integer[], $7::text[],
                     $8::uuid[], $9::uuid[], $10::text[], $11::timestamptz[], $12::bigint[], $13::bigint[],
                     $14::smallint[], $15::text[], $16::text[], $17::integer[], $18::integer[], $19::text[],
                     $20::text[], $21::integer[], $22::text[], $23::integer[]) with ordinality
              as r (execution_id, attempt, root_execution_id, app_id, script_id, script_version, source,
                    trigger_id, route_id, principal, started_at, duration_us, operations, status, error_kind,
                    error_message, error_line, error_column, request_summary, response_summary, trigger_depth,
                    logs, lost_log_lines, nth)
         join living on living.id = r.app_id
         order by r.nth
         on conflict (execution_id, attempt) do nothing",
    ))
    .bind(column(attempts, |a| a.execution_id))
    .bind(column(attempts, |a| a.attempt))
    .bind(column(attempts, |a| a.root_execution_id))
    .bind(column(attempts, |a| a.app_id))
    .bind(column(attempts, |a| a.script_id))
    .bind(column(attempts, |a| a.script_version))
    .bind(column(attempts, |a| a.source.clone().into_owned()))
    .bind(column(attempts, |a| a.trigger_id))
    .bind(column(attempts, |a| a.route_id))
    .bind(column(attempts, |a| a.principal.clone()))
    .bind(column(attempts, |a| a.started_at.utc()))
    .bind(column(attempts, |a| i64::try_from(a.duration.as_micros()).unwrap_or(i64::MAX)))
    .bind(column(attempts, |a| i64::try_from(a.operations).unwrap_or(i64::MAX)))
    .bind(column(attempts, |a| i16::try_from(a.status).unwrap_or(i16::MAX)))
    .bind(column(attempts, |a| a.error.as_ref().map(|e| e.kind.clone().into_owned())))
    .bind(column(attempts, |a| a.error.as_ref().map(|e| storable(e.message.clone()))))
    .bind(column(attempts, |a| a.error.as_ref().and_then(|e| e.line).map(saturated)))
    .bind(column(attempts, |a| a.error.as_ref().and_then(|e| e.column).map(saturated)))
    .bind(column(attempts, |a| a.request_summary.clone().map(storable)))
    .bind(column(attempts, |a| a.response_summary.clone().map(storable)))
    .bind(column(attempts, |a| a.trigger_depth))
    .bind(column(attempts, NewAttempt::logs_json))
    .bind(column(attempts, |a| saturated(a.lost_log_lines)))
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

fn saturated(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
