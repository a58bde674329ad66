//! Rows of synchronous runs, recorded behind: they say what is under way.
//!
//! Such a row never waits and is never claimed. It is there while its run is,
//! and whoever takes over from a process that ended finds it.

use sqlx::PgExecutor;

use crate::{
    base::{
        Result,
        id::{AppId, CauseId, EventId, ExecutionId, InboxId, OutboxId, ScriptId, UserId},
        name::storable,
    },
    store::batch::{column, living},
};

/// A synchronous run that is under way.
#[derive(Clone, Debug)]
pub struct SyncRow {
    /// The row's id.
    pub id: OutboxId,
    /// Where its caller waits.
    pub inbox_id: InboxId,
    /// The app it runs in.
    pub app_id: AppId,
    /// The script that runs.
    pub script_id: ScriptId,
    /// The execution it is.
    pub execution_id: ExecutionId,
    /// The execution that began the chain.
    pub root_execution_id: ExecutionId,
    /// What kind of source set it off.
    pub source_kind: &'static str,
    /// What was asked: a method.
    pub op: String,
    /// The route that matched.
    pub cause: Option<CauseId>,
    /// On whose behalf it runs.
    pub principal: Option<UserId>,
    /// How many events lie between the root and this run.
    pub trigger_depth: i32,
}

/// Records runs as held by `epoch`, unless it was declared dead; those of apps
/// that are gone are left out, and so are those that are there already.
///
/// The node's row is held meanwhile, so that who declares it dead sees either
/// all of these rows or none.
pub async fn record(db: impl PgExecutor<'_>, epoch: i64, rows: &[&SyncRow]) -> Result<()> {
    sqlx::query(concat!(
        "with ours as (
             select epoch from nodes where epoch = $12 for key share
         ), ",
        living!("$3"),
        " insert into outbox
             (id, event_id, app_id, source_kind, op, trigger_id, script_id, reply_to, payload, origin_principal,
              trigger_depth, root_execution_id, execution_id, retry_max_attempts, retry_backoff, retry_base_ms,
              attempt, first_attempt_at, claimed_epoch)
         select r.id, r.event_id, r.app_id, r.source_kind, r.op, r.trigger_id, r.script_id, r.reply_to, '{}',
                r.origin_principal, r.trigger_depth, r.root_execution_id, r.execution_id, 1, 'constant', 10,
                1, now(), ours.epoch
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::uuid[],
                     $9::uuid[], $10::integer[], $11::uuid[], $13::uuid[])
              as r (id, event_id, app_id, source_kind, op, trigger_id, script_id, reply_to, origin_principal,
                    trigger_depth, root_execution_id, execution_id)
         join living on living.id = r.app_id
         cross join ours
         on conflict (id) do nothing",
    ))
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |_| EventId::new()))
    .bind(column(rows, |row| row.app_id))
    .bind(column(rows, |row| row.source_kind))
    .bind(column(rows, |row| storable(row.op.clone())))
    .bind(column(rows, |row| row.cause))
    .bind(column(rows, |row| row.script_id))
    .bind(column(rows, |row| row.inbox_id))
    .bind(column(rows, |row| row.principal))
    .bind(column(rows, |row| row.trigger_depth))
    .bind(column(rows, |row| row.root_execution_id))
    .bind(epoch)
    .bind(column(rows, |row| row.execution_id))
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes the rows of runs that have ended.
pub async fn erase(db: impl PgExecutor<'_>, ended: &[OutboxId]) -> Result<()> {
    sqlx::query("delete from outbox where id = any($1) and reply_to is not null")
        .bind(ended)
        .execute(db)
        .await?;
    Ok(())
}

/// Deletes every row of a synchronous run that `epoch` holds.
pub async fn erase_all(db: impl PgExecutor<'_>, epoch: i64) -> Result<()> {
    sqlx::query("delete from outbox where claimed_epoch = $1 and reply_to is not null")
        .bind(epoch)
        .execute(db)
        .await?;
    Ok(())
}
