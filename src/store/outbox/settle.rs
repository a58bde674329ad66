//! What becomes of rows that were claimed.
//!
//! Each statement names the epoch that claimed the rows and changes only those
//! that are still held under it. A row that was claimed was due: one that is
//! given back is due at once, also if the clock was set back meanwhile.

use std::time::Duration;

use sqlx::PgExecutor;

use super::{RunError, milliseconds};
use crate::{
    base::{
        Result,
        id::{DeadLetterId, OutboxId},
        name::storable,
        time::Timestamp,
    },
    store::batch::column,
};

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The row.
    pub id: OutboxId,
    /// When the run began.
    pub started_at: Timestamp,
    /// The errors of all failed runs, this one last.
    pub errors: Vec<RunError>,
    /// The wait before the next run; no matter for one that is buried.
    pub wait: Duration,
}

/// Deletes rows that have run.
pub async fn acknowledge(db: impl PgExecutor<'_>, epoch: i64, done: &[OutboxId]) -> Result<()> {
    sqlx::query("delete from outbox where id = any($1) and claimed_epoch is not distinct from $2")
        .bind(done)
        .bind(epoch)
        .execute(db)
        .await?;
    Ok(())
}

/// Has rows whose run failed wait for the next.
pub async fn retry(db: impl PgExecutor<'_>, epoch: i64, failed: &[Failed]) -> Result<()> {
    sqlx::query(
        "update outbox o
         set claimed_epoch = null, lost_count = 0, attempt_count = o.attempt_count + 1, errors = r.errors::json,
             first_attempt_at = coalesce(o.first_attempt_at, r.started_at), wait_ms = r.wait_ms,
             next_attempt_at = now() + r.wait_ms * interval '1 ms'
         from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::bigint[])
              as r (id, started_at, errors, wait_ms)
         where o.id = r.id and o.id = any($2) and o.claimed_epoch is not distinct from $1",
    )
    .bind(epoch)
    .bind(column(failed, |f| f.id))
    .bind(column(failed, |f| f.started_at.utc()))
    .bind(column(failed, Failed::errors_json))
    .bind(column(failed, |f| milliseconds(f.wait)))
    .execute(db)
    .await?;
    Ok(())
}

/// Gives rows back that were not run: as if they had not been claimed.
pub async fn give_back(db: impl PgExecutor<'_>, epoch: i64, unrun: &[OutboxId]) -> Result<()> {
    sqlx::query(
        "update outbox
         set claimed_epoch = null, attempt = attempt - 1, lost_count = lost_count - 1,
             next_attempt_at = least(next_attempt_at, now())
         where id = any($2) and claimed_epoch is not distinct from $1",
    )
    .bind(epoch)
    .bind(unrun)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives back all durable rows that `epoch` holds but these; says how many.
pub async fn free_all_but(db: impl PgExecutor<'_>, epoch: i64, held: &[OutboxId]) -> Result<u64> {
    let done = sqlx::query(
        "update outbox
         set claimed_epoch = null, attempt = attempt - 1, lost_count = lost_count - 1,
             next_attempt_at = least(next_attempt_at, now())
         where claimed_epoch = $1 and reply_to is null and id <> all($2)",
    )
    .bind(epoch)
    .bind(held)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Frees rows whose run was cut off by the stop of this node: they run again, and no failure is counted.
pub async fn free(db: impl PgExecutor<'_>, epoch: i64, cut_off: &[OutboxId]) -> Result<()> {
    sqlx::query(
        "update outbox
         set claimed_epoch = null, lost_count = 0, next_attempt_at = least(next_attempt_at, now())
         where id = any($2) and claimed_epoch is not distinct from $1",
    )
    .bind(epoch)
    .bind(cut_off)
    .execute(db)
    .await?;
    Ok(())
}

/// Moves rows whose every run failed to the dead letters, in one transaction; says which were moved.
pub async fn bury(db: impl PgExecutor<'_>, epoch: i64, failed: &[Failed]) -> Result<Vec<OutboxId>> {
    let buried = sqlx::query_scalar(
        "with gone as (
             delete from outbox where id = any($2) and claimed_epoch is not distinct from $1 returning *
         ), written as (
             insert into dead_letters
                 (id, app_id, original_event_id, source, op, trigger_id, script_id, payload, body, origin_principal,
                  retry_max_attempts, retry_backoff, retry_base_ms, attempt_count, first_attempt_at,
                  last_attempt_at, last_error, errors, execution_id, root_execution_id, trigger_depth)
             select r.letter_id, gone.app_id, gone.event_id, gone.source_kind, gone.op, gone.trigger_id,
                    gone.script_id, gone.payload, gone.body, gone.origin_principal, gone.retry_max_attempts,
                    gone.retry_backoff, gone.retry_base_ms, gone.attempt_count + 1,
                    coalesce(gone.first_attempt_at, r.started_at), r.started_at, r.last_error, r.errors::json,
                    gone.execution_id, gone.root_execution_id, gone.trigger_depth
             from gone
             join unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[])
                  as r (id, letter_id, started_at, last_error, errors) on r.id = gone.id
         )
         select id from gone",
    )
    .bind(epoch)
    .bind(column(failed, |f| f.id))
    .bind(column(failed, |_| DeadLetterId::new()))
    .bind(column(failed, |f| f.started_at.utc()))
    .bind(column(failed, Failed::last_error))
    .bind(column(failed, Failed::errors_json))
    .fetch_all(db)
    .await?;
    Ok(buried)
}

impl Failed {
    fn errors_json(&self) -> String {
        let errors: Vec<RunError> = self
            .errors
            .iter()
            .map(|error| RunError { message: storable(error.message.clone()), ..error.clone() })
            .collect();
        serde_json::to_string(&errors).unwrap_or_else(|_| "[]".to_owned())
    }

    fn last_error(&self) -> String {
        storable(self.errors.last().map(|error| error.message.clone()).unwrap_or_default())
    }
}
