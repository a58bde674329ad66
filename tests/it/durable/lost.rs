//! Runs whose process ended under them.

use serde_json::{Value, json};

use super::{accepted, app, attempts, errors, execute, outbox_is_empty, pause, queued, sql};
use crate::support::{app::TestApp, eventually};

/// Rows that a node which is gone had claimed run when another starts.
#[tokio::test]
async fn what_a_dead_node_had_claimed_runs_again() {
    let (app, owner) = app().await;
    queued(&owner, "later", "log::info(`${ctx.attempt}`)").await;
    pause(&owner, true).await;
    let id = accepted(&owner, "/~garden/later", json!(1)).await;
    // As a node leaves it that is killed while the row runs.
    execute(&app, "update outbox set claimed_epoch = 1000000, attempt = 1, lost_count = 1").await;
    pause(&owner, false).await;
    let database = app.stop().await;
    let app = TestApp::start_on(database, &[]).await;
    let owner = owner.at(app.address);
    let ran = attempts(&owner, &id, 1).await;
    assert_eq!(ran.json["attempts"][0]["logs"][0]["message"], "2", "the lost run was the first: {ran:?}");
    outbox_is_empty(&app).await;
}

#[tokio::test]
async fn a_row_that_takes_its_process_along_ends_as_a_dead_letter_and_its_neighbours_do_not() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    pause(&owner, true).await;
    let poisonous = accepted(&owner, "/~garden/later", json!({"poison": true})).await;
    execute(&app, "update outbox set lost_count = 5, attempt = 5").await;
    let innocent = accepted(&owner, "/~garden/later", json!({"poison": false})).await;
    execute(&app, "update outbox set lost_count = 4, attempt = 4 where lost_count = 0").await;
    let other = accepted(&owner, "/~garden/later", json!({"poison": false})).await;
    pause(&owner, false).await;
    attempts(&owner, &innocent, 1).await;
    attempts(&owner, &other, 1).await;
    outbox_is_empty(&app).await;
    let (execution, errors_of, last): (String, Value, String) =
        sqlx::query_as("select execution_id::text, errors, last_error from dead_letters")
            .fetch_one(app.pool())
            .await
            .expect("one dead letter");
    assert_eq!(execution, poisonous);
    assert_eq!(errors_of[0]["kind"], "process_ended");
    assert!(last.contains("the process ended"), "{last}");
    let refused = attempts(&owner, &poisonous, 1).await;
    assert_eq!(errors(&refused)[0].0, "process_ended");
}

/// A row that was lost twice runs with no other in flight, and others run before and after.
#[tokio::test]
async fn a_row_that_was_lost_twice_runs_alone() {
    let (app, owner) = app().await;
    queued(&owner, "later", "log::info(\"begins\"); sleep(0.2); log::info(\"ends\");").await;
    pause(&owner, true).await;
    for _ in 0..2 {
        accepted(&owner, "/~garden/later", json!(1)).await;
    }
    execute(&app, "update outbox set lost_count = 2, attempt = 2").await;
    for _ in 0..4 {
        accepted(&owner, "/~garden/later", json!(1)).await;
    }
    pause(&owner, false).await;
    outbox_is_empty(&app).await;
    eventually("all are on record", || async {
        owner.get("/api/v1/admin/apps/garden/executions").await;
        (sql::<i64>(&app, "select count(*) from executions where source = 'http'").await == 6).then_some(())
    })
    .await;
    let beside: i64 = sql(
        &app,
        "select count(*) from executions a join executions b on a.execution_id <> b.execution_id
         and a.started_at < b.started_at + b.duration_us * interval '1 us'
         and b.started_at < a.started_at + a.duration_us * interval '1 us'
         where a.attempt = 3 and a.source = 'http' and b.source = 'http'",
    )
    .await;
    assert_eq!(beside, 0, "something ran beside a row that was to run alone");
    let together: i64 = sql(
        &app,
        "select count(*) from executions a join executions b on a.execution_id <> b.execution_id
         and a.started_at < b.started_at + b.duration_us * interval '1 us'
         and b.started_at < a.started_at + a.duration_us * interval '1 us'
         where a.source = 'http' and b.source = 'http'",
    )
    .await;
    assert!(together > 0, "the others ran together");
}

/// A claim whose answer never arrived: the rows are ours and nowhere. The net finds them.
#[tokio::test]
async fn rows_that_are_claimed_and_in_nobodys_hands_are_found() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    pause(&owner, true).await;
    let id = accepted(&owner, "/~garden/later", json!(1)).await;
    execute(&app, "update outbox set claimed_epoch = (select epoch from nodes), attempt = 1, lost_count = 1")
        .await;
    pause(&owner, false).await;
    let ran = attempts(&owner, &id, 1).await;
    assert_eq!(ran.json["attempts"][0]["attempt"], 1, "the claim did not count: {ran:?}");
    outbox_is_empty(&app).await;
}

/// Every connection is cut, again and again, while rows run: each runs, and none is stuck.
#[tokio::test]
async fn connections_that_break_lose_nothing() {
    let (app, owner) = app().await;
    queued(&owner, "later", "log::info(`${ctx.request.body.n}`);").await;
    let mut ids = Vec::new();
    for n in 0..60 {
        let answer = owner.post("/~garden/later", json!({"n": n})).await;
        match answer.status {
            202 => ids.push(answer.json["execution_id"].as_str().expect("an id").to_owned()),
            503 => {}
            other => panic!("{other}: {answer:?}"),
        }
        if n % 10 == 5 {
            let cut = sqlx::query(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
            );
            // Its own pool is cut too, now and then.
            let _ = cut.execute(app.pool()).await;
        }
    }
    assert!(ids.len() > 30, "{}", ids.len());
    for id in &ids {
        attempts(&owner, id, 1).await;
    }
    outbox_is_empty(&app).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 0);
}
