//! What is over and kept for a while: dead letters, abandoned executions.
//!
//! By age, resolved or not; and by number, which needs no clock: ids are in the
//! order in which they were made.

use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::PgPool;

use super::{BATCH, Sweep, to_the_end};
use crate::base::Result;

/// Deletes a batch of the rows of a table that are older than `$1` seconds.
macro_rules! older_in {
    ($table:literal) => {
        concat!(
            "delete from ",
            $table,
            " where id = any(array(select id from ",
            $table,
            " where created_at < now() - make_interval(secs => $1)
              order by created_at limit $2 for update skip locked))"
        )
    };
}

/// Deletes a batch of the rows of a table that are beyond the `$1` newest.
macro_rules! beyond_in {
    ($table:literal) => {
        concat!(
            "delete from ",
            $table,
            " where id = any(array(select id from ",
            $table,
            " where id <= (select id from ",
            $table,
            " order by id desc offset $1 limit 1)
              order by id limit $2 for update skip locked))"
        )
    };
}

/// Deletes dead letters by age.
pub(super) const OLD_DEAD_LETTERS: Sweep = Sweep {
    name: "old dead letters",
    by_age: true,
    run: |db, keep| to_the_end(|| older(db, older_in!("dead_letters"), keep.dead_letter_age)).boxed(),
};

/// Deletes dead letters by number.
pub(super) const TOO_MANY_DEAD_LETTERS: Sweep = Sweep {
    name: "dead letters beyond the number kept",
    by_age: false,
    run: |db, keep| to_the_end(|| beyond(db, beyond_in!("dead_letters"), keep.dead_letter_rows)).boxed(),
};

/// Deletes abandoned executions by age.
pub(super) const OLD_ABANDONED: Sweep = Sweep {
    name: "old abandoned executions",
    by_age: true,
    run: |db, keep| to_the_end(|| older(db, older_in!("abandoned_executions"), keep.abandoned_age)).boxed(),
};

/// Deletes abandoned executions by number.
pub(super) const TOO_MANY_ABANDONED: Sweep = Sweep {
    name: "abandoned executions beyond the number kept",
    by_age: false,
    run: |db, keep| {
        to_the_end(|| beyond(db, beyond_in!("abandoned_executions"), keep.abandoned_rows)).boxed()
    },
};

async fn older(db: &PgPool, statement: &'static str, age: Duration) -> Result<u64> {
    let done = sqlx::query(statement).bind(age.as_secs_f64()).bind(BATCH).execute(db).await?;
    Ok(done.rows_affected())
}

async fn beyond(db: &PgPool, statement: &'static str, rows: u32) -> Result<u64> {
    let done = sqlx::query(statement).bind(i64::from(rows)).bind(BATCH).execute(db).await?;
    Ok(done.rows_affected())
}
