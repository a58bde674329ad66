//! The execution log at the database: what is written is what is read.

use std::time::Duration;

use picloud::{
    base::{
        Error, Result,
        id::{AppId, ExecutionId, RouteId, ScriptId},
        time::Timestamp,
    },
    store::{
        app::{self, NewApp},
        execution::{self, AttemptError, Filter, LogLine, NewAttempt, StatusFilter},
    },
};
use serde_json::{json, value::RawValue};
use sqlx::PgPool;

use crate::support::postgres::TestDb;

/// Makes an app; its id.
pub async fn an_app(db: &PgPool) -> Result<AppId> {
    let slug = format!("app-{}", AppId::new().to_string().replace('-', "x"));
    let new = NewApp {
        slug: slug.parse().map_err(Error::internal)?,
        name: "App".parse().map_err(Error::internal)?,
        description: None,
        take_over: false,
    };
    Ok(app::create(&mut *db.acquire().await?, &new).await?.id)
}

/// A success of an app, of an execution of its own.
pub fn attempt(app_id: AppId) -> NewAttempt {
    let execution_id = ExecutionId::new();
    NewAttempt {
        execution_id,
        attempt: 1,
        root_execution_id: execution_id,
        app_id,
        script_id: ScriptId::new(),
        script_version: Some(3),
        source: "http".into(),
        trigger_id: None,
        route_id: Some(RouteId::new()),
        principal: None,
        started_at: Timestamp::now(),
        duration: Duration::from_micros(1234),
        operations: 42,
        status: 200,
        error: None,
        request_summary: Some("GET /a".to_owned()),
        response_summary: None,
        trigger_depth: 0,
        logs: Vec::new(),
        lost_log_lines: 0,
    }
}

fn failed(app_id: AppId, status: u16) -> NewAttempt {
    let error =
        AttemptError { kind: "throw".into(), message: "no\0ne".to_owned(), line: Some(3), column: Some(7) };
    NewAttempt { status, error: Some(error), ..attempt(app_id) }
}

async fn statuses(db: &PgPool, app: AppId, filter: &Filter) -> Result<Vec<i16>> {
    let page = execution::list(db, app, filter, None, 50).await?;
    Ok(page.items.iter().map(|attempt| attempt.status).collect())
}

