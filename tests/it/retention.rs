//! What is over is kept for a while: by age, by number, by size.

use picloud::{
    base::{Result, id::AppId},
    config::Retention,
    system::clock::Clock,
    upkeep::sweep_all,
};
use sqlx::PgPool;

use crate::{store_executions::an_app, support::postgres::TestDb, upkeep::KEPT};

/// The n-th id that was made.
const NTH_ID: &str = "('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid";

/// Writes dead letters `from` to `to`, the first the oldest, all of this age.
async fn dead_letters(db: &PgPool, app: AppId, (from, to): (i32, i32), age: &str) -> Result<()> {
    let statement = format!(
        "insert into dead_letters (id, app_id, original_event_id, source, op, script_id, payload,
                                   retry_max_attempts, retry_backoff, retry_base_ms, attempt_count, last_error,
                                   execution_id, root_execution_id, trigger_depth, created_at)
         select {NTH_ID}, $1, gen_random_uuid(), 'kv', 'insert', gen_random_uuid(), '{{}}', 3, 'linear', 1000, 3,
                'no', gen_random_uuid(), gen_random_uuid(), 0, now() - $4::interval
         from generate_series($2, $3) as n"
    );
    sqlx::query(&statement).bind(app).bind(from).bind(to).bind(age).execute(db).await?;
    Ok(())
}

/// The same of abandoned executions.
async fn abandoned(db: &PgPool, app: AppId, (from, to): (i32, i32), age: &str) -> Result<()> {
    let statement = format!(
        "insert into abandoned_executions (id, app_id, outbox_id, inbox_id, script_id, execution_id, status,
                                           summary, created_at)
         select {NTH_ID}, $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 500, '',
                now() - $4::interval
         from generate_series($2, $3) as n"
    );
    sqlx::query(&statement).bind(app).bind(from).bind(to).bind(age).execute(db).await?;
    Ok(())
}

/// The same of attempts in the execution log, each with a log of so many characters that do not compress.
async fn executions(db: &PgPool, app: AppId, (from, to): (i32, i32), age: &str, log: i32) -> Result<()> {
    sqlx::query(
        "insert into executions (seq, execution_id, attempt, root_execution_id, app_id, script_id, source,
                                 started_at, duration_us, operations, status, created_at, logs)
         overriding system value
         select n, gen_random_uuid(), 1, gen_random_uuid(), $1, gen_random_uuid(), 'http', now(), 0, 0, 200,
                now() - $4::interval,
                to_json((select coalesce(string_agg(gen_random_uuid()::text, ''), '')
                         from generate_series(1, $5 / 36) where n > 0))
         from generate_series($2, $3) as n",
    )
    .bind(app)
    .bind(from)
    .bind(to)
    .bind(age)
    .bind(log)
    .execute(db)
    .await?;
    Ok(())
}

/// What is left of a table: the numbers of the rows, in order.
async fn left(db: &PgPool, table: &str) -> Result<Vec<i64>> {
    let number = match table {
        "executions" => "seq",
        _ => "('x' || right(id::text, 12))::bit(48)::bigint",
    };
    Ok(sqlx::query_scalar(&format!("select {number} as n from {table} order by n")).fetch_all(db).await?)
}

const TABLES: [&str; 3] = ["dead_letters", "abandoned_executions", "executions"];

#[tokio::test]
async fn what_is_old_goes_and_only_while_the_clock_is_right() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    // One that is an hour younger than what is kept, and one that is an hour older.
    for (number, hours) in [(2, -1), (1, 1)] {
        let age = |days: i32| format!("{} hours", days * 24 + hours);
        dead_letters(db, app, (number, number), &age(30)).await?;
        abandoned(db, app, (number, number), &age(7)).await?;
        executions(db, app, (number, number), &age(14), 0).await?;
    }
    sqlx::query("update dead_letters set resolved_at = now(), resolution = 'ignored'").execute(db).await?;
    sqlx::query(
        "insert into execution_overflow (app_id, hour, count)
         select $1, date_trunc('hour', now()) - n * interval '1 day', 1 from unnest(array[13, 15]) as n",
    )
    .bind(app)
    .execute(db)
    .await?;
    sweep_all(db, &KEPT, Clock::Unknown).await;
    for table in TABLES {
        assert_eq!(left(db, table).await?, [1, 2], "{table}");
    }
    sweep_all(db, &KEPT, Clock::Synchronised).await;
    for table in TABLES {
        assert_eq!(left(db, table).await?, [2], "{table}");
    }
    let counts: i64 = sqlx::query_scalar("select count(*) from execution_overflow").fetch_one(db).await?;
    assert_eq!(counts, 1);
    Ok(())
}

