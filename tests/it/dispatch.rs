//! Between the caller and the gate: who is answered when, and what runs for nobody.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use crate::support::{app::TestApp, eventually, http::Person};

/// Waits until the metrics have this line.
async fn metric(person: &Person, line: &str) {
    eventually(line, || async { person.get("/metrics").await.text.contains(line).then_some(()) }).await;
}

async fn runs_of(owner: &Person, script: &str) -> usize {
    let list = owner.get(&format!("/api/v1/admin/apps/garden/executions?script_id={script}")).await;
    list.json["items"].as_array().expect("items").len()
}

/// One native call after another takes longer than the run may: no operation
/// comes in between in time, and still the caller hears of it at once.
#[tokio::test]
async fn past_the_wall_clock_the_caller_is_answered_while_a_native_still_runs() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let source = r#"let s = "a"; s.pad(900000, "ab"); for n in 0..400 { s.split("b").len(); } 1"#;
    let script = owner.script("garden", "busy", source).await;
    let path = format!("/api/v1/admin/scripts/{script}");
    assert_eq!(owner.patch(&path, json!({"timeout_seconds": 1})).await.status, 200);
    owner.route(&script, "/busy").await;
    let start = Instant::now();
    let answer = owner.get("/~garden/busy").await;
    let took = start.elapsed();
    answer.problem(504);
    assert!(took < Duration::from_secs(3), "answered only after {took:?}");
    // It is on record when it has ended, and its caller was not left waiting.
    metric(&owner, "picloud_gate_scripts{state=\"in_flight\"} 0").await;
    let list = owner.get("/api/v1/admin/apps/garden/executions").await;
    assert_eq!(list.json["items"][0]["error"]["kind"], "timeout", "{list:?}");
    assert!(!owner.get("/metrics").await.text.contains("picloud_abandoned_executions_total{"));
}

#[tokio::test]
async fn what_waits_for_one_who_has_gone_never_runs() {
    let settings =
        [("max_concurrent_executions", "1"), ("max_in_flight_executions", "1"), ("permit_wait", "30s")];
    let app = TestApp::start_with(&settings).await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "sleep(2); 1").await.status, 200);
    let script = owner.script("garden", "late", "1").await;
    owner.route(&script, "/late").await;
    let holder = tokio::spawn({
        let owner = owner.clone();
        async move { owner.get("/~garden/run").await.status }
    });
    metric(&owner, "picloud_gate_scripts{state=\"in_flight\"} 1").await;
    let mut gone = TcpStream::connect(app.address).await.expect("a connection");
    gone.write_all(b"GET /~garden/late HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    metric(&owner, "picloud_gate_scripts{state=\"waiting\"} 1").await;
    drop(gone);
    metric(&owner, "picloud_gate_scripts{state=\"waiting\"} 0").await;
    assert_eq!(holder.await.expect("no panic"), 200);
    assert_eq!(runs_of(&owner, &script).await, 0);
    assert_eq!(owner.get("/~garden/late").await.status, 200);
    assert_eq!(runs_of(&owner, &script).await, 1);
}

/// A change whose caller hangs up in the middle is made whole or not at all,
/// served if it was made, and harms nobody else.
#[tokio::test]
async fn a_change_whose_caller_hangs_up_is_served_if_it_is_stored() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "1").await.status, 200);
    let route = owner.get("/api/v1/admin/apps/garden/routes").await.json["items"][0]["id"].clone();
    let route = route.as_str().expect("an id");
    let token = owner.token().expect("a token");
    for attempt in 0..60u64 {
        let enabled = attempt % 2 == 0;
        let body = json!({"enabled": enabled}).to_string();
        let head = format!(
            "PATCH /api/v1/admin/routes/{route} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut gone = TcpStream::connect(app.address).await.expect("a connection");
        gone.write_all(head.as_bytes()).await.expect("a request");
        // Every moment of the change is to be hit once.
        tokio::time::sleep(Duration::from_micros(attempt * 200)).await;
        drop(gone);
    }
    eventually("what is stored is what is served", || async {
        let stored = owner.get(&format!("/api/v1/admin/routes/{route}")).await;
        assert_eq!(stored.status, 200, "{stored:?}");
        let served = owner.get("/~garden/run").await.status;
        let agrees = served == if stored.json["enabled"] == true { 200 } else { 404 };
        agrees.then_some(())
    })
    .await;
    for _ in 0..20 {
        let kept = owner.post("/api/v1/admin/apps/garden/domains", json!({"pattern": "garden.local"})).await;
        assert_eq!(kept.status, 201, "{kept:?}");
        let id = kept.id();
        assert_eq!(owner.delete(&format!("/api/v1/admin/apps/garden/domains/{id}")).await.status, 204);
    }
}