#[tokio::test]
async fn an_attempt_is_read_as_it_was_written() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    let fields = RawValue::from_string(r#"{"zero":"\u0000","one":1.0}"#.to_owned())
        .map_err(|e| Error::internal(e.to_string()))?;
    let line =
        LogLine { at: Timestamp::now(), level: "info", message: "a\0b".to_owned(), fields: Some(fields) };
    let new = NewAttempt {
        logs: vec![line],
        lost_log_lines: 9,
        request_summary: Some("GET /\0".to_owned()),
        principal: Some("ada".to_owned()),
        ..failed(app, 502)
    };
    assert_eq!(execution::insert(&db, std::slice::from_ref(&new)).await?, 1);

    let found = execution::get(&db, app, new.execution_id).await?;
    let [(attempt, logs)] = found.as_slice() else { panic!("{found:?}") };
    let shown = serde_json::to_value(attempt).map_err(|e| Error::internal(e.to_string()))?;
    let expected = json!({
        "execution_id": new.execution_id, "root_execution_id": new.execution_id, "app_id": app,
        "script_id": new.script_id, "script_version": 3, "source": "http", "trigger_id": null,
        "route_id": new.route_id, "attempt": 1, "principal": "ada", "started_at": new.started_at.to_string(),
        "duration_ms": 1.234, "operations": 42, "status": 502,
        "error": {"kind": "throw", "message": "no\u{fffd}ne", "line": 3, "column": 7},
        "request_summary": "GET /\u{fffd}", "response_summary": null, "trigger_depth": 0,
        "created_at": attempt.created_at.to_string(),
    });
    assert_eq!(shown, expected);
    let lines = logs.logs.get();
    assert!(lines.contains("a\u{fffd}b") && lines.contains(r#"{"zero":"\u0000","one":1.0}"#), "{lines}");
    assert_eq!(logs.lost_log_lines, 9);
    assert!(execution::get(&db, an_app(&db).await?, new.execution_id).await?.is_empty(), "another app's");
    Ok(())
}

#[tokio::test]
async fn a_batch_leaves_out_apps_that_are_gone_and_rows_it_has() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let (app, deleted) = (an_app(&db).await?, an_app(&db).await?);
    app::delete(&mut *db.acquire().await?, deleted).await?;
    let batch = [attempt(app), attempt(deleted), attempt(AppId::new()), failed(app, 500)];
    assert_eq!(execution::insert(&db, &batch).await?, 2);
    assert_eq!(execution::insert(&db, &batch).await?, 0, "written again after an unknown outcome");
    assert_eq!(statuses(&db, app, &Filter::default()).await?, [500, 200]);
    assert_eq!(execution::insert(&db, &[]).await?, 0);
    Ok(())
}

#[tokio::test]
async fn the_list_is_newest_first_and_filtered() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    let root = attempt(app);
    let caused = NewAttempt {
        root_execution_id: root.execution_id,
        source: "manual".into(),
        status: 404,
        script_id: ScriptId::new(),
        ..attempt(app)
    };
    let script_id = caused.script_id;
    let root_id = root.execution_id;
    execution::insert(&db, &[root, caused, failed(app, 502), failed(app, 200), attempt(an_app(&db).await?)])
        .await?;
    let all = Filter::default();
    assert_eq!(statuses(&db, app, &all).await?, [200, 502, 404, 200]);
    let by = |status| Filter { status: Some(status), ..Filter::default() };
    assert_eq!(statuses(&db, app, &by(StatusFilter::Code(404))).await?, [404]);
    assert_eq!(statuses(&db, app, &by(StatusFilter::Class(5))).await?, [502]);
    assert_eq!(statuses(&db, app, &by(StatusFilter::Failed)).await?, [200, 502]);
    let manual = Filter { source: Some("manual".to_owned()), ..Filter::default() };
    assert_eq!(statuses(&db, app, &manual).await?, [404]);
    let of_script = Filter { script_id: Some(script_id), ..Filter::default() };
    assert_eq!(statuses(&db, app, &of_script).await?, [404]);
    let of_root = Filter { root: Some(root_id), ..Filter::default() };
    assert_eq!(statuses(&db, app, &of_root).await?, [404, 200]);

    let first = execution::list(&db, app, &all, None, 3).await?;
    let second = execution::list(&db, app, &all, first.next_cursor.as_deref(), 3).await?;
    assert_eq!((first.items.len(), second.items.len(), second.next_cursor), (3, 1, None));
    Ok(())
}

#[tokio::test]
async fn the_attempts_of_an_execution_come_oldest_first() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    let first = failed(app, 502);
    let id = first.execution_id;
    let second = NewAttempt { execution_id: id, attempt: 2, ..attempt(app) };
    execution::insert(&db, &[second, first]).await?;
    let found = execution::get(&db, app, id).await?;
    assert_eq!(found.iter().map(|(a, _)| (a.attempt, a.status)).collect::<Vec<_>>(), [(1, 502), (2, 200)]);
    Ok(())
}

#[tokio::test]
async fn the_tail_is_the_newest_after_a_place_oldest_first() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    assert_eq!(execution::newest_seq(&db, app).await?, 0);
    execution::insert(&db, &[attempt(app)]).await?;
    let seen = execution::newest_seq(&db, app).await?;
    let batch: Vec<NewAttempt> = (0..5).map(|n| NewAttempt { operations: n, ..attempt(app) }).collect();
    execution::insert(&db, &batch).await?;
    let tail = execution::tail(&db, app, seen, 3).await?;
    assert_eq!(tail.iter().map(|a| a.operations).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(execution::count_between(&db, app, seen, tail[0].seq).await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_was_only_counted_adds_up_for_a_day() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let (app, other) = (an_app(&db).await?, an_app(&db).await?);
    execution::add_overflow(&db, &[(app, 3), (other, 1), (AppId::new(), 5)]).await?;
    execution::add_overflow(&db, &[(app, 4)]).await?;
    sqlx::query("insert into execution_overflow values ($1, now() - interval '25 hours', 100)")
        .bind(app)
        .execute(&db)
        .await?;
    assert_eq!(execution::not_stored_lately(&db, app).await?, 7);
    Ok(())
}
