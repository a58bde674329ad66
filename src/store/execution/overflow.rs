//! Successes beyond an app's log budget: counted by the hour, not stored.

use sqlx::PgExecutor;

use crate::{
    base::{Result, id::AppId},
    store::batch::living,
};

/// Adds to the counts of the hour; apps that are gone are left out. In the
/// order of their ids, so that two nodes never wait for each other.
pub async fn add_overflow(db: impl PgExecutor<'_>, counts: &[(AppId, u64)]) -> Result<()> {
    let (apps, counts): (Vec<AppId>, Vec<i64>) =
        counts.iter().map(|(app, n)| (*app, i64::try_from(*n).unwrap_or(i64::MAX))).unzip();
    sqlx::query(concat!(
        "with ",
        living!("$1"),
        " insert into execution_overflow (app_id, hour, count)
         select r.app_id, date_trunc('hour', now()), r.count
         from unnest($1::uuid[], $2::bigint[]) as r (app_id, count)
         join living on living.id = r.app_id
         order by r.app_id
         on conflict (app_id, hour) do update set count = execution_overflow.count + excluded.count",
    ))
    .bind(apps)
    .bind(counts)
    .execute(db)
    .await?;
    Ok(())
}

/// How many successes of the last 24 hours were counted only.
pub async fn not_stored_lately(db: impl PgExecutor<'_>, app: AppId) -> Result<i64> {
    let count = sqlx::query_scalar(
        "select coalesce(sum(count), 0)::bigint
         from execution_overflow
         where app_id = $1 and hour > now() - interval '24 hours'",
    )
    .bind(app)
    .fetch_one(db)
    .await?;
    Ok(count)
}
