//! The execution log and its live tail over HTTP.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::support::{DEADLINE, app::TestApp, http::Person};

const LOG: &str = "/api/v1/admin/apps/garden/executions";

/// Makes the app `garden` with a script; its id.
async fn garden(owner: &Person, source: &str) -> String {
    owner.app("garden").await;
    owner.script("garden", "x", source).await
}

/// Runs a script; the execution's id.
async fn run(who: &Person, script: &str, body: Value) -> String {
    let answer = who.post(&format!("/api/v1/execute/{script}"), body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json["execution_id"].as_str().expect("an execution id").to_owned()
}

/// A script that throws if it is told to.
const SOMETIMES: &str =
    "log::info(`body`, #{ n: 1 });\nif ctx.request.body.fail { throw `no` }\nctx.request.body";

#[tokio::test]
async fn what_has_been_answered_is_in_the_log() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, SOMETIMES).await;
    let good = run(&owner, &script, json!({"fail": false})).await;
    let bad = run(&owner, &script, json!({"fail": true})).await;

    let listed = owner.get(LOG).await;
    assert_eq!((listed.status, &listed.json["not_stored"]), (200, &json!(0)), "{listed:?}");
    let items = listed.json["items"].as_array().expect("items");
    let ids: Vec<_> = items.iter().map(|item| item["execution_id"].as_str().expect("an id")).collect();
    assert_eq!(ids, [&bad, &good]);
    let app = owner.get("/api/v1/admin/apps/garden").await.id();
    let item = &items[0];
    let expected = json!({
        "execution_id": bad, "root_execution_id": bad, "app_id": app, "script_id": script, "script_version": 1,
        "source": "manual", "trigger_id": null, "route_id": null, "attempt": 1, "principal": "ada",
        "started_at": item["started_at"], "duration_ms": item["duration_ms"], "operations": item["operations"],
        "status": 502, "error": item["error"], "request_summary": item["request_summary"],
        "response_summary": null, "trigger_depth": 0, "created_at": item["created_at"],
    });
    assert_eq!(item, &expected);
    assert_eq!((&item["error"]["kind"], &item["error"]["line"]), (&json!("throw"), &json!(2)), "{item}");
    assert!(item["duration_ms"].is_f64() && item["operations"].as_u64() > Some(0), "{item}");
    assert_eq!(items[1]["error"], json!(null));
}

#[tokio::test]
async fn an_execution_has_its_attempts_and_their_logs() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, SOMETIMES).await;
    let id = run(&owner, &script, json!({"fail": true})).await;
    let shown = owner.get(&format!("{LOG}/{id}")).await;
    assert_eq!((shown.status, &shown.json["status"]), (200, &json!(502)), "{shown:?}");
    let attempts = shown.json["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 1);
    let [log] = attempts[0]["logs"].as_array().expect("logs").as_slice() else { panic!("{shown:?}") };
    assert_eq!(log, &json!({"at": log["at"], "level": "info", "message": "body", "fields": {"n": 1}}));
    assert_eq!(shown.json["logs"], attempts[0]["logs"]);
    for field in ["attempt", "started_at", "duration_ms", "operations", "status", "error"] {
        assert_eq!(attempts[0][field], shown.json[field], "{field}");
    }

    owner.get(&format!("{LOG}/nothing")).await.problem(404);
    owner.get(&format!("{LOG}/0198c0de-0000-7000-8000-000000000000")).await.problem(404);
    owner.app("other").await;
    owner.get(&format!("/api/v1/admin/apps/other/executions/{id}")).await.problem(404);
}

#[tokio::test]
async fn the_log_is_filtered_and_paged() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, SOMETIMES).await;
    let other = owner.script("garden", "y", "#{ statusCode: 404 }").await;
    run(&owner, &script, json!({"fail": true})).await;
    let good = run(&owner, &script, json!({"fail": false})).await;
    run(&owner, &other, json!({})).await;
    for (query, expected) in [
        ("", vec![404, 200, 502]),
        ("?status=404", vec![404]),
        ("?status=5xx", vec![502]),
        ("?status=failed", vec![502]),
        ("?source=manual", vec![404, 200, 502]),
        ("?source=http", vec![]),
        (&format!("?script_id={script}"), vec![200, 502]),
        (&format!("?root={good}"), vec![200]),
        (&format!("?script_id={script}&status=2xx"), vec![200]),
    ] {
        let answer = owner.get(&format!("{LOG}{query}")).await;
        let items = answer.json["items"].as_array().expect("items");
        let statuses: Vec<_> = items.iter().filter_map(|item| item["status"].as_u64()).collect();
        assert_eq!(statuses, expected, "{query}");
    }
    let first = owner.get(&format!("{LOG}?limit=2")).await;
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    let second = owner.get(&format!("{LOG}?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (&second.json["items"][0]["status"], &second.json["next_cursor"]),
        (&json!(502), &json!(null))
    );
    for (query, field) in [
        ("status=ok", "status"),
        ("status=42", "status"),
        ("script_id=x", "script_id"),
        ("root=x", "root"),
        ("source=%00", "source"),
        ("state=404", "state"),
        ("limit=201", "limit"),
    ] {
        assert_eq!(owner.get(&format!("{LOG}?{query}")).await.fields(), [field]);
    }
}

#[tokio::test]
async fn beyond_an_apps_budget_successes_are_only_counted() {
    let test = TestApp::start_with(&[("log_budget_per_second", "1")]).await;
    let owner = test.owner().await;
    let script = garden(&owner, "if ctx.request.body.fail { throw `no` }").await;
    for n in 0..20 {
        run(&owner, &script, json!({"fail": n % 5 == 0})).await;
    }
    let answer = owner.get(LOG).await;
    let items = answer.json["items"].as_array().expect("items");
    let failed = items.iter().filter(|item| item["status"] == 502).count();
    assert_eq!(failed, 4, "failures always are stored");
    let counted = answer.json["not_stored"].as_u64().expect("a count");
    assert!(counted > 0, "{answer:?}");
    assert_eq!(items.len() as u64 + counted, 20, "nothing is lost sight of");
}

