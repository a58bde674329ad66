//! A stop gives back what has not started, lets end what runs, and loses nothing.

use serde_json::json;

use super::{accepted, app_with, attempts, outbox_is_empty, queued, sql};
use crate::support::{app::TestApp, eventually};

#[tokio::test]
async fn a_stop_lets_end_what_runs_and_gives_back_the_rest() {
    let (app, owner) =
        app_with(&[("max_concurrent_executions", "1"), ("max_in_flight_executions", "1")]).await;
    queued(&owner, "nap", "sleep(1); log::info(`${ctx.attempt}`);").await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(accepted(&owner, "/~garden/nap", json!(1)).await);
    }
    eventually("one runs", || async {
        let running = "picloud_gate_scripts{state=\"background_running\"}";
        let in_flight = "picloud_gate_scripts{state=\"in_flight\"} 1";
        let text = owner.get("/metrics").await.text;
        (text.contains(running) && text.contains(in_flight)).then_some(())
    })
    .await;
    let database = app.stop().await;
    let claimed: i64 = sqlx::query_scalar("select count(*) from outbox where claimed_epoch is not null")
        .fetch_one(&database.pool)
        .await
        .expect("a count");
    assert_eq!(claimed, 0, "a node that has gone holds nothing");
    let waiting: i64 = sqlx::query_scalar("select count(*) from outbox where attempt = 0 and lost_count = 0")
        .fetch_one(&database.pool)
        .await
        .expect("a count");
    assert_eq!(waiting, 3, "what had not started was not counted as run");
    let nodes: i64 =
        sqlx::query_scalar("select count(*) from nodes").fetch_one(&database.pool).await.expect("a count");
    assert_eq!(nodes, 0);
    let app = TestApp::start_on(database, &[]).await;
    let owner = owner.at(app.address);
    for id in &ids {
        let ran = attempts(&owner, id, 1).await;
        let all = ran.json["attempts"].as_array().expect("attempts");
        assert_eq!((all.len(), &all[0]["logs"][0]["message"]), (1, &json!("1")), "{ran:?}");
    }
    outbox_is_empty(&app).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 0);
}

/// A run that does not end in time is cut off and runs again, and no failure is counted.
#[tokio::test]
async fn what_a_stop_cuts_off_runs_again() {
    let (app, owner) = app_with(&[("trigger_retry_max_attempts", "1")]).await;
    queued(&owner, "long", "if ctx.attempt == 1 { sleep(29) } 1").await;
    let id = accepted(&owner, "/~garden/long", json!(1)).await;
    eventually("it runs", || async {
        owner.get("/metrics").await.text.contains("picloud_gate_scripts{state=\"in_flight\"} 1").then_some(())
    })
    .await;
    let database = app.stop().await;
    let app = TestApp::start_on(database, &[]).await;
    let owner = owner.at(app.address);
    let ran = attempts(&owner, &id, 2).await;
    let all = ran.json["attempts"].as_array().expect("attempts");
    assert_eq!((&all[0]["error"]["kind"], &all[1]["error"]), (&json!("stopped"), &json!(null)), "{ran:?}");
    outbox_is_empty(&app).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 0);
}
