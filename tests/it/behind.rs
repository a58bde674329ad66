//! Synchronous runs recorded behind: which of them get a row, and that none keeps it.

mod away;
mod door;

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use picloud::{
    base::{
        Result,
        id::{AppId, ExecutionId, InboxId, OutboxId, RouteId, ScriptId},
    },
    engine::Started,
    events::{
        Behind,
        behind::{Begun, Ending},
    },
    store::{abandoned::NewAbandoned, outbox::SyncRow},
};
use sqlx::PgPool;

use crate::{
    node::support::{Held, Member, abandoned, held_by, note_writes, terminate, writes},
    store_executions::an_app,
    support::{eventually, postgres::TestDb},
};

const STOP: Duration = Duration::from_secs(10);

/// A run of an app.
fn a_run(app_id: AppId) -> SyncRow {
    let execution_id = ExecutionId::new();
    SyncRow {
        id: OutboxId::new(),
        inbox_id: InboxId::new(),
        app_id,
        script_id: ScriptId::new(),
        execution_id,
        root_execution_id: execution_id,
        source_kind: "http",
        op: "GET".to_owned(),
        cause: Some(RouteId::new().into()),
        principal: None,
        trigger_depth: 0,
    }
}

/// Begins a run that starts at once.
fn begin(behind: &Behind, app: AppId) -> (OutboxId, Ending) {
    let (begun, ending) = wait(behind, app);
    start(&begun);
    (ending.row().id, ending)
}

/// Begins a run that waits for the gate.
fn wait(behind: &Behind, app: AppId) -> (Begun, Ending) {
    behind.began(a_run(app))
}

/// The gate lets it in.
fn start(begun: &Begun) {
    begun.handed_in(Started::new(OnceLock::from(Instant::now())));
}

/// The rows there are, oldest first.
async fn rows(db: &PgPool) -> Result<Vec<OutboxId>> {
    Ok(sqlx::query_scalar("select id from outbox where reply_to is not null order by id")
        .fetch_all(db)
        .await?)
}

async fn become_rows(db: &PgPool, expected: &[OutboxId]) {
    eventually("the rows are those of what runs", || async {
        (rows(db).await.ok()? == expected).then_some(())
    })
    .await;
}

fn outcome(row: &SyncRow, summary: &str) -> NewAbandoned {
    NewAbandoned {
        outbox_id: row.id,
        inbox_id: row.inbox_id,
        app_id: row.app_id,
        script_id: row.script_id,
        execution_id: row.execution_id,
        status: 200,
        summary: summary.to_owned(),
    }
}

#[tokio::test]
async fn a_slow_run_has_a_row_for_as_long_as_it_runs() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    let (id, ending) = begin(&behind, app);
    become_rows(&test.pool, &[id]).await;
    let row: (Option<i64>, i32, i32, i32, InboxId) = sqlx::query_as(
        "select claimed_epoch, attempt, lost_count, retry_max_attempts, reply_to from outbox where id = $1",
    )
    .bind(id)
    .fetch_one(&test.pool)
    .await?;
    assert_eq!(row, (Some(member.epoch()), 1, 0, 1, ending.row().inbox_id));
    let (other, other_ending) = begin(&behind, app);
    become_rows(&test.pool, &[id, other]).await;
    drop(ending);
    become_rows(&test.pool, &[other]).await;
    drop(other_ending);
    become_rows(&test.pool, &[]).await;
    Ok(())
}

#[tokio::test]
async fn fast_runs_write_nothing() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    note_writes(&test.pool).await?;
    for _ in 0..5000 {
        drop(begin(&behind, app));
    }
    let (id, ending) = begin(&behind, app);
    become_rows(&test.pool, &[id]).await;
    drop(ending);
    become_rows(&test.pool, &[]).await;
    let written = writes(&test.pool).await?.len();
    // A run during which the machine did something else is slow.
    assert!((2..20).contains(&written), "{written} statements");
    Ok(())
}

