//! The other nodes, as one of them sees them.

use sqlx::PgExecutor;

use super::CLASS;
use crate::base::Result;

/// An epoch that is not ours: a node's, or one that rows are claimed for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Other {
    /// The epoch.
    pub epoch: i64,
    /// The name of its machine; none if no node has this epoch.
    pub name: Option<String>,
    /// How often it has said that it goes on; none if no node has this epoch.
    pub beat: Option<i64>,
    /// Whether a session holds the epoch's lock.
    pub locked: bool,
}

/// Every epoch in `nodes` and in the rows, our own included; it writes nothing.
///
/// The rows are looked through by a loose scan: one probe of the index for each epoch.
pub async fn others(db: impl PgExecutor<'_>) -> Result<Vec<Other>> {
    let others = sqlx::query_as(
        "with recursive claimed (epoch) as (
             (select claimed_epoch from outbox
              where claimed_epoch is not null order by claimed_epoch limit 1)
             union all
             select (select o.claimed_epoch from outbox o
                     where o.claimed_epoch > claimed.epoch order by o.claimed_epoch limit 1)
             from claimed where claimed.epoch is not null
         ),
         locked as materialized (
             select objid::bigint as epoch from pg_locks
             where locktype = 'advisory' and granted and objsubid = 2 and classid = $1::bigint::oid
               and database = (select oid from pg_database where datname = current_database())
         )
         select coalesce(n.epoch, c.epoch) as epoch, n.name, n.beat,
                coalesce(n.epoch, c.epoch) in (select epoch from locked) as locked
         from nodes n full join (select epoch from claimed where epoch is not null) c on c.epoch = n.epoch
         order by 1",
    )
    .bind(i64::from(CLASS))
    .fetch_all(db)
    .await?;
    Ok(others)
}

/// Says that a node goes on.
pub async fn beat(db: impl PgExecutor<'_>, epoch: i64) -> Result<()> {
    sqlx::query("update nodes set beat = beat + 1 where epoch = $1").bind(epoch).execute(db).await?;
    Ok(())
}

/// Ends the session of a node that has stood still, and with it its lock; says whether there was one.
pub async fn silence(db: impl PgExecutor<'_>, epoch: i64) -> Result<bool> {
    terminate(db, epoch, None).await
}

/// Ends the session that holds an epoch's lock, if it is the one of `backend` where one is named.
pub(super) async fn terminate(db: impl PgExecutor<'_>, epoch: i64, backend: Option<i32>) -> Result<bool> {
    let ended: Option<bool> = sqlx::query_scalar(
        "select bool_or(pg_terminate_backend(pid)) from pg_locks
         where locktype = 'advisory' and granted and objsubid = 2 and pid = coalesce($3, pid)
           and classid = $1::bigint::oid and objid = $2::oid
           and database = (select oid from pg_database where datname = current_database())",
    )
    .bind(i64::from(CLASS))
    .bind(epoch)
    .bind(backend)
    .fetch_one(db)
    .await?;
    Ok(ended.unwrap_or_default())
}
