//! The recorder: what it keeps, what it only counts, and what it does while the database is away.

use std::time::{Duration, Instant};

use picloud::{
    base::{Error, Result, id::AppId},
    events::Recorder,
    store::execution::{self, AttemptError, Filter, NewAttempt},
    system::{metrics::Metrics, tasks::Tasks},
};
use sqlx::PgPool;

use crate::{
    store_executions::{an_app, attempt},
    support::{cable::Cable, eventually, postgres::TestDb},
};

/// A recorder with what it needs around it.
struct Recording {
    recorder: Recorder,
    tasks: Tasks,
    metrics: Metrics,
}

fn start(db: &PgPool, budget: u32) -> Recording {
    let (tasks, metrics) = (Tasks::new(), Metrics::new());
    Recording { recorder: Recorder::start(db.clone(), budget, metrics.clone(), &tasks), tasks, metrics }
}

impl Recording {
    fn counted(&self, fate: &str) -> u64 {
        self.metrics.execution_records.with_label_values(&[fate]).get()
    }

    /// Stops it and sees that its task has ended.
    async fn stop(self) {
        self.recorder.stop(Duration::from_secs(10)).await;
        assert!(self.tasks.stop(Duration::from_secs(10)).await.is_empty());
    }
}

fn failed(app: AppId) -> NewAttempt {
    let error = AttemptError { kind: "throw".into(), message: "no".to_owned(), line: None, column: None };
    NewAttempt { status: 502, error: Some(error), ..attempt(app) }
}

async fn stored(db: &PgPool, app: AppId) -> Result<usize> {
    Ok(execution::list(db, app, &Filter::default(), None, 200).await?.items.len())
}

#[tokio::test]
async fn a_flush_waits_for_what_was_recorded_before() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let recording = start(&test.pool, 50);
    recording.recorder.flush().await;
    for n in 1..=20 {
        recording.recorder.record(attempt(app));
        recording.recorder.flush().await;
        assert_eq!(stored(&test.pool, app).await?, n);
    }
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_recorded_is_written_though_nobody_waits() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let recording = start(&test.pool, 50);
    let mut live = recording.recorder.live();
    recording.recorder.record(attempt(app));
    let written = live.recv().await.map_err(|e| Error::internal(e.to_string()))?;
    assert_eq!(written.apps.get(&app), Some(&0));
    assert_eq!(stored(&test.pool, app).await?, 1);
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn beyond_the_budget_only_what_is_worth_a_row_gets_one() -> Result<()> {
    let test = TestDb::new().await;
    let (app, quiet) = (an_app(&test.pool).await?, an_app(&test.pool).await?);
    let recording = start(&test.pool, 0);
    for _ in 0..5 {
        recording.recorder.record(attempt(app));
    }
    let logged = NewAttempt { lost_log_lines: 1, ..attempt(app) };
    recording.recorder.record(logged);
    recording.recorder.record(failed(app));
    recording.recorder.record(failed(quiet));
    recording.recorder.flush().await;
    assert_eq!((stored(&test.pool, app).await?, stored(&test.pool, quiet).await?), (2, 1));
    assert_eq!(execution::not_stored_lately(&test.pool, app).await?, 5);
    assert_eq!((recording.counted("stored"), recording.counted("counted")), (3, 5));
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn one_record_the_database_refuses_takes_no_other_along() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let recording = start(&test.pool, 50);
    recording.recorder.record(attempt(app));
    recording.recorder.record(NewAttempt { attempt: 0, ..attempt(app) });
    recording.recorder.record(attempt(app));
    recording.recorder.flush().await;
    assert_eq!(stored(&test.pool, app).await?, 2);
    assert_eq!((recording.counted("stored"), recording.counted("dropped")), (2, 1));
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_end_writes_what_is_left_and_takes_nothing_more() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let recording = start(&test.pool, 50);
    for _ in 0..1200 {
        recording.recorder.record(failed(app));
    }
    let (recorder, metrics) = (recording.recorder.clone(), recording.metrics.clone());
    recording.stop().await;
    let rows: i64 = sqlx::query_scalar("select count(*) from executions").fetch_one(&test.pool).await?;
    assert_eq!(rows, 1200);
    recorder.record(failed(app));
    recorder.flush().await;
    assert_eq!(metrics.execution_records.with_label_values(&["dropped"]).get(), 1);
    Ok(())
}

#[tokio::test]
async fn records_wait_for_a_database_that_is_away() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let (mut cable, pool) = Cable::to(&test).await;
    let recording = start(&pool, 50);
    recording.recorder.record(attempt(app));
    recording.recorder.flush().await;
    cable.cut();
    for _ in 0..3 {
        recording.recorder.record(failed(app));
        let asked = Instant::now();
        recording.recorder.flush().await;
        assert!(asked.elapsed() < Duration::from_secs(4), "nobody waits for the database to come back");
    }
    assert_eq!(stored(&test.pool, app).await?, 1);
    cable.mend();
    eventually("what waited is written", || async {
        recording.recorder.flush().await;
        (stored(&test.pool, app).await.ok()? == 4).then_some(())
    })
    .await;
    assert_eq!((recording.counted("stored"), recording.counted("dropped")), (4, 0));
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_does_not_fit_while_the_database_is_away_is_dropped_and_counted() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let (mut cable, pool) = Cable::to(&test).await;
    let recording = start(&pool, 50);
    cable.cut();
    let began = Instant::now();
    for _ in 0..10_500 {
        recording.recorder.record(failed(app));
    }
    assert!(began.elapsed() < Duration::from_secs(2), "recording never waits");
    assert_eq!(recording.counted("dropped"), 500);
    cable.mend();
    let stored = || async {
        recording.recorder.flush().await;
        sqlx::query_scalar::<_, i64>("select count(*) from executions").fetch_one(&test.pool).await.ok()
    };
    eventually("what fitted is written", || async { (stored().await? == 10_000).then_some(()) }).await;
    recording.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_end_comes_though_the_database_is_away() -> Result<()> {
    let test = TestDb::new().await;
    let app = an_app(&test.pool).await?;
    let (mut cable, pool) = Cable::to(&test).await;
    let recording = start(&pool, 50);
    cable.cut();
    recording.recorder.record(failed(app));
    recording.recorder.stop(Duration::from_millis(100)).await;
    assert_eq!(recording.counted("dropped"), 1);
    assert!(recording.tasks.stop(Duration::from_secs(10)).await.is_empty());
    Ok(())
}
