//! The instance: one row that says what is true of the whole machine.

use std::time::Duration;

use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::{
    access::password::Cost,
    base::{Result, time::Timestamp},
};

/// Whether somebody owns the machine.
pub async fn is_claimed(db: impl PgExecutor<'_>) -> Result<bool> {
    Ok(sqlx::query_scalar("select claimed_at is not null from instance").fetch_one(db).await?)
}

/// Marks the machine as claimed; false if it was already. The row's lock
/// decides between two who claim at once.
pub async fn claim(db: impl PgExecutor<'_>) -> Result<bool> {
    let done = sqlx::query(
        "update instance set claimed_at = now(), claim_code_hash = null where claimed_at is null",
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What the tokens in forms are made with.
pub async fn form_key(db: impl PgExecutor<'_>) -> Result<Vec<u8>> {
    Ok(sqlx::query_scalar("select form_key from instance").fetch_one(db).await?)
}

/// Notes the first start of all: the power-up it fell in, and the time since then.
/// Returns what was noted then, by this start or an earlier one.
pub async fn note_start(db: &PgPool, boot: &str, uptime: Duration) -> Result<Option<(String, Duration)>> {
    let uptime = i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX);
    sqlx::query("update instance set first_boot = $1, first_uptime_ms = $2 where first_boot is null")
        .bind(boot)
        .bind(uptime)
        .execute(db)
        .await?;
    let noted: Option<(String, i64)> =
        sqlx::query_as("select first_boot, first_uptime_ms from instance where first_boot is not null")
            .fetch_optional(db)
            .await?;
    Ok(noted.map(|(boot, ms)| (boot, Duration::from_millis(ms.unsigned_abs()))))
}

/// The hash of the code that claiming asks for, if one was made.
pub async fn claim_code(db: impl PgExecutor<'_>) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar("select claim_code_hash from instance").fetch_one(db).await?)
}

/// Puts another code in force while nobody owns the machine.
pub async fn keep_claim_code(db: impl PgExecutor<'_>, hash: &[u8]) -> Result<()> {
    sqlx::query("update instance set claim_code_hash = $1 where claimed_at is null")
        .bind(hash)
        .execute(db)
        .await?;
    Ok(())
}

/// What a password hash costs here, if it was measured.
pub async fn password_cost(db: impl PgExecutor<'_>) -> Result<Option<Cost>> {
    let row: Option<(i32, i32, i32)> = sqlx::query_as(
        "select password_memory_kib, password_iterations, password_parallelism
         from instance where password_memory_kib is not null",
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|(memory, iterations, parallelism)| Cost {
        memory_kib: memory.unsigned_abs(),
        iterations: iterations.unsigned_abs(),
        parallelism: parallelism.unsigned_abs(),
    }))
}

/// Keeps the measured cost, unless another node was first; returns the one that holds.
pub async fn keep_password_cost(db: &mut PgConnection, cost: Cost) -> Result<Cost> {
    sqlx::query(
        "update instance
         set password_memory_kib = $1, password_iterations = $2, password_parallelism = $3
         where password_memory_kib is null",
    )
    .bind(i64::from(cost.memory_kib))
    .bind(i64::from(cost.iterations))
    .bind(i64::from(cost.parallelism))
    .execute(&mut *db)
    .await?;
    Ok(password_cost(db).await?.unwrap_or(cost))
}

/// When the clock was last known to be right.
pub async fn last_good_time(db: impl PgExecutor<'_>) -> Result<Option<Timestamp>> {
    Ok(sqlx::query_scalar("select last_good_time from instance").fetch_one(db).await?)
}

/// Notes that the clock is right now; written at most once an hour, since every
/// write wears the card. Returns what holds.
pub async fn clock_is_right(db: &mut PgConnection) -> Result<Option<Timestamp>> {
    sqlx::query(
        "update instance set last_good_time = now()
         where last_good_time is null or last_good_time not between now() - interval '1 hour' and now()",
    )
    .execute(&mut *db)
    .await?;
    last_good_time(db).await
}

/// How the wall clock stood when it was last looked at: which start of the
/// machine that was, the time, and that less the time since power-up in milliseconds.
pub async fn clock_seen(db: impl PgExecutor<'_>) -> Result<Option<(String, Timestamp, i64)>> {
    let seen = sqlx::query_as(
        "select clock_boot, clock_seen_at, clock_offset_ms from instance where clock_boot is not null",
    );
    Ok(seen.fetch_optional(db).await?)
}

/// Keeps how the wall clock stands.
pub async fn keep_clock(
    db: impl PgExecutor<'_>,
    (boot, at, offset_ms): (&str, Timestamp, i64),
) -> Result<()> {
    sqlx::query("update instance set clock_boot = $1, clock_seen_at = $2, clock_offset_ms = $3")
        .bind(boot)
        .bind(at)
        .bind(offset_ms)
        .execute(db)
        .await?;
    Ok(())
}
