//! Putting durable rows.

use sqlx::PgExecutor;

use super::NewRow;
use crate::{
    base::{
        Result,
        id::{AppId, OutboxId},
        name::storable,
    },
    store::batch::{column, living},
};

/// Puts rows and says which were put: those of apps that are gone are not.
///
/// Rows for which `held` says so are put already claimed for `epoch`, so that
/// whoever put them can run them without reading them back.
pub async fn put(
    db: impl PgExecutor<'_>,
    rows: &[&NewRow],
    held: &[bool],
    epoch: i64,
) -> Result<Vec<OutboxId>> {
    let put = sqlx::query_scalar(concat!(
        "with ",
        living!("$3"),
        " insert into outbox
             (id, event_id, app_id, source_kind, op, trigger_id, script_id, payload, body, origin_principal,
              trigger_depth, root_execution_id, execution_id, retry_max_attempts, retry_backoff, retry_base_ms,
              attempt, lost_count, claimed_epoch)
         select r.id, r.event_id, r.app_id, r.source_kind, r.op, r.trigger_id, r.script_id, r.payload::json, r.body,
                r.origin_principal, r.trigger_depth, r.root_execution_id, r.execution_id, r.max_attempts, r.backoff,
                r.base_ms, r.held::integer, r.held::integer, case when r.held then $18::bigint end
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[],
                     $9::bytea[], $10::uuid[], $11::integer[], $12::uuid[], $13::uuid[], $14::integer[],
                     $15::text[], $16::integer[], $17::boolean[])
              as r (id, event_id, app_id, source_kind, op, trigger_id, script_id, payload, body, origin_principal,
                    trigger_depth, root_execution_id, execution_id, max_attempts, backoff, base_ms, held)
         join living on living.id = r.app_id
         returning id",
    ))
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |row| row.event_id))
    .bind(column(rows, |row| row.app_id))
    .bind(column(rows, |row| row.source_kind))
    .bind(column(rows, |row| storable(row.op.clone().into_owned())))
    .bind(column(rows, |row| row.cause))
    .bind(column(rows, |row| row.script_id))
    .bind(column(rows, |row| row.payload.as_str()))
    .bind(column(rows, |row| row.body.as_deref()))
    .bind(column(rows, |row| row.principal))
    .bind(column(rows, |row| row.trigger_depth))
    .bind(column(rows, |row| row.root_execution_id))
    .bind(column(rows, |row| row.execution_id))
    .bind(column(rows, |row| row.policy.max_attempts))
    .bind(column(rows, |row| row.policy.backoff.to_string()))
    .bind(column(rows, |row| row.policy.base_ms))
    .bind(held)
    .bind(epoch)
    .fetch_all(db)
    .await?;
    Ok(put)
}

/// How many rows of `app` wait, counted no further than `most`.
pub async fn waiting(db: impl PgExecutor<'_>, app: AppId, most: u32) -> Result<u32> {
    let waiting: i64 = sqlx::query_scalar(
        "select count(*) from (
             select from outbox where app_id = $1 and claimed_epoch is null and lost_count < 2 limit $2
         ) as counted",
    )
    .bind(app)
    .bind(i64::from(most))
    .fetch_one(db)
    .await?;
    Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
}

/// How many rows there are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Depth {
    /// Not run yet.
    pub waiting: i64,
    /// Run, and to be run again.
    pub retrying: i64,
    /// In a node's hands.
    pub running: i64,
}

/// How many durable rows there are in each state. Those that wait are counted
/// no further than `most`: a million take as long as running thousands.
pub async fn depth(db: impl PgExecutor<'_>, most: u32) -> Result<Depth> {
    let depth = sqlx::query_as(
        "select (select count(*) from outbox where claimed_epoch is not null and reply_to is null) as running,
                count(*) filter (where attempt = 0) as waiting, count(*) filter (where attempt > 0) as retrying
         from (
             (select attempt from outbox where claimed_epoch is null and lost_count < 2 limit $1)
             union all
             select attempt from outbox where claimed_epoch is null and lost_count >= 2
         ) as unclaimed",
    )
    .bind(i64::from(most))
    .fetch_one(db)
    .await?;
    Ok(depth)
}
