//! What waits, and why: paused, over its quota, without a disk, of a kind nobody knows, by a wrong clock.

use serde_json::json;

use super::{accepted, app, app_with, attempts, execute, outbox_is_empty, pause, queued, queued_in, sql};
use crate::support::eventually;

#[tokio::test]
async fn while_paused_rows_wait_and_sync_requests_go_on() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    let now = owner.script("garden", "now", "2").await;
    owner.route(&now, "/now").await;
    pause(&owner, true).await;
    let first = accepted(&owner, "/~garden/later", json!(1)).await;
    let second = accepted(&owner, "/~garden/later", json!(1)).await;
    assert_eq!(owner.get("/~garden/now").await.text, "2");
    let ready = owner.get("/readyz").await;
    assert_eq!((ready.status, &ready.json["checks"]["dispatcher"]), (200, &json!("paused")));
    let rows = owner.get("/api/v1/admin/apps/garden/outbox").await;
    let states: Vec<_> =
        rows.json["items"].as_array().expect("items").iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["waiting", "waiting"]);
    assert_eq!(
        sql::<i64>(
            &app,
            "select count(*) from outbox where claimed_epoch is null and attempt = 0 and lost_count = 0"
        )
        .await,
        2
    );
    pause(&owner, false).await;
    for id in [first, second] {
        attempts(&owner, &id, 1).await;
    }
    outbox_is_empty(&app).await;
}

#[tokio::test]
async fn an_app_over_its_quota_is_429_and_others_are_not() {
    let (app, owner) = app_with(&[("outbox_quota", "3")]).await;
    queued(&owner, "later", "1").await;
    owner.app("other").await;
    queued_in("other", &owner, "later", "1").await;
    pause(&owner, true).await;
    for _ in 0..3 {
        accepted(&owner, "/~garden/later", json!(1)).await;
    }
    let refused = owner.post("/~garden/later", json!(1)).await;
    assert!(refused.problem(429).contains("quota"), "{refused:?}");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(owner.post("/~other/later", json!(1)).await.status, 202);
    assert_eq!(sql::<i64>(&app, "select count(*) from outbox").await, 4);
    pause(&owner, false).await;
    outbox_is_empty(&app).await;
    eventually("there is room again", || async {
        (owner.post("/~garden/later", json!(1)).await.status == 202).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_room_on_the_disk_nothing_is_accepted() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    let database = app.stop().await;
    let settings = [("min_free_bytes", "1000000000000000")];
    let app = crate::support::app::TestApp::start_on(database, &settings).await;
    let refused = app.nobody().post("/~garden/later", json!(1)).await;
    assert!(refused.problem(503).contains("disk"), "{refused:?}");
    assert_eq!(sql::<i64>(&app, "select count(*) from outbox").await, 0);
}

#[tokio::test]
async fn a_row_of_a_kind_nobody_here_knows_waits_and_holds_up_none() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    pause(&owner, true).await;
    accepted(&owner, "/~garden/later", json!(1)).await;
    execute(&app, "update outbox set source_kind = 'gpio', next_attempt_at = now() - interval '1 day'").await;
    pause(&owner, false).await;
    let known = accepted(&owner, "/~garden/later", json!(1)).await;
    attempts(&owner, &known, 1).await;
    eventually("the known row is gone", || async {
        (sql::<i64>(&app, "select count(*) from outbox").await == 1).then_some(())
    })
    .await;
    assert_eq!(
        sql::<i64>(&app, "select count(*) from outbox where source_kind = 'gpio' and attempt = 0").await,
        1
    );
}

/// A wait is bounded by its own length, whatever the clock was when the row was written.
#[tokio::test]
async fn a_row_written_under_a_clock_years_ahead_runs_after_its_wait() {
    let (app, owner) = app().await;
    queued(&owner, "later", "1").await;
    pause(&owner, true).await;
    let ahead = accepted(&owner, "/~garden/later", json!(1)).await;
    let behind = accepted(&owner, "/~garden/later", json!(1)).await;
    execute(&app, "update outbox set next_attempt_at = now() + interval '1 year', wait_ms = 100").await;
    sqlx::query(
        "update outbox set next_attempt_at = now() - interval '30 years' where execution_id = $1::uuid",
    )
    .bind(&behind)
    .execute(app.pool())
    .await
    .expect("a change");
    pause(&owner, false).await;
    attempts(&owner, &behind, 1).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from outbox where attempt = 0").await, 1, "the other waits");
    let database = app.stop().await;
    let app = crate::support::app::TestApp::start_on(database, &[]).await;
    outbox_is_empty(&app).await;
    attempts(&owner.at(app.address), &ahead, 1).await;
}

/// Thousands of rows of one app, and one of another that came last.
#[tokio::test]
async fn a_backlog_of_one_app_does_not_delay_another() {
    let (app, owner) = app_with(&[("outbox_quota", "1000000")]).await;
    queued(&owner, "later", "1").await;
    owner.app("other").await;
    queued_in("other", &owner, "later", "1").await;
    pause(&owner, true).await;
    accepted(&owner, "/~garden/later", json!(1)).await;
    execute(
        &app,
        "insert into outbox (id, event_id, app_id, source_kind, op, trigger_id, script_id, payload, root_execution_id,
                             execution_id, retry_max_attempts, retry_backoff, retry_base_ms)
         select gen_random_uuid(), event_id, app_id, source_kind, op, trigger_id, script_id, payload,
                root_execution_id, gen_random_uuid(), 3, retry_backoff, retry_base_ms
         from outbox cross join generate_series(1, 20000)",
    )
    .await;
    let other = owner.post("/~other/later", json!(1)).await;
    let other = other.json["execution_id"].as_str().expect("an id").to_owned();
    pause(&owner, false).await;
    let path = format!("/api/v1/admin/apps/other/executions/{other}");
    eventually("the other app's run", || async { (owner.get(&path).await.status == 200).then_some(()) })
        .await;
    let left: i64 = sql(&app, "select count(*) from outbox").await;
    assert!(left > 5_000, "the other app's event waited for the backlog: {left} rows are left");
    outbox_is_empty(&app).await;
}
