//! Sessions that have expired: refused already, and in the way.

use futures_util::FutureExt as _;
use sqlx::PgPool;

use super::{BATCH, Sweep, to_the_end};
use crate::base::Result;

/// Deletes expired sessions.
pub(super) const SWEEP: Sweep =
    Sweep { name: "sessions", by_age: true, run: |db, _| to_the_end(|| batch(db)).boxed() };

async fn batch(db: &PgPool) -> Result<u64> {
    let done = sqlx::query(
        "delete from sessions where id = any(array(
             select id from sessions where expires_at <= now() limit $1 for update skip locked
         ))",
    )
    .bind(BATCH)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