#[tokio::test]
async fn what_waits_for_the_gate_is_not_under_way() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    note_writes(&test.pool).await?;
    let (waits, waiting) = wait(&behind, app);
    let (cancelled, cancelled_ending) = wait(&behind, app);
    cancelled.handed_in(Started::default());
    let (id, ending) = begin(&behind, app);
    become_rows(&test.pool, &[id]).await;
    drop(cancelled_ending);
    drop(ending);
    become_rows(&test.pool, &[]).await;
    start(&waits);
    become_rows(&test.pool, &[waiting.row().id]).await;
    assert_eq!(writes(&test.pool).await?, ["INSERT outbox", "DELETE outbox", "INSERT outbox"]);
    Ok(())
}

/// Runs that end at any moment of their being written.
#[tokio::test]
async fn no_row_outlives_its_run() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    let mut running = Vec::new();
    for round in 0..2000u64 {
        let (_, ending) = begin(&behind, app);
        running.push(tokio::spawn(async move {
            tokio::time::sleep(Duration::from_micros(8000 + round % 50 * 200)).await;
            drop(ending);
        }));
        if round % 40 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for run in running {
        run.await.expect("no panic");
    }
    become_rows(&test.pool, &[]).await;
    let (last, _ending) = begin(&behind, app);
    become_rows(&test.pool, &[last]).await;
    Ok(())
}

#[tokio::test]
async fn an_app_that_is_gone_takes_no_other_along() -> Result<()> {
    let test = TestDb::new().await;
    let (gone, app) = (an_app(&test.pool).await?, an_app(&test.pool).await?);
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    sqlx::query("delete from apps where id = $1").bind(gone).execute(&test.pool).await?;
    let (ids, endings): (Vec<OutboxId>, Vec<Ending>) =
        [gone, app].map(|app| begin(&behind, app)).into_iter().unzip();
    become_rows(&test.pool, &ids[1..]).await;
    for ending in &endings {
        behind.abandoned(outcome(ending.row(), "late"));
    }
    drop(endings);
    become_rows(&test.pool, &[]).await;
    behind.stop(STOP).await;
    assert_eq!(abandoned(&test.pool).await?, ["200 late"]);
    Ok(())
}

#[tokio::test]
async fn rows_belong_to_the_epoch_of_the_day() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    let before = member.epoch();
    let (goes_on, _ending) = begin(&behind, app);
    let (ends, ending) = begin(&behind, app);
    become_rows(&test.pool, &[goes_on, ends]).await;
    let of = |epoch: i64| {
        let rows =
            sqlx::query_scalar("select id from outbox where claimed_epoch = $1 order by id").bind(epoch);
        let db = test.pool.clone();
        async move { rows.fetch_all(&db).await.ok() as Option<Vec<OutboxId>> }
    };
    // The same epoch again: nothing changes.
    terminate(&test.pool, held_by(&test.pool, before).await?.expect("it is held")).await?;
    eventually("the epoch is back", || async { member.node.epoch().filter(|now| *now == before) }).await;
    assert_eq!(of(before).await, Some(vec![goes_on, ends]));

    sqlx::query("delete from nodes").execute(&test.pool).await?;
    member.node.look();
    let epoch =
        eventually("a new epoch", || async { member.node.epoch().filter(|now| *now != before) }).await;
    eventually("the rows are the new epoch's", || async {
        of(epoch).await.filter(|rows| *rows == [goes_on, ends])
    })
    .await;
    assert_eq!(of(before).await, Some(Vec::new()));
    drop(ending);
    become_rows(&test.pool, &[goes_on]).await;
    assert_eq!(abandoned(&test.pool).await?, Vec::<String>::new());
    Ok(())
}

