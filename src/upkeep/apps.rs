//! What deleted apps owned, and then the apps.

use futures_util::FutureExt as _;
use sqlx::PgPool;

use super::{BATCH, Sweep, to_the_end};
use crate::base::{Result, id::AppId};

/// Deletes the rows of deleted apps, the largest tables first.
pub(super) const SWEEP: Sweep =
    Sweep { name: "deleted apps", by_age: false, run: |db, _| to_the_end(|| batch(db)).boxed() };

/// The statement that deletes a batch of an app's rows from a table, or of those
/// for which something holds besides.
///
/// By `ctid`, because not every table has an id of one column.
macro_rules! rows_of {
    ($($table:literal $(if $more:literal)?),+ $(,)?) => {
        &[$(concat!(
            "delete from ", $table, " where ctid = any(array(",
            "select ctid from ", $table, " where app_id = $1 ", $("and ", $more,)? " limit $2 for update skip locked))"
        )),+]
    };
}

/// Every table with rows of an app, those that are referred to after those that refer.
/// The outbox has no index of all its rows by app: these three cover it.
const OWNED: &[&str] = rows_of![
    "executions",
    "execution_overflow",
    "outbox" if "claimed_epoch is null and lost_count < 2",
    "outbox" if "claimed_epoch is null and lost_count >= 2",
    "outbox" if "claimed_epoch is not null",
    "dead_letters",
    "abandoned_executions",
    "routes",
    "script_versions",
    "scripts",
    "api_keys",
    "members",
    "domains",
    "app_old_slugs",
];

/// Deletes one batch of the app that was deleted first; the app itself once nothing is left of it.
async fn batch(db: &PgPool) -> Result<u64> {
    let app: Option<AppId> = sqlx::query_scalar(
        "select id from apps where deleted_at is not null order by deleted_at, id limit 1",
    )
    .fetch_optional(db)
    .await?;
    let Some(app) = app else { return Ok(0) };
    for statement in OWNED {
        let done = sqlx::query(statement).bind(app).bind(BATCH).execute(db).await?;
        if done.rows_affected() > 0 {
            return Ok(done.rows_affected());
        }
    }
    let done = sqlx::query("delete from apps where id = $1").bind(app).execute(db).await?;
    Ok(done.rows_affected())
}
