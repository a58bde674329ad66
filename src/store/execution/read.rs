//! Reading the log.

use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::{PgExecutor, Row, postgres::PgRow, types::Json};

use super::{AttemptError, Filter, StatusFilter};
use crate::base::{
    Result,
    cursor::{self, Page},
    id::{AppId, ExecutionId, RouteId, ScriptId, TriggerId},
    time::Timestamp,
};

/// An attempt as it was recorded, without what the script logged.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Attempt {
    /// Its place in the order of recording.
    #[serde(skip)]
    pub seq: i64,
    /// Shared by all attempts of one event's way through one script.
    pub execution_id: ExecutionId,
    /// The execution that caused this one, directly or not; itself if none did.
    pub root_execution_id: ExecutionId,
    /// The app it ran in.
    pub app_id: AppId,
    /// The script that ran; it may be gone by now.
    pub script_id: ScriptId,
    /// The version that ran; null for a draft that was run unsaved.
    pub script_version: Option<i32>,
    /// What kind of event it was: `http`, `manual`, ...
    pub source: String,
    /// The trigger that fired.
    pub trigger_id: Option<TriggerId>,
    /// The route that matched.
    pub route_id: Option<RouteId>,
    /// The number of the attempt, from 1.
    pub attempt: i32,
    /// The principal's user name; null for an anonymous caller.
    pub principal: Option<String>,
    /// When the run started.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: f64,
    /// How many operations it took.
    pub operations: i64,
    /// What the caller was answered, or would have been.
    pub status: i16,
    /// What went wrong.
    pub error: Option<AttemptError>,
    /// What was asked, in a line.
    pub request_summary: Option<String>,
    /// What was answered, in a line.
    pub response_summary: Option<String>,
    /// How many triggers lie between this run and its root.
    pub trigger_depth: i32,
    /// When it was recorded.
    pub created_at: Timestamp,
}

/// What the script logged in an attempt.
#[derive(Clone, Debug)]
pub struct AttemptLogs {
    /// The lines, oldest first: an array of `{at, level, message, fields?}`.
    pub logs: Box<RawValue>,
    /// How many older lines were cut off.
    pub lost_log_lines: i32,
}

/// One page of an app's attempts, newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    app: AppId,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Attempt>> {
    let before: Option<i64> = cursor::decode(cursor)?;
    let (low, high) = filter.status.and_then(StatusFilter::range).unzip();
    let rows = sqlx::query_as(
        "select seq, execution_id, root_execution_id, app_id, script_id, script_version, source, trigger_id,
                route_id, attempt, principal, started_at, duration_us, operations, status, error_kind,
                error_message, error_line, error_column, request_summary, response_summary, trigger_depth,
                created_at
         from executions
         where app_id = $1 and seq < coalesce($2, 9223372036854775807)
           and ($3::smallint is null or status between $3 and $4)
           and (not $5 or error_kind is not null)
           and ($6::text is null or source = $6)
           and ($7::uuid is null or script_id = $7)
           and ($8::uuid is null or root_execution_id = $8)
         order by seq desc
         limit $9",
    )
    .bind(app)
    .bind(before)
    .bind(low)
    .bind(high)
    .bind(filter.status == Some(StatusFilter::Failed))
    .bind(&filter.source)
    .bind(filter.script_id)
    .bind(filter.root)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |attempt: &Attempt| attempt.seq))
}

/// The attempts of one execution that have ended, oldest first, with what they logged.
pub async fn get(
    db: impl PgExecutor<'_>,
    app: AppId,
    id: ExecutionId,
) -> Result<Vec<(Attempt, AttemptLogs)>> {
    let rows: Vec<WithLogs> = sqlx::query_as(
        "select seq, execution_id, root_execution_id, app_id, script_id, script_version, source, trigger_id,
                route_id, attempt, principal, started_at, duration_us, operations, status, error_kind,
                error_message, error_line, error_column, request_summary, response_summary, trigger_depth,
                created_at, logs, lost_log_lines
         from executions
         where app_id = $1 and execution_id = $2
         order by attempt",
    )
    .bind(app)
    .bind(id)
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.0, row.1)).collect())
}

