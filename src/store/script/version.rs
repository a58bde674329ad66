//! The versions of a script: looked at, and loaded to run.

use sqlx::{PgConnection, PgExecutor};

use super::list::that_fit;
use crate::base::{
    Result,
    cursor::{self, Page},
    id::ScriptId,
    time::Timestamp,
};

/// One version of a script.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow, serde::Serialize, schemars::JsonSchema)]
pub struct Version {
    /// Its number: 1, 2, 3, ...
    pub version: i32,
    /// Its source.
    pub source: String,
    /// The user name of who made it; null for what PiCloud made itself.
    pub author: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// One page of a script's versions, newest first; it ends early where sources are long.
pub async fn versions(
    conn: &mut PgConnection,
    id: ScriptId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Version>> {
    let before: Option<i32> = cursor::decode(cursor)?;
    let sizes: Vec<i64> = sqlx::query_scalar(
        "select octet_length(source)::bigint
         from script_versions
         where script_id = $1 and ($2::integer is null or version < $2)
         order by version desc
         limit $3",
    )
    .bind(id)
    .bind(before)
    .bind(i64::from(limit))
    .fetch_all(&mut *conn)
    .await?;
    let limit = that_fit(&sizes);
    let rows = sqlx::query_as(
        "select version, source, author, created_at
         from script_versions
         where script_id = $1 and ($2::integer is null or version < $2)
         order by version desc
         limit $3",
    )
    .bind(id)
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(conn)
    .await?;
    Ok(Page::cut(rows, limit, |row: &Version| row.version))
}

/// One version of a script.
pub async fn version(db: impl PgExecutor<'_>, id: ScriptId, version: i32) -> Result<Option<Version>> {
    let version = sqlx::query_as(
        "select version, source, author, created_at
         from script_versions
         where script_id = $1 and version = $2",
    )
    .bind(id)
    .bind(version)
    .fetch_optional(db)
    .await?;
    Ok(version)
}

/// The source of one version, for the engine.
pub async fn source(db: impl PgExecutor<'_>, id: ScriptId, version: i32) -> Result<Option<String>> {
    let source =
        sqlx::query_scalar("select source from script_versions where script_id = $1 and version = $2")
            .bind(id)
            .bind(version)
            .fetch_optional(db)
            .await?;
    Ok(source)
}
