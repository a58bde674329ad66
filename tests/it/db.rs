//! The pool, the migrations and the nudges, against the server PiCloud starts.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use picloud::{
    base::Error,
    db,
    postgres::{Server, Status},
};
use sqlx::PgPool;
use tokio::{sync::watch, time::timeout};

use crate::support::{
    DEADLINE,
    postgres::{DataDir, TestDb},
};

#[tokio::test]
async fn each_test_has_a_migrated_database_of_its_own() {
    let (one, two) = (TestDb::new().await, TestDb::new().await);
    sqlx::raw_sql("update instance set claimed_at = now()").execute(&one.pool).await.unwrap();
    let claimed = sqlx::query_scalar("select claimed_at is not null from instance").fetch_one(&two.pool);
    let claimed: bool = claimed.await.unwrap();
    assert!(!claimed);
}

#[tokio::test]
async fn two_that_migrate_at_once_take_turns() {
    let db = TestDb::unmigrated().await;
    let versions = join_all((0..4).map(|_| db::migrate(&db.pool))).await;
    let versions: Vec<i64> = versions.into_iter().map(|version| version.unwrap()).collect();
    let newest = newest_version(&db.pool).await;
    assert_eq!(versions, vec![newest; 4]);
}

#[tokio::test]
async fn an_older_program_leaves_a_newer_migration_alone() {
    let db = TestDb::new().await;
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'from tomorrow', true, '', 0)";
    sqlx::raw_sql(newer).execute(&db.pool).await.unwrap();
    assert_eq!(db::migrate(&db.pool).await.unwrap(), 9999);
}

#[tokio::test]
async fn a_migration_that_was_changed_afterwards_is_refused() {
    let db = TestDb::new().await;
    sqlx::raw_sql("update _sqlx_migrations set checksum = '' where version = 1")
        .execute(&db.pool)
        .await
        .unwrap();
    assert!(matches!(db::migrate(&db.pool).await, Err(Error::Internal { .. })));
    // The lock goes with the connection, which the server closes in its own time.
    let locks = "select count(*) from pg_locks join pg_database on pg_database.oid = database
         where locktype = 'advisory' and datname = current_database()";
    let patience = Instant::now() + Duration::from_secs(10);
    while sqlx::query_scalar::<_, i64>(locks).fetch_one(&db.pool).await.unwrap() > 0 {
        assert!(Instant::now() < patience, "the lock outlives the failure");
    }
}

#[tokio::test]
async fn no_connection_of_the_time_before_is_met_after_the_server_died() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let pool = db::connect(server.connect_options(), 5).await.unwrap();
    join_all((0..5).map(|_| sqlx::raw_sql("select pg_sleep(0.2)").execute(&pool))).await;
    assert_eq!(pool.size(), 5);

    kill_and_wait(&data_dir, &server).await;
    for _ in 0..10 {
        sqlx::raw_sql("select 1").execute(&pool).await.unwrap();
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_that_says_so() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let pool = db::connect(server.connect_options(), 2).await.unwrap();
    server.stop().await.unwrap();
    let error = db::notify(&pool, "any").await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn connecting_waits_for_a_server_that_is_yet_to_come() {
    let data_dir = DataDir::with_cluster().await;
    let connecting = tokio::spawn(db::connect(data_dir.layout().connect_options(), 2));
    let server = data_dir.start().await;
    let pool = timeout(DEADLINE, connecting).await.unwrap().unwrap().unwrap();
    db::notify(&pool, "any").await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_refuses_us_is_not_waited_for() {
    let db = TestDb::new().await;
    let refused = timeout(DEADLINE, db::connect(db.options.clone().database("nowhere"), 1)).await;
    let error = refused.unwrap().unwrap_err();
    assert!(!error.is_unavailable(), "{error:?}");
}

#[tokio::test]
async fn a_statement_that_takes_too_long_gives_its_connection_back() {
    let db = TestDb::new().await;
    let limits = sqlx::query_as(
        "select current_setting('statement_timeout'), current_setting('lock_timeout'),
                current_setting('idle_in_transaction_session_timeout')",
    );
    let limits: (String, String, String) = limits.fetch_one(&db.pool).await.unwrap();
    assert_eq!(limits, ("30s".to_owned(), "10s".to_owned(), "30s".to_owned()));
}

#[tokio::test]
async fn a_nudge_reaches_its_channel_and_no_other() {
    let db = TestDb::new().await;
    let (nudges, work) = db::listen(db.options.clone(), &["routes", "scripts"]);
    let (mut routes, mut scripts) =
        (nudges.subscribe("routes").unwrap(), nudges.subscribe("scripts").unwrap());
    assert!(nudges.subscribe("others").is_none());
    let work = tokio::spawn(work);
    // The first connection nudges everyone.
    changed(&mut routes).await;
    changed(&mut scripts).await;

    db::notify(&db.pool, "routes").await.unwrap();
    changed(&mut routes).await;
    assert!(!scripts.has_changed().unwrap());
    nudges.nudge("scripts");
    changed(&mut scripts).await;
    work.abort();
}

#[tokio::test]
async fn a_server_that_is_back_nudges_everyone_and_then_as_before() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let pool = db::connect(server.connect_options(), 2).await.unwrap();
    let (nudges, work) = db::listen(server.connect_options(), &["routes"]);
    let mut routes = nudges.subscribe("routes").unwrap();
    let work = tokio::spawn(work);
    changed(&mut routes).await;

    kill_and_wait(&data_dir, &server).await;
    changed(&mut routes).await;
    db::notify(&pool, "routes").await.unwrap();
    changed(&mut routes).await;
    work.abort();
    server.stop().await.unwrap();
}

/// Kills the server the way the kernel does when memory is short, and waits
/// until it is back by itself.
async fn kill_and_wait(data_dir: &DataDir, server: &Server) {
    let mut status = server.status();
    kill(data_dir.postmaster(), Signal::SIGKILL).unwrap();
    let away = status.wait_for(|status| *status != Status::Ready);
    timeout(DEADLINE, away).await.unwrap().unwrap();
    timeout(DEADLINE, status.wait_for(|status| *status == Status::Ready)).await.unwrap().unwrap();
}

async fn changed(nudge: &mut watch::Receiver<()>) {
    timeout(DEADLINE, nudge.changed()).await.expect("a nudge comes").unwrap();
}

async fn newest_version(db: &PgPool) -> i64 {
    let newest = sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(db);
    timeout(Duration::from_secs(5), newest).await.unwrap().unwrap()
}
