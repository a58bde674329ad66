//! Writing abandoned executions down.

use sqlx::PgExecutor;

use crate::{
    base::{
        Result,
        id::{AbandonedId, AppId, ExecutionId, InboxId, OutboxId, ScriptId},
        name::{storable, truncated},
    },
    store::batch::{column, living},
};

/// The most a summary holds, in bytes.
const SUMMARY_LIMIT: usize = 4096;

/// An outcome nobody waited for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NewAbandoned {
    /// The row the run had in the outbox, or would have had.
    pub outbox_id: OutboxId,
    /// Where its caller waited.
    pub inbox_id: InboxId,
    /// The app it ran in.
    pub app_id: AppId,
    /// The script that ran.
    pub script_id: ScriptId,
    /// The execution it was.
    pub execution_id: ExecutionId,
    /// What the caller would have been answered.
    pub status: i16,
    /// What came of it, in a line.
    pub summary: String,
}

/// Writes them down and says of which apps those were that are new: apps that
/// are gone are left out, and so is what is there already.
pub async fn insert(db: impl PgExecutor<'_>, entries: &[NewAbandoned]) -> Result<Vec<AppId>> {
    if entries.is_empty() {
        return Ok(Vec::new());
    }
    let apps = sqlx::query_scalar(concat!(
        "with ",
        living!("$2"),
        " insert into abandoned_executions
             (id, app_id, outbox_id, inbox_id, script_id, execution_id, status, summary)
         select r.id, r.app_id, r.outbox_id, r.inbox_id, r.script_id, r.execution_id, r.status, r.summary
         from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::smallint[],
                     $8::text[])
              as r (id, app_id, outbox_id, inbox_id, script_id, execution_id, status, summary)
         join living on living.id = r.app_id
         on conflict (outbox_id) do nothing
         returning app_id",
    ))
    .bind(column(entries, |_| AbandonedId::new()))
    .bind(column(entries, |e| e.app_id))
    .bind(column(entries, |e| e.outbox_id))
    .bind(column(entries, |e| e.inbox_id))
    .bind(column(entries, |e| e.script_id))
    .bind(column(entries, |e| e.execution_id))
    .bind(column(entries, |e| e.status))
    .bind(column(entries, |e| truncated(storable(e.summary.clone()), SUMMARY_LIMIT)))
    .fetch_all(db)
    .await?;
    Ok(apps)
}
