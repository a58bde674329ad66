//! The outbox as an app's administrators see it, and what they may do to its rows.
//!
//! Rows that stand for synchronous runs are none of it: nothing can be done to them.

use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, types::Json};

use super::RunError;
use crate::base::{
    Error, Result,
    cursor::{self, Page},
    id::{AppId, CauseId, EventId, ExecutionId, OutboxId, ScriptId},
    time::Timestamp,
};

/// A durable row, without what the run is given.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub struct Waiting {
    /// The row's id.
    pub id: OutboxId,
    /// Shared by all runs that one event causes, and by its replays.
    pub event_id: EventId,
    /// What kind of event it was: `http`, `kv`, ...
    pub source: String,
    /// What happened: a method for http, `insert` and the like for data.
    pub op: String,
    /// The trigger that fired, or the route that matched.
    pub trigger_id: Option<CauseId>,
    /// The script that is to run.
    pub script_id: ScriptId,
    /// Where the row is in its life.
    pub state: WaitingState,
    /// The number of the run that is under way or was the last.
    pub attempt: i32,
    /// How many runs failed.
    pub attempt_count: i32,
    /// What the last failed run said.
    pub last_error: Option<String>,
    /// When the first run began.
    pub first_attempt_at: Option<Timestamp>,
    /// When the next run is due.
    pub next_attempt_at: Timestamp,
    /// Shared by all attempts of this row.
    pub execution_id: ExecutionId,
    /// The execution that began the chain; itself if none did.
    pub root_execution_id: ExecutionId,
    /// How many triggers lie between this run and its root.
    pub trigger_depth: i32,
    /// When it was put.
    pub created_at: Timestamp,
}

/// Where a row is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitingState {
    /// It has not run yet.
    Waiting,
    /// A node has it in its hands.
    Running,
    /// It has run, and will again.
    Retrying,
}

/// One page of an app's durable rows, newest first.
///
/// The app's rows are found by the three partial indexes, which cover the table
/// between them, and are put in order afterwards: going by id instead would read
/// the rows of all other apps on the way. So this costs what the app has, which
/// its quota bounds. `materialized` keeps the planner from choosing otherwise:
///
/// ```text
/// CTE mine -> Append
///     -> Bitmap Index Scan on outbox_due_idx (app_id = $1)
///     -> Index Scan using outbox_suspect_idx, filter app_id = $1
///     -> Index Scan using outbox_claimed_idx, filter app_id = $1
/// Nested Loop
///     -> Limit -> Sort -> CTE Scan on mine
///     -> Index Scan using outbox_pkey
/// ```
pub async fn list(
    db: impl PgExecutor<'_>,
    app: AppId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Waiting>> {
    let before: Option<OutboxId> = cursor::decode(cursor)?;
    let rows: Vec<Row> = sqlx::query_as(
        "with mine as materialized (
             select id from outbox
             where app_id = $1 and claimed_epoch is null and lost_count < 2 and reply_to is null
             union all
             select id from outbox
             where app_id = $1 and claimed_epoch is null and lost_count >= 2 and reply_to is null
             union all
             select id from outbox
             where app_id = $1 and claimed_epoch is not null and reply_to is null
         ), page as (
             select id from mine where $2::uuid is null or id < $2 order by id desc limit $3
         )
         select id, event_id, source_kind, op, trigger_id, script_id, claimed_epoch is not null as claimed, attempt,
                attempt_count, errors, first_attempt_at, next_attempt_at, execution_id, root_execution_id,
                trigger_depth, created_at
         from page join outbox using (id)
         order by id desc",
    )
    .bind(app)
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    let rows = rows.into_iter().map(Waiting::from).collect();
    Ok(Page::cut(rows, limit, |row: &Waiting| row.id))
}

/// Whether the app has a durable row of this id.
pub async fn exists(db: impl PgExecutor<'_>, app: AppId, id: OutboxId) -> Result<bool> {
    let exists = sqlx::query_scalar(
        "select exists (select from outbox where id = $2 and app_id = $1 and reply_to is null)",
    )
    .bind(app)
    .bind(id)
    .fetch_one(db)
    .await?;
    Ok(exists)
}

/// Makes a row due now; a running one is a conflict.
pub async fn retry_now(db: &mut PgConnection, app: AppId, id: OutboxId) -> Result<()> {
    let done = sqlx::query(
        "update outbox set next_attempt_at = now(), wait_ms = 0
         where id = $2 and app_id = $1 and reply_to is null and claimed_epoch is null",
    )
    .bind(app)
    .bind(id)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(out_of_reach(db, app, id).await?) }
}

/// Deletes a row, so that it never runs again; a running one is a conflict.
pub async fn delete(db: &mut PgConnection, app: AppId, id: OutboxId) -> Result<()> {
    let done = sqlx::query(
        "delete from outbox where id = $2 and app_id = $1 and reply_to is null and claimed_epoch is null",
    )
    .bind(app)
    .bind(id)
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(out_of_reach(db, app, id).await?) }
}

/// Why nothing could be done to a row.
async fn out_of_reach(db: &mut PgConnection, app: AppId, id: OutboxId) -> Result<Error> {
    Ok(if exists(db, app, id).await? {
        Error::Conflict("this row is running now; wait until its run has ended".to_owned())
    } else {
        Error::NotFound("outbox row".to_owned())
    })
}

/// A row as it is stored.
#[derive(sqlx::FromRow)]
struct Row {
    id: OutboxId,
    event_id: EventId,
    source_kind: String,
    op: String,
    trigger_id: Option<CauseId>,
    script_id: ScriptId,
    claimed: bool,
    attempt: i32,
    attempt_count: i32,
    errors: Json<Vec<RunError>>,
    first_attempt_at: Option<Timestamp>,
    next_attempt_at: Timestamp,
    execution_id: ExecutionId,
    root_execution_id: ExecutionId,
    trigger_depth: i32,
    created_at: Timestamp,
}

impl From<Row> for Waiting {
    fn from(mut row: Row) -> Self {
        let state = match (row.claimed, row.attempt.max(row.attempt_count)) {
            (true, _) => WaitingState::Running,
            (false, 0) => WaitingState::Waiting,
            (false, _) => WaitingState::Retrying,
        };
        Self {
            id: row.id,
            event_id: row.event_id,
            source: row.source_kind,
            op: row.op,
            trigger_id: row.trigger_id,
            script_id: row.script_id,
            state,
            attempt: row.attempt,
            attempt_count: row.attempt_count,
            last_error: row.errors.0.pop().map(|error| error.message),
            first_attempt_at: row.first_attempt_at,
            next_attempt_at: row.next_attempt_at,
            execution_id: row.execution_id,
            root_execution_id: row.root_execution_id,
            trigger_depth: row.trigger_depth,
            created_at: row.created_at,
        }
    }
}