/// Up to `limit` attempts recorded after `seq`, the newest of them, oldest first.
pub async fn tail(db: impl PgExecutor<'_>, app: AppId, seq: i64, limit: u32) -> Result<Vec<Attempt>> {
    let mut rows: Vec<Attempt> = sqlx::query_as(
        "select seq, execution_id, root_execution_id, app_id, script_id, script_version, source, trigger_id,
                route_id, attempt, principal, started_at, duration_us, operations, status, error_kind,
                error_message, error_line, error_column, request_summary, response_summary, trigger_depth,
                created_at
         from executions
         where app_id = $1 and seq > $2
         order by seq desc
         limit $3",
    )
    .bind(app)
    .bind(seq)
    .bind(i64::from(limit))
    .fetch_all(db)
    .await?;
    rows.reverse();
    Ok(rows)
}

/// How many attempts were recorded after `after` and before `before`.
pub async fn count_between(db: impl PgExecutor<'_>, app: AppId, after: i64, before: i64) -> Result<i64> {
    let count =
        sqlx::query_scalar("select count(*) from executions where app_id = $1 and seq > $2 and seq < $3")
            .bind(app)
            .bind(after)
            .bind(before)
            .fetch_one(db)
            .await?;
    Ok(count)
}

/// The place of the attempt recorded last, 0 if there is none.
pub async fn newest_seq(db: impl PgExecutor<'_>, app: AppId) -> Result<i64> {
    let seq = sqlx::query_scalar("select coalesce(max(seq), 0) from executions where app_id = $1")
        .bind(app)
        .fetch_one(db)
        .await?;
    Ok(seq)
}

impl sqlx::FromRow<'_, PgRow> for Attempt {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let micros: i64 = row.try_get("duration_us")?;
        Ok(Self {
            seq: row.try_get("seq")?,
            execution_id: row.try_get("execution_id")?,
            root_execution_id: row.try_get("root_execution_id")?,
            app_id: row.try_get("app_id")?,
            script_id: row.try_get("script_id")?,
            script_version: row.try_get("script_version")?,
            source: row.try_get("source")?,
            trigger_id: row.try_get("trigger_id")?,
            route_id: row.try_get("route_id")?,
            attempt: row.try_get("attempt")?,
            principal: row.try_get("principal")?,
            started_at: row.try_get("started_at")?,
            duration_ms: milliseconds(micros),
            operations: row.try_get("operations")?,
            status: row.try_get("status")?,
            error: error_of(row)?,
            request_summary: row.try_get("request_summary")?,
            response_summary: row.try_get("response_summary")?,
            trigger_depth: row.try_get("trigger_depth")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// A run's length as the API shows it: milliseconds, exact to the microsecond.
#[expect(clippy::cast_precision_loss, reason = "exact below 285 years")]
fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

fn error_of(row: &PgRow) -> sqlx::Result<Option<AttemptError>> {
    let kind: Option<String> = row.try_get("error_kind")?;
    let message: Option<String> = row.try_get("error_message")?;
    let (Some(kind), Some(message)) = (kind, message) else { return Ok(None) };
    let place =
        |column| Ok::<_, sqlx::Error>(row.try_get::<Option<i32>, _>(column)?.and_then(|n| n.try_into().ok()));
    Ok(Some(AttemptError {
        kind: kind.into(),
        message,
        line: place("error_line")?,
        column: place("error_column")?,
    }))
}

struct WithLogs(Attempt, AttemptLogs);

impl sqlx::FromRow<'_, PgRow> for WithLogs {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let Json(logs) = row.try_get("logs")?;
        Ok(Self(
            Attempt::from_row(row)?,
            AttemptLogs { logs, lost_log_lines: row.try_get("lost_log_lines")? },
        ))
    }
}
