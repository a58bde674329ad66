//! The outbox's statements: fair claims, fences, and waits.

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use picloud::{
    base::{
        backoff::Backoff,
        id::{AppId, EventId, ExecutionId, OutboxId, ScriptId},
        time::Timestamp,
    },
    db,
    store::outbox::{self, ALONE_FROM, Claimed, Failed, NewRow, RetryPolicy, RunError},
};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use sqlx::PgPool;

use crate::support::postgres::TestDb;

const KINDS: [&str; 2] = ["http", "kv"];

/// A database with these epochs alive and this many apps, whose ids come in their order.
async fn database(epochs: &[i64], apps: usize) -> (TestDb, PgPool, Vec<AppId>) {
    let test = TestDb::new().await;
    for epoch in epochs {
        sqlx::query("insert into nodes (epoch, name, version, boot_id) values ($1, 'n', 'v', 'b')")
            .bind(epoch)
            .execute(&test.pool)
            .await
            .expect("a node");
    }
    let mut ids = Vec::new();
    for n in 0..apps {
        let id = AppId::new();
        sqlx::query("insert into apps (id, slug, name) values ($1, $2, 'x')")
            .bind(id)
            .bind(format!("app-{n}"))
            .execute(&test.pool)
            .await
            .expect("an app");
        ids.push(id);
    }
    let queue = db::queue(test.options.clone());
    (test, queue, ids)
}

/// A durable row to be put.
pub fn row(app_id: AppId, source_kind: &'static str) -> NewRow {
    let execution_id = ExecutionId::new();
    NewRow {
        id: OutboxId::new(),
        event_id: EventId::new(),
        app_id,
        source_kind,
        op: "POST".into(),
        cause: None,
        script_id: ScriptId::new(),
        payload: r#"{"a": 1.0, "b": "\u0000"}"#.to_owned(),
        body: None,
        principal: None,
        trigger_depth: 0,
        root_execution_id: execution_id,
        execution_id,
        policy: RetryPolicy { max_attempts: 3, backoff: Backoff::Linear, base_ms: 1000 },
    }
}

/// Puts rows that wait.
pub async fn put(db: &PgPool, rows: &[NewRow]) {
    let rows: Vec<&NewRow> = rows.iter().collect();
    let put = outbox::put(db, &rows, &vec![false; rows.len()], 0).await.expect("put");
    assert_eq!(put.len(), rows.len());
}

async fn claim(queue: &PgPool, epoch: i64, most: u32) -> Vec<Claimed> {
    outbox::claim(queue, (epoch, &[]), &KINDS, None, most).await.expect("a claim")
}

fn by_app(rows: &[Claimed]) -> HashMap<AppId, usize> {
    rows.iter().fold(HashMap::new(), |mut counts, row| {
        *counts.entry(row.app_id).or_default() += 1;
        counts
    })
}

/// Whatever waits: a claim is full if it can be, and every app with due rows has its share in it.
#[tokio::test]
async fn a_claim_is_full_and_every_app_has_its_share() {
    let (_test, queue, apps) = database(&[1], 12).await;
    let backlog = prop::collection::vec(prop_oneof![Just(0_usize), 1..4_usize, 4..200_usize], 12);
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..12 {
        sqlx::query("delete from outbox").execute(&queue).await.expect("empty");
        let counts = backlog.new_tree(&mut runner).expect("a tree").current();
        let mut rows = Vec::new();
        for (app, count) in apps.iter().zip(&counts) {
            rows.extend((0..*count).map(|n| row(*app, KINDS[n % 2])));
        }
        put(&queue, &rows).await;
        for most in [8, 32, 128] {
            let before: HashMap<AppId, usize> = waiting(&queue).await;
            let claimed = claim(&queue, 1, most).await;
            let total: usize = before.values().sum();
            let got = by_app(&claimed);
            let most = most as usize;
            // With few rows in most apps and many in one, its share four times over is all it gets.
            let share = (most / before.len().max(1)).max(1);
            let reachable: usize = before.values().map(|rows| (*rows).min(4 * share)).sum();
            assert!(claimed.len() >= most.min(reachable), "{before:?}: {got:?}");
            assert!(claimed.len() <= most.min(total));
            if before.len() <= most {
                for (app, rows) in &before {
                    let least = (*rows).min(share);
                    assert!(got.get(app).copied().unwrap_or_default() >= least, "{counts:?}: {got:?}");
                }
            }
        }
    }
}

