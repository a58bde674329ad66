//! The execution log, and its live tail.

mod stream;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{
    Json,
    extract::{Path, State as AxumState},
};
use serde_json::value::RawValue;

use crate::{
    access::capability::needs::AppLogRead,
    base::{
        Error, Result, cursor,
        id::{ExecutionId, ScriptId},
        time::Timestamp,
    },
    store::execution::{self, Attempt, AttemptError, AttemptLogs, Filter, LogLine, StatusFilter},
    web::{InApp, NoQuery, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/executions",
            get_with(list, |op| op.id("listExecutions").tag("executions").summary("Attempts, newest first")),
        )
        .api_route(
            "/apps/{app}/executions/stream",
            get_with(stream::stream, |op| {
                op.id("streamExecutions")
                    .response_with::<200, (), _>(|answer| {
                        answer.description("Events, as `text/event-stream`.")
                    })
                    .tag("executions")
                    .summary("Attempts as they end, as server-sent events")
            }),
        )
        .api_route(
            "/apps/{app}/executions/{execution}",
            get_with(show, |op| {
                op.id("getExecution").tag("executions").summary("One execution with its attempts")
            }),
        )
}

/// Which attempts are wanted.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A status such as `404`, a class such as `5xx`, or `failed`.
    status: Option<StatusFilter>,
    /// The kind of event, such as `http`.
    source: Option<String>,
    script_id: Option<ScriptId>,
    /// An execution and all it caused.
    root: Option<ExecutionId>,
    /// How many items at most, 1 to 200; 50 if it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// One page of attempts.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Attempts {
    items: Vec<Attempt>,
    next_cursor: Option<String>,
    /// How many successes of the last 24 hours were over the app's log budget and are only counted.
    not_stored: i64,
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppLogRead>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Attempts>> {
    let limit = cursor::limit(wanted.limit)?;
    if wanted.source.as_ref().is_some_and(|source| source.contains('\0')) {
        return Err(Error::invalid("source", "must not contain U+0000"));
    }
    state.recorder.flush().await;
    let filter = Filter {
        status: wanted.status,
        source: wanted.source,
        script_id: wanted.script_id,
        root: wanted.root,
    };
    let page = execution::list(&state.db, on.app.id, &filter, wanted.cursor.as_deref(), limit).await?;
    let not_stored = execution::not_stored_lately(&state.db, on.app.id).await?;
    Ok(Json(Attempts { items: page.items, next_cursor: page.next_cursor, not_stored }))
}

/// Which execution is meant.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Named {
    /// The execution's id.
    execution: String,
}

/// An execution: its last attempt, and all that have ended.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Execution {
    #[serde(flatten)]
    last: Attempt,
    /// What the last attempt logged.
    #[schemars(with = "Vec<LogLine>")]
    logs: Box<RawValue>,
    /// How many older lines of the last attempt were cut off.
    lost_log_lines: i32,
    /// Oldest first.
    attempts: Vec<Ended>,
}

/// One attempt of an execution.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Ended {
    attempt: i32,
    started_at: Timestamp,
    duration_ms: f64,
    operations: i64,
    status: i16,
    error: Option<AttemptError>,
    #[schemars(with = "Vec<LogLine>")]
    logs: Box<RawValue>,
    /// How many older lines were cut off.
    lost_log_lines: i32,
}

impl From<&(Attempt, AttemptLogs)> for Ended {
    fn from((attempt, logs): &(Attempt, AttemptLogs)) -> Self {
        Self {
            attempt: attempt.attempt,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            operations: attempt.operations,
            status: attempt.status,
            error: attempt.error.clone(),
            logs: logs.logs.clone(),
            lost_log_lines: logs.lost_log_lines,
        }
    }
}

async fn show(
    AxumState(state): AxumState<State>,
    on: InApp<AppLogRead>,
    Path(named): Path<Named>,
    _: NoQuery,
) -> Result<Json<Execution>> {
    let missing = || Error::NotFound("execution".to_owned());
    let id = named.execution.parse().map_err(|_| missing())?;
    state.recorder.flush().await;
    let mut found = execution::get(&state.db, on.app.id, id).await?;
    let attempts = found.iter().map(Ended::from).collect();
    let (last, AttemptLogs { logs, lost_log_lines }) = found.pop().ok_or_else(missing)?;
    Ok(Json(Execution { last, logs, lost_log_lines, attempts }))
}
