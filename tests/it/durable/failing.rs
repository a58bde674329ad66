//! What fails: tried again by the policy, with every error kept, and then a dead letter.

use serde_json::{Value, json};

use super::{accepted, app, app_with, attempts, errors, execute, outbox_is_empty, pause, queued, sql};
use crate::support::{eventually, http::Person};

#[tokio::test]
async fn what_fails_is_retried_by_the_policy_and_then_a_dead_letter() {
    let (app, owner) = app().await;
    queued(&owner, "fails", "throw `attempt ${ctx.attempt}` + \"\\x00\";").await;
    let id = accepted(&owner, "/~garden/fails", json!({"keep": "me"})).await;
    let ran = attempts(&owner, &id, 3).await;
    let expected: Vec<_> = (1..=3).map(|n| ("throw".to_owned(), format!("attempt {n}\u{fffd}"))).collect();
    assert_eq!(errors(&ran), expected);
    outbox_is_empty(&app).await;
    let (source, op, count, last, errors, body): (String, String, i32, String, Value, Vec<u8>) =
        sqlx::query_as("select source, op, attempt_count, last_error, errors, body from dead_letters")
            .fetch_one(app.pool())
            .await
            .expect("one dead letter");
    assert_eq!((source.as_str(), op.as_str(), count), ("http", "POST", 3));
    assert_eq!(last, "attempt 3\u{fffd}");
    let numbers: Vec<_> = errors.as_array().expect("errors").iter().map(|e| e["attempt"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(errors[0]["kind"], "throw");
    assert_eq!(body, br#"{"keep":"me"}"#);
    let metrics = owner.get("/metrics").await.text;
    for line in ["picloud_retries_total 2", "picloud_dead_letters_total 1"] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn what_fails_once_and_then_works_is_done() {
    let (app, owner) = app().await;
    queued(&owner, "once", "if ctx.attempt == 1 { throw #{ statusCode: 204 } } 1").await;
    let id = accepted(&owner, "/~garden/once", json!(1)).await;
    let ran = attempts(&owner, &id, 2).await;
    let [first, second] = errors(&ran).try_into().expect("two attempts");
    assert_eq!(first.0, "throw", "a thrown response is a failure where nobody is answered");
    assert_eq!(second.0, "");
    assert_eq!(ran.json["attempts"][1]["status"], 200);
    outbox_is_empty(&app).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 0);
}

/// Each way to end, with the answer nobody gets: which of them are tried again.
#[tokio::test]
async fn the_outcome_table_of_durable_runs() {
    let (app, owner) = app_with(&[("trigger_retry_max_attempts", "2")]).await;
    let cases = [
        ("returns", "1", None),
        ("answers_nonsense", "#{ statusCode: 9999 }", None),
        ("answers_too_much", "let b = blob(8000000, 1); b + blob(500000, 1)", None),
        ("throws", "throw 1", Some("throw")),
        ("hangs", "loop { }", Some("timeout")),
        ("counts", "fn f() { } loop { f() }", Some("operations")),
        ("holds", "let s = \"0123456789\"; loop { s += s; }", Some("memory")),
        ("calls", "fn f() { f() } f()", Some("call_depth")),
        ("logs", "loop { log::info(\"\") }", Some("log_limit")),
    ];
    for (name, source, kind) in cases {
        let script = queued(&owner, name, source).await;
        let operations = if name == "hangs" { 100_000_000 } else { 100_000 };
        let sandbox = json!({"max_operations": operations});
        let change = json!({"timeout_seconds": 1, "sandbox": sandbox});
        let path = format!("/api/v1/admin/scripts/{script}");
        assert_eq!(owner.patch(&path, change).await.status, 200);
        let id = accepted(&owner, &format!("/~garden/{name}"), json!(1)).await;
        let ran = attempts(&owner, &id, if kind.is_some() { 2 } else { 1 }).await;
        let kinds: Vec<String> = errors(&ran).into_iter().map(|(kind, _)| kind).collect();
        let expected = kind.map_or_else(|| vec![String::new()], |kind| vec![kind.to_owned(); 2]);
        assert_eq!(kinds, expected, "{name}: {ran:?}");
        outbox_is_empty(&app).await;
        let letters: i64 =
            sql(&app, "with gone as (delete from dead_letters returning 1) select count(*) from gone").await;
        assert_eq!(letters, i64::from(kind.is_some()), "{name}");
    }
}

/// How many routes the table in service has.
async fn in_service(owner: &Person) -> u32 {
    let metrics = owner.get("/metrics").await.text;
    let routes = metrics.lines().find_map(|line| line.strip_prefix("picloud_routes "));
    routes.and_then(|routes| routes.parse().ok()).expect("a number")
}

/// What led to a row can go while it waits: a failed attempt with that reason, never a stuck row.
#[tokio::test]
async fn what_is_gone_or_disabled_when_a_row_runs_is_its_error() {
    let (app, owner) = app_with(&[("trigger_retry_max_attempts", "1")]).await;
    let member = app.stranger().await;
    for (name, act) in [
        ("script_disabled", "update scripts set enabled = false where name = 'script_disabled'"),
        ("route_disabled", "update routes set enabled = false where path = '/route_disabled'"),
        ("route_deleted", "delete from routes where path = '/route_deleted'"),
        ("user_deleted", "update outbox set origin_principal = gen_random_uuid()"),
        ("user_disabled", "update users set active = false where username = 'mallory'"),
    ] {
        queued(&owner, name, "1").await;
        pause(&owner, true).await;
        let id = accepted(&member, &format!("/~garden/{name}"), json!(1)).await;
        let before = in_service(&owner).await;
        execute(&app, act).await;
        // Another node's change arrives by a nudge.
        execute(&app, "select pg_notify('picloud_routes', '')").await;
        if !name.starts_with("user") {
            eventually("the route is out of service", || async {
                (in_service(&owner).await < before).then_some(())
            })
            .await;
        }
        pause(&owner, false).await;
        let ran = attempts(&owner, &id, 1).await;
        let kind = if name.starts_with("user") { "forbidden" } else { "gone" };
        assert_eq!(errors(&ran)[0].0, kind, "{name}: {ran:?}");
        outbox_is_empty(&app).await;
    }
    let letters: i64 = sql(&app, "select count(*) from dead_letters where source = 'http'").await;
    assert_eq!(letters, 5);
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_written_keeps_its_row_and_no_other_waits_for_it() {
    let (app, owner) = app_with(&[("trigger_retry_max_attempts", "1")]).await;
    execute(&app, "alter table dead_letters add constraint no check (op <> 'PUT')").await;
    let script = queued(&owner, "fails", "throw 1").await;
    queued(&owner, "works", "1").await;
    let answer = owner.call("PUT", "/~garden/fails").await;
    assert_eq!(answer.status, 202, "{answer:?}");
    attempts(&owner, answer.json["execution_id"].as_str().expect("an id"), 1).await;
    let other = accepted(&owner, "/~garden/fails", json!(1)).await;
    attempts(&owner, &other, 1).await;
    let done = accepted(&owner, "/~garden/works", json!(1)).await;
    attempts(&owner, &done, 1).await;
    eventually("all rows but one are settled", || async {
        let left: Vec<String> =
            sqlx::query_scalar("select op from outbox").fetch_all(app.pool()).await.expect("rows");
        (left == ["PUT"]).then_some(())
    })
    .await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 1);
    execute(&app, "alter table dead_letters drop constraint no").await;
    outbox_is_empty(&app).await;
    assert_eq!(sql::<i64>(&app, "select count(*) from dead_letters").await, 2);
    let runs = owner.get(&format!("/api/v1/admin/apps/garden/executions?script_id={script}")).await;
    assert_eq!(runs.json["items"].as_array().map(Vec::len), Some(2), "it did not run again: {runs:?}");
}