/// The rows that wait, by app.
async fn waiting(db: &PgPool) -> HashMap<AppId, usize> {
    let rows: Vec<(AppId, i64)> =
        sqlx::query_as("select app_id, count(*) from outbox where claimed_epoch is null group by 1")
            .fetch_all(db)
            .await
            .expect("counts");
    rows.into_iter().map(|(app, rows)| (app, usize::try_from(rows).expect("a count"))).collect()
}

/// More apps than a claim has rows: the next begins after the one that was served last.
#[tokio::test]
async fn apps_take_turns() {
    let (_test, queue, apps) = database(&[1], 20).await;
    for _ in 0..3 {
        put(&queue, &apps.iter().map(|app| row(*app, "http")).collect::<Vec<_>>()).await;
    }
    let mut served = Vec::new();
    let mut after = None;
    for _ in 0..5 {
        let rows = outbox::claim(&queue, (1, &[]), &KINDS, after, 8).await.expect("a claim");
        assert_eq!(rows.len(), 8);
        after = rows.iter().map(|row| row.app_id).max().filter(|last| *last < apps[19]);
        served.extend(rows.into_iter().map(|row| row.app_id));
    }
    let mut first: Vec<AppId> = served[..20].to_vec();
    first.sort();
    first.dedup();
    assert!(first.len() >= 16, "within 20 rows nearly every app had one: {}", first.len());
}

/// 28 MiB wait. What one claim brings is at most 8, and the row with which it has them.
#[tokio::test]
async fn rows_with_large_bodies_or_payloads_are_claimed_few_at_a_time() {
    const MIB: usize = 1 << 20;
    let (_test, queue, apps) = database(&[1], 2).await;
    let mut rows: Vec<NewRow> = (0..28).map(|n| row(apps[n % 2], KINDS[n % 2])).collect();
    for (n, row) in rows.iter_mut().enumerate() {
        if n % 4 == 0 {
            // Of what can be made small the database keeps, and weighs, less.
            let mut noise = vec![0; MIB / 4 * 3];
            rand::rng().fill_bytes(&mut noise);
            row.payload = format!("\"{}\"", BASE64_STANDARD.encode(noise));
        } else {
            row.body = Some(vec![b'x'; MIB].into());
        }
        put(&queue, std::slice::from_ref(row)).await;
    }
    let bytes = |row: &Claimed| row.payload.len() + row.body.as_ref().map_or(0, Vec::len);
    let mut left = rows.len();
    while left > 0 {
        let claimed = claim(&queue, 1, 512).await;
        let brought: usize = claimed.iter().map(bytes).sum();
        assert!(brought <= 9 * MIB, "{brought} bytes at once");
        assert!(brought >= 7 * MIB || claimed.len() == left, "{brought} bytes: more could be claimed");
        left -= claimed.len();
    }
    // One that is larger than the bound is claimed all the same, alone.
    let (mut large, small) = (row(apps[0], "http"), row(apps[0], "http"));
    large.body = Some(vec![b'x'; 12 * MIB].into());
    put(&queue, &[large.clone()]).await;
    put(&queue, &[small]).await;
    let claimed = claim(&queue, 1, 512).await;
    assert_eq!(claimed.iter().map(|row| row.id).collect::<Vec<_>>(), [large.id]);
    assert_eq!(claim(&queue, 1, 512).await.len(), 1);
}

/// Two nodes claim at the same time: no row twice, and all in the end.
#[tokio::test]
async fn no_row_is_claimed_twice() {
    let (test, queue, apps) = database(&[1, 2], 3).await;
    let rows: Vec<NewRow> = (0..600).map(|n| row(apps[n % 3], "http")).collect();
    put(&queue, &rows).await;
    let other = db::queue(test.options.clone());
    let mut ids = Vec::new();
    while ids.len() < 600 {
        let (mine, theirs) = tokio::join!(claim(&queue, 1, 32), claim(&other, 2, 32));
        assert!(mine.iter().all(|row| row.epoch == 1) && theirs.iter().all(|row| row.epoch == 2));
        ids.extend(mine.into_iter().chain(theirs).map(|row| row.id));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 600);
}

