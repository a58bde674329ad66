//! Async routes: accepted, run, retried, given up, and nothing lost on the way.

use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    eventually,
    http::{Answer, Person},
};

/// Makes a script with an async route of its name, and returns its id.
async fn queued(owner: &Person, name: &str, source: &str) -> String {
    let script = owner.script("garden", name, source).await;
    let route = json!({"path_kind": "exact", "host_kind": "any", "path": format!("/{name}"), "dispatch_mode": "async"});
    let made = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
    assert_eq!(made.status, 201, "{made:?}");
    script
}

/// Keys that make retries quick.
const QUICK: [(&str, &str); 2] = [("trigger_retry_base_ms", "10"), ("trigger_retry_jitter_pct", "0")];

async fn app() -> (TestApp, Person) {
    let app = TestApp::start_with(&QUICK).await;
    let owner = app.owner().await;
    owner.app("garden").await;
    (app, owner)
}

/// Calls a route and returns the id of the execution it was promised.
async fn accepted(person: &Person, path: &str, body: Value) -> String {
    let answer = person.post(path, body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.json["execution_id"].as_str().expect("an id").to_owned();
    assert_eq!(answer.header("x-execution-id"), id);
    assert!(answer.json["accepted_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{answer:?}");
    id
}

/// Waits until this many attempts of an execution have ended, and returns it.
async fn attempts(owner: &Person, execution: &str, number: usize) -> Answer {
    let path = format!("/api/v1/admin/apps/garden/executions/{execution}");
    eventually(&format!("{number} attempts"), || async {
        let got = owner.get(&path).await;
        let ended = got.json["attempts"].as_array().map_or(0, Vec::len);
        (ended >= number).then_some(got)
    })
    .await
}

async fn outbox_is_empty(app: &TestApp) {
    eventually("the outbox is empty", || async {
        let rows: i64 =
            sqlx::query_scalar("select count(*) from outbox").fetch_one(app.pool()).await.expect("a count");
        (rows == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_async_route_answers_202_and_its_script_runs_with_the_request_as_it_was() {
    let (app, owner) = app().await;
    let source = "log::info(`${ctx.request.method} ${ctx.request.path} ${ctx.request.query.q} ${ctx.request.body.n} ${ctx.attempt} ${ctx.principal.username}`);";
    queued(&owner, "later", source).await;
    for turn in 0..3 {
        let id = accepted(&owner, "/~garden/later?q=leaf", json!({"n": turn})).await;
        let ran = attempts(&owner, &id, 1).await;
        let attempt = &ran.json["attempts"][0];
        assert_eq!(attempt["logs"][0]["message"], format!("POST /later leaf {turn} 1 ada"), "{ran:?}");
        assert_eq!((&attempt["status"], &attempt["error"]), (&json!(200), &json!(null)), "{ran:?}");
    }
    outbox_is_empty(&app).await;
}

#[tokio::test]
async fn what_fails_is_retried_by_the_policy_and_then_a_dead_letter() {
    let (app, owner) = app().await;
    queued(&owner, "fails", "throw `attempt ${ctx.attempt}`;").await;
    let id = accepted(&owner, "/~garden/fails", json!({"keep": "me"})).await;
    let ran = attempts(&owner, &id, 3).await;
    let messages: Vec<&str> = ran.json["attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .filter_map(|a| a["error"]["message"].as_str())
        .collect();
    assert_eq!(messages, ["attempt 1", "attempt 2", "attempt 3"]);
    outbox_is_empty(&app).await;
    let (source, op, count, last, errors, body): (String, String, i32, String, Value, Vec<u8>) =
        sqlx::query_as("select source, op, attempt_count, last_error, errors, body from dead_letters")
            .fetch_one(app.pool())
            .await
            .expect("one dead letter");
    assert_eq!((source.as_str(), op.as_str(), count, last.as_str()), ("http", "POST", 3, "attempt 3"));
    assert_eq!(errors.as_array().map(Vec::len), Some(3));
    assert_eq!(errors[0]["kind"], "throw");
    assert_eq!(body, br#"{"keep":"me"}"#);
}