#[tokio::test]
async fn the_log_is_for_those_who_hold_a_role() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, "1").await;
    let id = run(&owner, &script, json!({})).await;
    for (who, status) in [(test.nobody(), 401), (test.stranger().await, 404)] {
        who.get(LOG).await.problem(status);
        who.get(&format!("{LOG}/{id}")).await.problem(status);
        who.get(&format!("{LOG}/stream")).await.problem(status);
    }
}

/// A live tail that is being read.
struct Tail {
    bytes: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    seen: String,
}

/// One server-sent event.
#[derive(Debug)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

impl Tail {
    async fn open(who: &Person, last: Option<&str>) -> Self {
        let mut request = who.request("GET", &format!("{LOG}/stream"));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { bytes: response.bytes_stream().boxed(), seen: String::new() }
    }

    /// The next event; none when the stream ends.
    async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(DEADLINE, self.read()).await.expect("an event in time")
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            while let Some((block, rest)) = self.seen.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.seen = rest;
                let field = |name: &str| {
                    let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                    line.unwrap_or_default().to_owned()
                };
                // What has no data is a comment.
                if let Ok(data) = serde_json::from_str(&field("data")) {
                    return Some(Event { name: field("event"), id: field("id"), data });
                }
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => self.seen.push_str(std::str::from_utf8(&bytes).expect("text")),
                _ => return None,
            }
        }
    }
}

#[tokio::test]
async fn the_live_tail_shows_what_ends_and_goes_on_where_it_was_left() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, SOMETIMES).await;
    run(&owner, &script, json!({"fail": false})).await;
    let mut tail = Tail::open(&owner, None).await;
    let first = run(&owner, &script, json!({"fail": true})).await;
    let seen = tail.next().await.expect("an event");
    assert_eq!((seen.name.as_str(), &seen.data["execution_id"]), ("execution", &json!(first)), "{seen:?}");
    assert_eq!(seen.data, owner.get(LOG).await.json["items"][0]);
    drop(tail);

    let second = run(&owner, &script, json!({"fail": false})).await;
    let third = run(&owner, &script, json!({"fail": false})).await;
    let mut tail = Tail::open(&owner, Some(&seen.id)).await;
    for expected in [second, third] {
        assert_eq!(tail.next().await.expect("an event").data["execution_id"], json!(expected));
    }
    let made_up = owner.with("last-event-id", "x").get(&format!("{LOG}/stream")).await;
    assert_eq!(made_up.fields(), ["Last-Event-ID"]);
    assert_eq!(owner.get(&format!("{LOG}/stream?limit=1")).await.fields(), ["limit"]);
}

#[tokio::test]
async fn the_live_tail_says_what_it_leaves_out() {
    let test = TestApp::start_with(&[("log_budget_per_second", "1")]).await;
    let owner = test.owner().await;
    let script = garden(&owner, "1").await;
    let mut tail = Tail::open(&owner, None).await;
    for _ in 0..10 {
        run(&owner, &script, json!({})).await;
    }
    let mut shown = 0;
    let mut left_out = 0;
    while shown + left_out < 10 {
        let event = tail.next().await.expect("an event");
        match event.name.as_str() {
            "execution" => shown += 1,
            "stats" => {
                assert_eq!(event.data["skipped"], json!(0));
                left_out += event.data["not_stored"].as_u64().expect("a count");
            }
            other => panic!("{other}"),
        }
    }
    assert!(shown >= 1 && left_out >= 1, "{shown} {left_out}");
}

#[tokio::test]
async fn the_live_tail_of_a_long_absence_is_its_newest_end() {
    let test = TestApp::start_with(&[("log_budget_per_second", "10000")]).await;
    let owner = test.owner().await;
    let script = garden(&owner, "1").await;
    let runs = (0..203).map(|_| run(&owner, &script, json!({})));
    futures_util::stream::iter(runs).buffer_unordered(8).collect::<Vec<_>>().await;
    let mut tail = Tail::open(&owner, Some("0")).await;
    let stats = tail.next().await.expect("an event");
    assert_eq!((stats.name.as_str(), &stats.data["skipped"]), ("stats", &json!(3)), "{stats:?}");
    let mut newest = Value::Null;
    for _ in 0..200 {
        newest = tail.next().await.expect("an event").data;
    }
    assert_eq!(newest, owner.get(LOG).await.json["items"][0]);
}

#[tokio::test]
async fn the_live_tail_ends_with_its_session_and_shows_nothing_after() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let script = garden(&owner, "1").await;
    let who = json!({"username": "ada", "password": crate::support::app::PASSWORD});
    let login = test.nobody().post("/api/v1/auth/login", who).await;
    let other = test.nobody().with_token(login.json["token"].as_str().expect("a token"));
    let mut tail = Tail::open(&other, None).await;
    assert_eq!(other.call("POST", "/api/v1/auth/logout").await.status, 204);
    run(&owner, &script, json!({})).await;
    assert!(tail.next().await.is_none(), "the stream ends without the event");
}

#[tokio::test]
async fn open_live_tails_do_not_hold_up_the_end() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    garden(&owner, "1").await;
    let mut tail = Tail::open(&owner, None).await;
    let began = std::time::Instant::now();
    test.stop().await;
    assert!(tail.next().await.is_none());
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}
