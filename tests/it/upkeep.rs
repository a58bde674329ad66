//! Sweeping: what was deleted goes, and nothing else.

use std::{collections::BTreeSet, time::Duration};

use picloud::{
    base::{Error, Result, id::AppId},
    config::Retention,
    store::{app, execution},
    system::{
        clock::{Clock, Watch},
        tasks::Tasks,
    },
    upkeep::{Upkeep, sweep_all},
};
use sqlx::PgPool;

use crate::{
    store_executions::{an_app, attempt},
    support::{DEADLINE, eventually, postgres::TestDb},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long what is over is kept where nobody has said otherwise.
pub const KEPT: Retention = Retention {
    dead_letter_age: DAY.saturating_mul(30),
    dead_letter_rows: 100_000,
    abandoned_age: DAY.saturating_mul(7),
    abandoned_rows: 10_000,
    execution_age: DAY.saturating_mul(14),
    execution_rows: 1_000_000,
    execution_bytes: 1 << 30,
};

/// Every table that has rows of an app.
async fn tables_of_apps(db: &PgPool) -> Result<BTreeSet<String>> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select c.table_name::text
         from information_schema.columns c
         join information_schema.tables t using (table_schema, table_name)
         where c.table_schema = 'public' and c.column_name = 'app_id' and t.table_type = 'BASE TABLE'",
    )
    .fetch_all(db)
    .await?;
    // The record of who changed what outlives the app.
    Ok(tables.into_iter().filter(|table| table != "audit").collect())
}

/// Gives an app a row in every table there is for rows of an app.
async fn fill(db: &PgPool, app: AppId, name: &str) -> Result<()> {
    let executions: Vec<_> = (0..3).map(|_| attempt(app)).collect();
    execution::insert(db, &executions).await?;
    execution::add_overflow(db, &[(app, 7)]).await?;
    for statement in [
        "insert into scripts (id, app_id, name, timeout_seconds, version)
         values (gen_random_uuid(), $1, $2, 30, 1)",
        "insert into script_versions (app_id, script_id, version, source)
         select app_id, id, 1, '' from scripts where app_id = $1 and name = $2",
        "insert into routes (id, app_id, script_id, host_kind, path_kind, path, path_shape)
         select gen_random_uuid(), app_id, id, 'any', 'exact', '/', '/' from scripts
         where app_id = $1 and name = $2",
        "insert into domains (id, app_id, pattern) values (gen_random_uuid(), $1, $2 || '.local')",
        "insert into app_old_slugs (slug, app_id) select $2 || '-old', $1",
        "with person as (
             insert into users (id, username, password_hash, instance_role)
             values (gen_random_uuid(), $2, '', 'member') returning id
         ), member as (
             insert into members (app_id, user_id, role) select $1, id, 'viewer' from person
         )
         insert into api_keys (id, user_id, name, prefix, key_hash, scopes, app_id)
         select gen_random_uuid(), id, $2, $2, sha256(''), '{log:read}', $1 from person",
        "insert into outbox (id, event_id, app_id, source_kind, op, script_id, payload, root_execution_id,
                             execution_id, retry_max_attempts, retry_backoff, retry_base_ms, lost_count,
                             claimed_epoch)
         select gen_random_uuid(), gen_random_uuid(), $1, 'kv', $2, gen_random_uuid(), '{}', gen_random_uuid(),
                gen_random_uuid(), 3, 'linear', 1000, lost, epoch
         from (values (0, null), (2, null), (0, 1), (2, 1)) as state (lost, epoch)",
        "insert into dead_letters (id, app_id, original_event_id, source, op, script_id, payload,
                                   retry_max_attempts, retry_backoff, retry_base_ms, attempt_count, last_error,
                                   execution_id, root_execution_id, trigger_depth)
         select gen_random_uuid(), $1, gen_random_uuid(), 'kv', $2, gen_random_uuid(), '{}', 3, 'linear', 1000, 3,
                'no', gen_random_uuid(), gen_random_uuid(), 0",
        "insert into abandoned_executions (id, app_id, outbox_id, inbox_id, script_id, execution_id, status, summary)
         select gen_random_uuid(), $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
                gen_random_uuid(), 500, $2",
    ] {
        sqlx::query(statement).bind(app).bind(name).execute(db).await?;
    }
    Ok(())
}

