//! The audit log as administrators read it.

use serde_json::{Map, Value};
use sqlx::{PgExecutor, types::Json};

use crate::base::{
    Result,
    cursor::{self, Page},
    id::{AppId, AuditId, UserId},
    time::Timestamp,
};

/// One entry.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "AuditEntry")]
pub struct Told {
    #[serde(skip)]
    seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When, by the clock as it was then.
    pub at: Timestamp,
    /// Who; null at the console.
    pub actor_id: Option<UserId>,
    /// Their user name at that time, or `console`.
    pub actor: String,
    /// Where from; null at the console.
    pub address: Option<String>,
    /// What was done: `<noun>.<verb>`.
    pub action: String,
    /// To what: an id, or a name where there is none.
    pub target: Option<String>,
    /// The app it belonged to, which may be gone.
    pub app_id: Option<AppId>,
    /// What else there is to know.
    #[schemars(with = "Map<String, Value>")]
    pub details: Json<Map<String, Value>>,
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Those of this person, by user name at that time or id.
    pub actor: Option<String>,
    /// Those of this action, or of all actions on a noun.
    pub action: Option<String>,
    /// Those of this app.
    pub app: Option<AppId>,
}

/// One page of the log, newest first.
///
/// It has one index, its number: what is rare is found by going through the
/// log, which few people do and rarely, while each further index would be
/// written with every entry.
pub async fn list(
    db: impl PgExecutor<'_>,
    filter: &Filter,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Told>> {
    let before: Option<i64> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(
        "select seq, id, at, actor_id, actor, address, action, target, app_id, details
         from audit
         where ($1::bigint is null or seq < $1)
           and ($2::text is null or actor = lower($2) or actor_id::text = lower($2))
           and ($3::text is null or action = $3 or split_part(action, '.', 1) = $3)
           and ($4::uuid is null or app_id = $4)
         order by seq desc
         limit $5",
    )
    .bind(before)
    .bind(&filter.actor)
    .bind(&filter.action)
    .bind(filter.app)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |told: &Told| told.seq))
}
