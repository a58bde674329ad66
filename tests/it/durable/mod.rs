//! Async routes: accepted, run, retried, given up, and nothing lost on the way.

mod accepting;
mod alone;
mod failing;
mod large;
mod lost;
mod pace;
mod stopping;
mod waiting;

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{
    app::TestApp,
    eventually,
    http::{Answer, Person},
};

/// Makes a script with an async route of its name, and returns its id.
async fn queued(owner: &Person, name: &str, source: &str) -> String {
    queued_in("garden", owner, name, source).await
}

/// The same in another app.
async fn queued_in(app: &str, owner: &Person, name: &str, source: &str) -> String {
    let script = owner.script(app, name, source).await;
    let route = json!({"path_kind": "exact", "host_kind": "any", "path": format!("/{name}"), "dispatch_mode": "async"});
    let made = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
    assert_eq!(made.status, 201, "{made:?}");
    script
}

/// Keys that make retries quick.
const QUICK: [(&str, &str); 2] = [("trigger_retry_base_ms", "10"), ("trigger_retry_jitter_pct", "0")];

async fn app() -> (TestApp, Person) {
    app_with(&[]).await
}

async fn app_with(settings: &[(&str, &str)]) -> (TestApp, Person) {
    let settings: Vec<_> = QUICK.iter().chain(settings).copied().collect();
    let app = TestApp::start_with(&settings).await;
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

/// Has durable rows wait, or no more.
async fn pause(owner: &Person, paused: bool) {
    let answer = owner.patch("/api/v1/admin/settings", json!({"dispatch_paused": paused})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

/// What one statement answers.
async fn sql<T>(app: &TestApp, statement: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    sqlx::query_scalar(statement).fetch_one(app.pool()).await.expect(statement)
}

async fn execute(app: &TestApp, statement: &'static str) {
    sqlx::query(statement).execute(app.pool()).await.expect(statement);
}

/// The errors of an execution's attempts, by kind and message.
fn errors(execution: &Answer) -> Vec<(String, String)> {
    let attempts = execution.json["attempts"].as_array().expect("attempts");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    attempts.iter().map(|a| (text(&a["error"]["kind"]), text(&a["error"]["message"]))).collect()
}

async fn outbox_is_empty(app: &TestApp) {
    no_row_is_left(app.pool()).await;
}

async fn no_row_is_left(db: &PgPool) {
    eventually("the outbox is empty", || async {
        let rows: i64 =
            sqlx::query_scalar("select count(*) from outbox").fetch_one(db).await.expect("a count");
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
async fn bodies_of_every_kind_arrive_as_they_came() {
    let (app, owner) = app().await;
    queued(&owner, "bytes", "log::info(`${ctx.request.body_bytes().len} ${type_of(ctx.request.body)}`);")
        .await;
    let large = vec![b'"'; 1 << 20];
    for (content_type, body, seen) in [
        ("text/plain", b"a\0b".to_vec(), "3 string"),
        ("application/json", br#"{"a": "\u0000", "b": 1.0e16}"#.to_vec(), "28 map"),
        ("application/octet-stream", large, "1048576 blob"),
        ("application/x-www-form-urlencoded", b"a=%00&b=2".to_vec(), "9 map"),
    ] {
        let answer = owner.send("/~garden/bytes", content_type, body).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let ran = attempts(&owner, answer.json["execution_id"].as_str().expect("an id"), 1).await;
        assert_eq!(ran.json["attempts"][0]["logs"][0]["message"], seen, "{ran:?}");
    }
    let refused = owner.send("/~garden/bytes", "application/json", "{").await;
    assert_eq!(refused.fields(), ["body"]);
    let large = owner.send("/~garden/bytes", "text/plain", vec![b'a'; (1 << 20) + 1]).await;
    large.problem(413);
    outbox_is_empty(&app).await;
}

/// Each row is written once and deleted once: with a hundred callers none runs twice.
#[tokio::test]
async fn what_many_callers_hand_in_at_once_runs_once_each() {
    let (app, owner) = app_with(&[("log_budget_per_second", "10000")]).await;
    let script = queued(&owner, "many", "log::info(`${ctx.request.body.n}`);").await;
    let callers: Vec<_> = (0..20)
        .map(|caller| {
            let owner = owner.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    accepted(&owner, "/~garden/many", json!({"n": caller * 20 + n})).await;
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("no panic");
    }
    outbox_is_empty(&app).await;
    owner.get(&format!("/api/v1/admin/apps/garden/executions?script_id={script}")).await;
    let (runs, distinct): (i64, i64) = sqlx::query_as(
        "select count(*), count(distinct logs -> 0 ->> 'message') from executions where source = 'http'",
    )
    .fetch_one(app.pool())
    .await
    .expect("counts");
    assert_eq!((runs, distinct), (400, 400));
}