/// Nothing is recorded for an epoch that was declared dead: nobody would ever look for it.
#[tokio::test]
async fn no_row_comes_late() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let row = a_run(app);
    picloud::store::outbox::record(&test.pool, 5, &[&row]).await?;
    assert_eq!(rows(&test.pool).await?, []);
    // Who declares it dead waits for what is being written.
    let member = Member::start(&test).await;
    let epoch = member.epoch();
    let mut writing = test.pool.begin().await?;
    picloud::store::outbox::record(&mut *writing, epoch, &[&row]).await?;
    let pool = test.pool.clone();
    let declaring = tokio::spawn(async move { picloud::store::node::disown(&pool, epoch).await });
    eventually("it waits", || async {
        let waits = "select exists (select from pg_stat_activity
                                    where datname = current_database() and wait_event_type = 'Lock')";
        let waits: bool = sqlx::query_scalar(waits).fetch_one(&test.pool).await.ok()?;
        waits.then_some(())
    })
    .await;
    writing.commit().await?;
    declaring.await.expect("no panic")?;
    assert_eq!(rows(&test.pool).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_was_under_way_when_a_process_ended_is_found() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let dead = Member::start(&test).await;
    let behind = dead.behind(test.options.clone()).await;
    let (id, ending) = begin(&behind, app);
    become_rows(&test.pool, &[id]).await;
    let epoch = dead.epoch();
    drop(dead);
    eventually("the lock is free", || async {
        held_by(&test.pool, epoch).await.ok()?.is_none().then_some(())
    })
    .await;
    let _next = Member::start(&test).await;
    assert_eq!(rows(&test.pool).await?, []);
    let found: (OutboxId, InboxId, AppId, ScriptId, ExecutionId, i16, String) = sqlx::query_as(
        "select outbox_id, inbox_id, app_id, script_id, execution_id, status, summary from abandoned_executions",
    )
    .fetch_one(&test.pool)
    .await?;
    let row = ending.row();
    let expected =
        (id, row.inbox_id, app, row.script_id, row.execution_id, 500, "the process ended".to_owned());
    assert_eq!(found, expected);
    Ok(())
}

#[tokio::test]
async fn an_outcome_is_abandoned_once() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    let (_, ending) = begin(&behind, app);
    for summary in ["\0 first", "second"] {
        behind.abandoned(outcome(ending.row(), summary));
        eventually("it is written", || async {
            (abandoned(&test.pool).await.ok()?.len() == 1).then_some(())
        })
        .await;
    }
    behind.abandoned(outcome(&a_run(app), &"ä".repeat(4096)));
    behind.stop(STOP).await;
    let entries = abandoned(&test.pool).await?;
    assert_eq!(entries[0], "200 \u{fffd} first");
    assert_eq!((entries.len(), entries[1].len()), (2, 4 + 4096));
    assert_eq!(member.metrics.behind_dropped.with_label_values(&["abandoned"]).get(), 0);
    Ok(())
}

#[tokio::test]
async fn the_end_settles_what_is_left() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let member = Member::start(&test).await;
    let behind = member.behind(test.options.clone()).await;
    let (runs, hangs) = (begin(&behind, app), begin(&behind, app));
    let (_waits, _waiting) = wait(&behind, app);
    become_rows(&test.pool, &[runs.0, hangs.0]).await;
    behind.abandoned(outcome(runs.1.row(), "late"));
    // The writer is in the middle of something when the end comes.
    let held = Held::outbox(&test.pool).await?;
    drop(runs);
    held.somebody_waits().await;
    behind.abandoned(outcome(&a_run(app), "last"));
    let stopping = tokio::spawn({
        let behind = behind.clone();
        async move { behind.stop(STOP).await }
    });
    held.release().await?;
    stopping.await.expect("no panic");
    assert_eq!(rows(&test.pool).await?, [hangs.0]);
    assert_eq!(abandoned(&test.pool).await?, ["200 late", "200 last"]);
    member.node.leave().await;
    assert_eq!(rows(&test.pool).await?, []);
    assert_eq!(abandoned(&test.pool).await?, ["200 late", "200 last", "500 the process ended"]);
    // What comes later is counted at least.
    behind.abandoned(outcome(&a_run(app), "too late"));
    assert_eq!(member.metrics.behind_dropped.with_label_values(&["abandoned"]).get(), 1);
    Ok(())
}
