//! Sign-ins that failed and slow nobody down any more.
//!
//! Whoever makes up names and addresses makes rows: so there is a bound by
//! number too. It forgives what is forgotten, at the price of as many tries.

use futures_util::FutureExt as _;
use sqlx::PgPool;

use super::{BATCH, Sweep, to_the_end};
use crate::base::Result;

/// How many rows are kept at most: some hundred bytes each.
const MOST: i64 = 50_000;

/// Deletes failures that are more than a day old.
pub(super) const OLD: Sweep =
    Sweep { name: "old failures to sign in", by_age: true, run: |db, _| to_the_end(|| old(db)).boxed() };

/// Deletes failures by number, those first that were last added to longest ago.
pub(super) const TOO_MANY: Sweep = Sweep {
    name: "failures to sign in beyond the number kept",
    by_age: false,
    run: |db, _| to_the_end(|| beyond(db, MOST)).boxed(),
};

async fn old(db: &PgPool) -> Result<u64> {
    let done = sqlx::query(
        "delete from sign_in_failures where (kind, key) in (
             select kind, key from sign_in_failures
             where last_at < now() - interval '1 day' limit $1 for update skip locked
         )",
    )
    .bind(BATCH)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

async fn beyond(db: &PgPool, most: i64) -> Result<u64> {
    let done = sqlx::query(
        "delete from sign_in_failures where (kind, key) in (
             select kind, key from sign_in_failures order by last_at desc offset $1 limit $2
         )",
    )
    .bind(most)
    .bind(BATCH)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
