//! The execution log: kept by age, by number and by size.
//!
//! `seq` is the order of recording, so what is oldest lies at its low end and is
//! found by the primary key: an index by time would cost a write with every run.

use std::time::Duration;

use futures_util::FutureExt as _;
use sqlx::PgPool;

use super::{BATCH, Sweep, to_the_end};
use crate::base::Result;

/// How many rows are measured with one statement: few enough that none takes long.
const MEASURED_AT_ONCE: i64 = 20_000;

/// Deletes attempts by age.
pub(super) const OLD: Sweep =
    Sweep { name: "old executions", by_age: true, run: |db, keep| older(db, keep.execution_age).boxed() };

/// Deletes by age what is counted instead of recorded.
pub(super) const OLD_COUNTS: Sweep = Sweep {
    name: "old counts of executions",
    by_age: true,
    run: |db, keep| to_the_end(|| older_counts(db, keep.execution_age)).boxed(),
};

/// Deletes attempts by number.
pub(super) const TOO_MANY: Sweep = Sweep {
    name: "executions beyond the number kept",
    by_age: false,
    run: |db, keep| beyond_rows(db, keep.execution_rows.into()).boxed(),
};

/// Deletes attempts by size.
pub(super) const TOO_LARGE: Sweep = Sweep {
    name: "executions beyond the room kept",
    by_age: false,
    run: |db, keep| beyond_bytes(db, i64::try_from(keep.execution_bytes).unwrap_or(i64::MAX)).boxed(),
};

/// Walks up from the low end of `seq` until it meets an attempt that is young.
///
/// One from the future, recorded while the clock was wrong, says nothing about
/// those behind it.
async fn older(db: &PgPool, age: Duration) -> Result<u64> {
    let (mut after, mut total) = (i64::MIN, 0);
    loop {
        let (last, met_young, gone): (Option<i64>, bool, i64) = sqlx::query_as(
            "with lowest as materialized (
                 select seq, created_at from executions where seq > $1 order by seq limit $2
             ), old as (
                 select seq from executions
                 where seq = any(array(
                     select seq from lowest where created_at < now() - make_interval(secs => $3)
                 ))
                 for update skip locked
             ), gone as (
                 delete from executions using old where executions.seq = old.seq returning 1
             )
             select max(seq),
                    coalesce(bool_or(created_at between now() - make_interval(secs => $3) and now()), false),
                    (select count(*) from gone)
             from lowest",
        )
        .bind(after)
        .bind(BATCH)
        .bind(age.as_secs_f64())
        .fetch_one(db)
        .await?;
        total += gone.unsigned_abs();
        match last {
            Some(last) if !met_young => after = last,
            _ => return Ok(total),
        }
    }
}

async fn older_counts(db: &PgPool, age: Duration) -> Result<u64> {
    let done = sqlx::query(
        "delete from execution_overflow where ctid = any(array(
             select ctid from execution_overflow where hour < now() - make_interval(secs => $1)
             limit $2 for update skip locked
         ))",
    )
    .bind(age.as_secs_f64())
    .bind(BATCH)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Counts only where there may be more: two looks at the ends of the index tell.
async fn beyond_rows(db: &PgPool, rows: i64) -> Result<u64> {
    let first_beyond: Option<i64> = sqlx::query_scalar(
        "select seq from executions
         where (select max(seq) - min(seq) from executions) >= $1
         order by seq desc offset $1 limit 1",
    )
    .bind(rows)
    .fetch_optional(db)
    .await?;
    let Some(seq) = first_beyond else { return Ok(0) };
    to_the_end(|| up_to(db, seq)).await
}

/// Measures only where there may be too much: what the table takes on the disk
/// is never less than what its rows do, but stays when they are deleted.
async fn beyond_bytes(db: &PgPool, bytes: i64) -> Result<u64> {
    let on_disk: i64 =
        sqlx::query_scalar("select pg_total_relation_size('executions')").fetch_one(db).await?;
    if on_disk <= bytes {
        return Ok(0);
    }
    let (mut before, mut left) = (i64::MAX, bytes);
    loop {
        let (lowest, taken, first_beyond) = measure(db, before, left).await?;
        match (first_beyond, lowest) {
            (Some(seq), _) => return to_the_end(|| up_to(db, seq)).await,
            (None, Some(lowest)) => (before, left) = (lowest, left.saturating_sub(taken)),
            (None, None) => return Ok(0),
        }
    }
}

/// Of the newest attempts below `before`, as many as are measured at once: the
/// lowest, what they take, and the first that does not fit into `left` bytes.
///
/// What varies is asked of each row, its compressed logs without reading them;
/// 300 bytes are for the rest of it, its header and its places in three indexes.
async fn measure(db: &PgPool, before: i64, left: i64) -> Result<(Option<i64>, i64, Option<i64>)> {
    let measured = sqlx::query_as(
        "select min(seq), coalesce(sum(bytes), 0)::bigint, max(seq) filter (where so_far > $2)
         from (
             select seq, bytes, sum(bytes) over (order by seq desc) as so_far
             from (
                 select seq, 300 + pg_column_size(logs) + coalesce(pg_column_size(error_message), 0)
                        + coalesce(pg_column_size(request_summary), 0)
                        + coalesce(pg_column_size(response_summary), 0) as bytes
                 from executions where seq < $1 order by seq desc limit $3
             ) as newest
         ) as added_up",
    )
    .bind(before)
    .bind(left)
    .bind(MEASURED_AT_ONCE)
    .fetch_one(db)
    .await?;
    Ok(measured)
}

/// Deletes a batch of the attempts recorded up to `seq`.
async fn up_to(db: &PgPool, seq: i64) -> Result<u64> {
    let done = sqlx::query(
        "delete from executions where seq = any(array(
             select seq from executions where seq <= $1 order by seq limit $2 for update skip locked
         ))",
    )
    .bind(seq)
    .bind(BATCH)
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