#[tokio::test]
async fn what_is_too_much_goes_whatever_the_clock_says() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    dead_letters(db, app, (1, 8), "0 days").await?;
    abandoned(db, app, (1, 8), "0 days").await?;
    // Numbers that were never used are no rows.
    executions(db, app, (1, 4), "0 days", 0).await?;
    executions(db, app, (1_001, 1_004), "0 days", 0).await?;
    let few = Retention { dead_letter_rows: 5, abandoned_rows: 4, execution_rows: 6, ..KEPT };
    let enough = Retention { dead_letter_rows: 8, abandoned_rows: 8, execution_rows: 8, ..KEPT };
    sweep_all(db, &enough, Clock::Unknown).await;
    for table in TABLES {
        assert_eq!(left(db, table).await?.len(), 8, "{table}");
    }
    sweep_all(db, &few, Clock::Unknown).await;
    assert_eq!(left(db, "dead_letters").await?, [4, 5, 6, 7, 8]);
    assert_eq!(left(db, "abandoned_executions").await?, [5, 6, 7, 8]);
    assert_eq!(left(db, "executions").await?, [3, 4, 1_001, 1_002, 1_003, 1_004]);
    Ok(())
}

#[tokio::test]
async fn much_goes_in_batches_and_by_several_at_once() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    let many = (1, 12_000);
    dead_letters(db, app, many, "31 days").await?;
    abandoned(db, app, many, "0 days").await?;
    executions(db, app, many, "15 days", 0).await?;
    let kept = Retention { abandoned_rows: 1, ..KEPT };
    let sweep = || sweep_all(db, &kept, Clock::Synchronised);
    tokio::join!(sweep(), sweep());
    // What one had in its hands the other left to it.
    sweep().await;
    assert!(left(db, "dead_letters").await?.is_empty());
    assert_eq!(left(db, "abandoned_executions").await?, [12_000]);
    assert!(left(db, "executions").await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn attempts_recorded_in_the_future_keep_no_old_one() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    executions(db, app, (1, 5_001), "-400 days", 0).await?;
    executions(db, app, (5_002, 5_003), "15 days", 0).await?;
    executions(db, app, (5_004, 5_004), "1 day", 0).await?;
    sweep_all(db, &KEPT, Clock::Synchronised).await;
    let left = left(db, "executions").await?;
    assert_eq!((left.len(), left.last()), (5_002, Some(&5_004)));
    Ok(())
}

#[tokio::test]
async fn the_execution_log_takes_only_so_much_room() -> Result<()> {
    const LOG: i32 = 36 * 500;
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    executions(db, app, (1, 100), "0 days", LOG).await?;
    // The log is compressed a little; this is what the table takes.
    let each: i64 =
        sqlx::query_scalar("select max(pg_column_size(logs))::bigint from executions").fetch_one(db).await?;
    let room = |rows: i64| Retention {
        execution_bytes: usize::try_from((each + 400) * rows).expect("it is not much"),
        ..KEPT
    };
    sweep_all(db, &room(200), Clock::Unknown).await;
    assert_eq!(left(db, "executions").await?.len(), 100);
    sweep_all(db, &room(30), Clock::Unknown).await;
    let kept = left(db, "executions").await?;
    assert!((29..=32).contains(&kept.len()), "{} are left", kept.len());
    assert_eq!(kept.last(), Some(&100), "the newest are");
    // The file of the table has not become smaller, which is no reason to delete more.
    sweep_all(db, &room(30), Clock::Unknown).await;
    assert_eq!(left(db, "executions").await?, kept);
    Ok(())
}

#[tokio::test]
async fn a_long_execution_log_is_measured_in_pieces() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    executions(db, app, (1, 25_000), "0 days", 0).await?;
    // More than one piece, and less than all of it.
    let kept = Retention { execution_bytes: 303 * 22_000, ..KEPT };
    sweep_all(db, &kept, Clock::Unknown).await;
    let left = left(db, "executions").await?;
    assert!((20_500..=23_500).contains(&left.len()), "{} are left", left.len());
    assert_eq!(left.last(), Some(&25_000));
    Ok(())
}