async fn rows_of(db: &PgPool, table: &str, app: AppId) -> Result<i64> {
    let count = format!("select count(*) from {table} where app_id = $1");
    Ok(sqlx::query_scalar(&count).bind(app).fetch_one(db).await?)
}

#[tokio::test]
async fn all_that_a_deleted_app_owned_goes_and_nothing_of_another() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let (gone, kept) = (an_app(db).await?, an_app(db).await?);
    let tables = tables_of_apps(db).await?;
    for (app, name) in [(gone, "gone"), (kept, "kept")] {
        fill(db, app, name).await?;
        for table in &tables {
            assert!(rows_of(db, table, app).await? > 0, "this test must fill {table} too");
        }
    }
    app::delete(&mut *db.acquire().await?, gone).await?;
    // A row that came in at the very end, from whoever had not heard of it yet.
    sqlx::query("insert into domains (id, app_id, pattern) values (gen_random_uuid(), $1, 'late.local')")
        .bind(gone)
        .execute(db)
        .await?;
    sweep_all(db, &KEPT, Clock::Unknown).await;
    for table in &tables {
        assert_eq!(rows_of(db, table, gone).await?, 0, "{table}");
        assert!(rows_of(db, table, kept).await? > 0, "{table}");
    }
    let apps: Vec<AppId> = sqlx::query_scalar("select id from apps").fetch_all(db).await?;
    assert_eq!(apps, [kept]);
    Ok(())
}

#[tokio::test]
async fn many_rows_go_in_batches() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    sqlx::query(
        "insert into executions (execution_id, attempt, root_execution_id, app_id, script_id, source, started_at,
                                 duration_us, operations, status)
         select gen_random_uuid(), 1, gen_random_uuid(), $1, gen_random_uuid(), 'http', now(), 0, 0, 200
         from generate_series(1, 12000)",
    )
    .bind(app)
    .execute(db)
    .await?;
    app::delete(&mut *db.acquire().await?, app).await?;
    // Two nodes may sweep at once.
    tokio::join!(sweep_all(db, &KEPT, Clock::Unknown), sweep_all(db, &KEPT, Clock::Unknown));
    let apps: i64 = sqlx::query_scalar("select count(*) from apps").fetch_one(db).await?;
    assert_eq!(apps, 0);
    Ok(())
}

#[tokio::test]
async fn sessions_go_by_age_only_while_the_clock_is_right() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    sqlx::query(
        "with ada as (
             insert into users (id, username, password_hash, instance_role)
             values (gen_random_uuid(), 'ada', '', 'owner') returning id
         )
         insert into sessions (id, user_id, token_hash, address, expires_at, ends_at)
         select gen_random_uuid(), ada.id, sha256(n::text::bytea), '::1', now() + n * interval '1 hour',
                now() + interval '1 day'
         from ada, generate_series(-2, 1) as n",
    )
    .execute(db)
    .await?;
    let sessions = || async {
        Ok::<i64, Error>(sqlx::query_scalar("select count(*) from sessions").fetch_one(db).await?)
    };
    sweep_all(db, &KEPT, Clock::Unknown).await;
    assert_eq!(sessions().await?, 4);
    sweep_all(db, &KEPT, Clock::Synchronised).await;
    assert_eq!(sessions().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_nudge_starts_a_round_at_once_and_a_stop_ends_the_runner() -> Result<()> {
    let test = TestDb::new().await;
    let db = &test.pool;
    let app = an_app(db).await?;
    let tasks = Tasks::new();
    let upkeep = Upkeep::start(db.clone(), KEPT, Watch::default(), &tasks);
    app::delete(&mut *db.acquire().await?, app).await?;
    upkeep.nudge();
    eventually("the app's row is gone", || async {
        let apps: i64 = sqlx::query_scalar("select count(*) from apps").fetch_one(db).await.ok()?;
        (apps == 0).then_some(())
    })
    .await;
    assert!(tasks.stop(DEADLINE).await.is_empty());
    Ok(())
}