#[tokio::test]
async fn a_row_comes_back_as_it_was_put() {
    let (_test, queue, apps) = database(&[1], 1).await;
    let mut new = row(apps[0], "http");
    new.body = Some(bytes::Bytes::from_static(b"a\0b\xff"));
    put(&queue, std::slice::from_ref(&new)).await;
    let claimed = claim(&queue, 1, 8).await.pop().expect("a row");
    assert_eq!(
        (claimed.id, claimed.event_id, claimed.execution_id),
        (new.id, new.event_id, new.execution_id)
    );
    assert_eq!((claimed.payload, claimed.policy), (new.payload, new.policy));
    assert_eq!(claimed.body.as_deref(), new.body.as_deref());
    assert_eq!((claimed.attempt, claimed.attempt_count, claimed.lost_count), (1, 0, 1));
}

/// The statements and the indexes draw the line where the constant does.
#[tokio::test]
async fn rows_that_were_lost_twice_are_claimed_one_by_one() {
    let (_test, queue, apps) = database(&[1], 1).await;
    let losses = 0..ALONE_FROM + 3;
    put(&queue, &losses.clone().map(|_| row(apps[0], "http")).collect::<Vec<_>>()).await;
    let lose = "update outbox set lost_count = nth - 1, attempt = nth - 1
                from (select id as of, row_number() over (order by id) as nth from outbox) as numbered where id = of";
    sqlx::query(lose).execute(&queue).await.expect("losses");
    let ordinary = u32::try_from(ALONE_FROM).expect("a count");
    assert_eq!(outbox::waiting(&queue, apps[0], 100).await.expect("a count"), ordinary);
    // The claim counts as a loss until there is an outcome.
    let mut claimed: Vec<i32> = claim(&queue, 1, 32).await.iter().map(|row| row.lost_count - 1).collect();
    claimed.sort_unstable();
    assert_eq!(claimed, (0..ALONE_FROM).collect::<Vec<_>>());
    for _ in ALONE_FROM..losses.end {
        assert!(outbox::next(&queue, &KINDS).await.expect("the next").suspect);
        let row = outbox::claim_suspect(&queue, 1, &KINDS).await.expect("a claim").expect("a row");
        assert!(row.lost_count > ALONE_FROM, "{row:?}");
    }
    assert!(!outbox::next(&queue, &KINDS).await.expect("the next").suspect);
    assert!(outbox::claim_suspect(&queue, 1, &KINDS).await.expect("a claim").is_none());
    let indexes = "select pg_get_expr(indpred, indrelid) from pg_index
                   where indrelid = 'outbox'::regclass and pg_get_expr(indpred, indrelid) like '%lost_count%' order by 1";
    let divided: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&queue).await.expect("the indexes");
    let expected =
        ["<", ">="].map(|sign| format!("((claimed_epoch IS NULL) AND (lost_count {sign} {ALONE_FROM}))"));
    assert_eq!(divided, expected);
}

