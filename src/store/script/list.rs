//! An app's scripts, a page at a time.

use sqlx::PgConnection;

use super::Script;
use crate::base::{
    Result,
    cursor::{self, Page},
    id::AppId,
};

/// How many bytes of source a page may have: scripts are mostly short, but 200
/// of the longest would be an answer of 50 MiB.
const PAGE_BYTES: i64 = 1024 * 1024;

/// One page of an app's scripts, by name; it ends early where sources are long.
pub async fn list(
    conn: &mut PgConnection,
    app: AppId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Script>> {
    let after: Option<String> = cursor::decode(cursor)?;
    let sizes: Vec<i64> = sqlx::query_scalar(
        "select octet_length(source)::bigint
         from scripts
         join script_versions on script_versions.script_id = scripts.id
              and script_versions.version = scripts.version
         where scripts.app_id = $1 and ($2::text is null or name > $2)
         order by name
         limit $3",
    )
    .bind(app)
    .bind(&after)
    .bind(i64::from(limit))
    .fetch_all(&mut *conn)
    .await?;
    let limit = that_fit(&sizes);
    let rows = sqlx::query_as(
        "select scripts.id, scripts.app_id, name, source, description, scripts.version, enabled,
                timeout_seconds, sandbox, scripts.created_at, updated_at
         from scripts
         join script_versions on script_versions.script_id = scripts.id
              and script_versions.version = scripts.version
         where scripts.app_id = $1 and ($2::text is null or name > $2)
         order by name
         limit $3",
    )
    .bind(app)
    .bind(&after)
    .bind(i64::from(limit) + 1)
    .fetch_all(conn)
    .await?;
    Ok(Page::cut(rows, limit, |script: &Script| script.name.clone()))
}

/// How many of these sources fit into one page: at least one.
pub(super) fn that_fit(sizes: &[i64]) -> u32 {
    let mut bytes = 0_i64;
    let fitting = sizes.iter().take_while(|size| {
        bytes += **size;
        bytes <= PAGE_BYTES
    });
    u32::try_from(fitting.count()).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_its_sources_are_too_long() {
        assert_eq!(that_fit(&[10, 10, 10]), 3);
        assert_eq!(that_fit(&[PAGE_BYTES, 1]), 1);
        assert_eq!(that_fit(&[PAGE_BYTES - 1, 1, 1]), 2);
        assert_eq!((that_fit(&[PAGE_BYTES + 1]), that_fit(&[])), (1, 1));
    }
}
