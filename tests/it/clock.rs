//! A clock that was wrong: sessions that began under it end, and say why.

use std::time::Duration;

use picloud::{
    base::time::Timestamp,
    system::clock::{Clock, Reading, Watch},
    upkeep::clock::Keeper,
};
use sqlx::PgPool;

use crate::support::{
    app::TestApp,
    http::{Answer, Person},
    postgres::TestDb,
};

const ME: &str = "/api/v1/auth/me";

async fn sql(db: &PgPool, statement: &'static str) {
    sqlx::query(statement).execute(db).await.expect(statement);
}

fn says_clock(answer: &Answer) -> bool {
    answer.problem(401).contains("clock")
}

/// An owner whose session began while nobody knew the time, or somebody did.
async fn owner(test: &TestApp, clock_was_right: bool) -> Person {
    let owner = test.owner().await;
    let written = sqlx::query("update sessions set clock_was_right = $1").bind(clock_was_right);
    written.execute(test.pool()).await.expect("sql");
    owner
}

/// Starts it again after the clock was set by so many minutes while it did not run.
async fn restarted_after_step(test: TestApp, owner: &Person, minutes: i64) -> (TestApp, Person) {
    let db = test.stop().await;
    let kept = sqlx::query("update instance set clock_offset_ms = clock_offset_ms + $1 * 60000");
    kept.bind(minutes).execute(&db.pool).await.expect("sql");
    let test = TestApp::start_on(db, &[]).await;
    let owner = test.nobody().with_token(owner.token().expect("a token"));
    (test, owner)
}

#[tokio::test]
async fn a_session_that_has_not_begun_yet_is_refused() {
    let test = TestApp::start().await;
    let owner = owner(&test, true).await;
    sql(test.pool(), "update sessions set created_at = now() + interval '6 minutes'").await;
    assert!(says_clock(&owner.get(ME).await));
    sql(test.pool(), "update sessions set created_at = now() + interval '4 minutes'").await;
    assert_eq!(owner.get(ME).await.status, 200);
}

#[tokio::test]
async fn a_session_of_an_unknown_time_ends_when_the_clock_is_set() {
    for minutes in [61, -61] {
        let test = TestApp::start().await;
        let owner = owner(&test, false).await;
        let (test, owner) = restarted_after_step(test, &owner, minutes).await;
        assert!(says_clock(&owner.get(ME).await), "{minutes}");
        // It stays so, also once it is over.
        let over = "update sessions set expires_at = now() - interval '1 day'";
        sql(test.pool(), over).await;
        assert!(says_clock(&owner.get(ME).await), "{minutes}");
    }
}

#[tokio::test]
async fn other_sessions_go_on_when_the_clock_is_set() {
    for (clock_was_right, minutes) in [(true, 600), (false, 59), (false, -59), (false, 0)] {
        let test = TestApp::start().await;
        let owner = owner(&test, clock_was_right).await;
        let (_test, owner) = restarted_after_step(test, &owner, minutes).await;
        assert_eq!(owner.get(ME).await.status, 200, "{clock_was_right} {minutes}");
    }
}

#[tokio::test]
async fn a_session_that_the_clock_has_overtaken_says_so() {
    let test = TestApp::start().await;
    let owner = owner(&test, false).await;
    sql(test.pool(), "update sessions set expires_at = now() - interval '1 day'").await;
    assert!(says_clock(&owner.get(ME).await));
    sql(test.pool(), "update sessions set clock_was_right = true").await;
    assert!(!says_clock(&owner.get(ME).await), "this one is just over");
}

fn later(reading: &Reading, seconds: u64, stepped_ms: i64) -> Reading {
    let at = reading.at.after(Duration::from_secs(seconds));
    Reading { at, offset_ms: reading.offset_ms + stepped_ms, ..reading.clone() }
}

async fn stepped(db: &PgPool) -> i64 {
    let count = sqlx::query_scalar("select count(*) from sessions where clock_stepped");
    count.fetch_one(db).await.expect("sql")
}

#[tokio::test]
async fn a_step_is_noticed_while_it_runs() {
    let test = TestApp::start().await;
    owner(&test, false).await;
    let mut keeper = Keeper::begin(test.pool(), &Watch::default()).await.expect("a keeper");
    let start = Reading::now();
    keeper.look(later(&start, 10, 1_800_000), Clock::Unknown).await.expect("a look");
    assert_eq!(stepped(test.pool()).await, 0);
    keeper.look(later(&start, 20, 1_800_000 + 3_700_000), Clock::Unknown).await.expect("a look");
    assert_eq!(stepped(test.pool()).await, 1);
}

async fn good(db: &PgPool) -> Option<Timestamp> {
    sqlx::query_scalar("select last_good_time from instance").fetch_one(db).await.expect("sql")
}

#[tokio::test]
async fn the_last_good_time_is_kept_while_the_clock_is_right_and_hourly_at_most() {
    let db = TestDb::new().await;
    let watch = Watch::default();
    let mut keeper = Keeper::begin(&db.pool, &watch).await.expect("a keeper");
    let start = Reading::now();
    for clock in [Clock::Unknown, Clock::Kept] {
        keeper.look(later(&start, 0, 0), clock).await.expect("a look");
        assert_eq!((good(&db.pool).await, watch.last_good()), (None, None), "{clock:?}");
    }
    keeper.look(later(&start, 0, 0), Clock::Synchronised).await.expect("a look");
    let first = good(&db.pool).await;
    assert!(first.is_some_and(|first| first >= start.at.in_microseconds()));
    assert_eq!(watch.last_good(), first);
    keeper.look(later(&start, 1800, 0), Clock::Synchronised).await.expect("a look");
    assert_eq!(good(&db.pool).await, first);
    sql(&db.pool, "update instance set last_good_time = last_good_time - interval '2 hours'").await;
    keeper.look(later(&start, 4000, 0), Clock::Synchronised).await.expect("a look");
    assert!(good(&db.pool).await >= first);
}