/// What an epoch writes that does not hold the row, or is dead, changes nothing.
#[tokio::test]
async fn outcomes_of_another_epoch_change_nothing() {
    let (_test, queue, apps) = database(&[1], 1).await;
    put(&queue, &[row(apps[0], "http")]).await;
    assert_eq!(claim(&queue, 7, 8).await.len(), 0, "an epoch without a node claims nothing");
    let claimed = claim(&queue, 1, 8).await.pop().expect("a row");
    let failed = Failed {
        id: claimed.id,
        started_at: Timestamp::now(),
        errors: vec![RunError {
            attempt: 1,
            at: Timestamp::now(),
            kind: "throw".to_owned(),
            message: "no".to_owned(),
        }],
        wait: Duration::from_secs(9),
    };
    let failed = std::slice::from_ref(&failed);
    outbox::acknowledge(&queue, 7, &[claimed.id]).await.expect("nothing");
    outbox::retry(&queue, 7, failed).await.expect("nothing");
    outbox::give_back(&queue, 7, &[claimed.id]).await.expect("nothing");
    outbox::free(&queue, 7, &[claimed.id]).await.expect("nothing");
    assert_eq!(outbox::free_all_but(&queue, 7, &[]).await.expect("nothing"), 0);
    assert_eq!(outbox::bury(&queue, 7, failed).await.expect("nothing"), []);
    let state: (Option<i64>, i32, i32) =
        sqlx::query_as("select claimed_epoch, attempt, lost_count from outbox")
            .fetch_one(&queue)
            .await
            .expect("the row");
    assert_eq!(state, (Some(1), 1, 1));
    outbox::give_back(&queue, 1, &[claimed.id]).await.expect("given back");
    let again = claim(&queue, 1, 8).await.pop().expect("the row");
    assert_eq!((again.attempt, again.lost_count), (1, 1), "as if it had not been claimed");
    outbox::retry(&queue, 1, failed).await.expect("to be tried again");
    assert_eq!(claim(&queue, 1, 8).await.len(), 0, "it waits");
    let next = outbox::next(&queue, &KINDS).await.expect("the next");
    let due_in = next.due_in.expect("a row waits");
    assert!(due_in > Duration::from_secs(5) && due_in <= Duration::from_secs(9), "{due_in:?}");
    sqlx::query("update outbox set next_attempt_at = now() + interval '1 year'")
        .execute(&queue)
        .await
        .expect("a step of the clock");
    assert_eq!(outbox::bound_waits(&queue).await.expect("bounded"), 1);
    let due_in = outbox::next(&queue, &KINDS).await.expect("the next").due_in.expect("a row waits");
    assert!(due_in <= Duration::from_secs(9), "{due_in:?}");
}

/// The plan of a claim does not depend on what the statistics say.
#[tokio::test]
async fn with_many_rows_nothing_is_read_but_by_index() {
    let (_test, queue, apps) = database(&[1], 2).await;
    assert_eq!(claim(&queue, 1, 32).await.len(), 0, "planned while the table is empty");
    put(&queue, &[row(apps[0], "http"), row(apps[1], "http")]).await;
    sqlx::query(
        "insert into outbox (id, event_id, app_id, source_kind, op, script_id, payload, root_execution_id,
                             execution_id, retry_max_attempts, retry_backoff, retry_base_ms)
         select gen_random_uuid(), event_id, app_id, source_kind, op, script_id, payload, root_execution_id,
                gen_random_uuid(), 3, 'linear', 1000
         from outbox cross join generate_series(1, 30000) where app_id = $1",
    )
    .bind(apps[0])
    .execute(&queue)
    .await
    .expect("a backlog");
    let before = read(&queue).await;
    for _ in 0..10 {
        let rows = claim(&queue, 1, 32).await;
        assert_eq!(rows.len(), 32);
        let ids: Vec<OutboxId> = rows.iter().map(|row| row.id).collect();
        let more = outbox::claim(&queue, (1, &ids[..20]), &KINDS, None, 1).await.expect("a claim");
        assert_eq!(more.len(), 1);
        let failed: Vec<Failed> = ids[20..30]
            .iter()
            .map(|id| Failed {
                id: *id,
                started_at: Timestamp::now(),
                errors: Vec::new(),
                wait: Duration::ZERO,
            })
            .collect();
        outbox::retry(&queue, 1, &failed[..5]).await.expect("tried again");
        outbox::bury(&queue, 1, &failed[5..]).await.expect("buried");
        outbox::acknowledge(&queue, 1, &ids[30..]).await.expect("done");
        outbox::next(&queue, &KINDS).await.expect("the next");
    }
    let after = read(&queue).await;
    assert_eq!(after.0, before.0, "the table was read from end to end");
    let reads = after.1 - before.1;
    // Rows that have gone are read again while another transaction might see them; all at each claim are 600 000.
    assert!(reads < 100_000, "{reads} rows were read for some 400: an index was read from end to end");
}

/// How often the table was read from end to end, and how many entries of its indexes.
async fn read(queue: &PgPool) -> (i64, i64) {
    sqlx::query("select pg_stat_force_next_flush()").execute(queue).await.expect("statistics");
    let scans = "select seq_scan from pg_stat_user_tables where relname = 'outbox'";
    let reads = "select sum(idx_tup_read)::bigint from pg_stat_user_indexes where relname = 'outbox'";
    let scans: i64 = sqlx::query_scalar(scans).fetch_one(queue).await.expect("a count");
    let reads: i64 = sqlx::query_scalar(reads).fetch_one(queue).await.expect("a count");
    (scans, reads)
}
