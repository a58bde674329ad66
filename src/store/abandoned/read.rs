//! Reading them.

use serde::Serialize;
use sqlx::PgExecutor;

use crate::base::{
    Result,
    cursor::{self, Page},
    id::{AbandonedId, AppId, ExecutionId, InboxId, OutboxId, ScriptId},
    time::Timestamp,
};

/// A synchronous run nobody waited for.
#[derive(Clone, Debug, sqlx::FromRow, Serialize, schemars::JsonSchema)]
pub struct Abandoned {
    /// Its id.
    pub id: AbandonedId,
    /// The row that stood for it.
    pub outbox_id: OutboxId,
    /// Where its caller waited.
    pub inbox_id: InboxId,
    /// The script that ran.
    pub script_id: ScriptId,
    /// Its execution; in the log if it ended.
    pub execution_id: ExecutionId,
    /// What the caller would have been answered.
    pub status: i16,
    /// What became of it, in a few words.
    pub summary: String,
    /// When it was written down.
    pub created_at: Timestamp,
}

/// One page of an app's abandoned executions, newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    app: AppId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Abandoned>> {
    let before: Option<AbandonedId> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(
        "select id, outbox_id, inbox_id, script_id, execution_id, status, summary, created_at
         from abandoned_executions
         where app_id = $1 and ($2::uuid is null or id < $2)
         order by id desc
         limit $3",
    )
    .bind(app)
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |row: &Abandoned| row.id))
}
