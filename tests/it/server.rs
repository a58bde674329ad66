//! Clients that are hostile, slow or gone: bounded, answered where they can be, and nothing else suffers.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::{
    app::TestApp,
    eventually,
    http::{Person, raw},
};

/// The status of an answer that came as bytes.
fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

async fn still_answers(person: &Person) {
    assert_eq!(person.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_flood_of_headers_is_431() {
    let app = TestApp::start().await;
    let many: Vec<String> = (0..1000).map(|n| format!("x-{n}: y\r\n")).collect();
    let many = many.concat();
    let request = format!("GET /hello HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    assert_eq!(status(&raw(app.address, request.as_bytes()).await), "431");
    let long = format!("GET /hello HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "y".repeat(33 * 1024));
    assert_eq!(status(&raw(app.address, long.as_bytes()).await), "431");
    still_answers(&app.nobody()).await;
}

#[tokio::test]
async fn an_overlong_path_is_refused() {
    let app = TestApp::start().await;
    let request = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(70_000));
    let answer = raw(app.address, request.as_bytes()).await;
    assert!(["414", "431"].contains(&status(&answer)), "{answer}");
    still_answers(&app.nobody()).await;
}

#[tokio::test]
async fn what_is_no_http_is_400() {
    let app = TestApp::start().await;
    for nonsense in
        [&b"\x16\x03\x01\x02\x00\x01"[..], b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"]
    {
        let answer = raw(app.address, nonsense).await;
        assert!(answer.is_empty() || status(&answer) == "400", "{answer}");
    }
    still_answers(&app.nobody()).await;
}

#[tokio::test]
async fn a_head_that_drips_in_is_cut_off_and_a_resting_connection_is_not() {
    let app = TestApp::start_with(&[("request_timeout", "1s"), ("idle_timeout", "20s")]).await;
    let mut drip = TcpStream::connect(app.address).await.expect("a connection");
    let mut rest = TcpStream::connect(app.address).await.expect("a connection");
    drip.write_all(b"GET /healthz HT").await.expect("a beginning");
    let start = Instant::now();
    let mut end = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), drip.read_to_end(&mut end)).await;
    assert!(ended.is_ok(), "the slow connection is still open");
    assert!(start.elapsed() >= Duration::from_millis(900), "cut off after {:?}", start.elapsed());
    rest.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await
        .expect("a request");
    let mut answer = String::new();
    rest.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn an_idle_connection_ends() {
    let app = TestApp::start_with(&[("request_timeout", "1s"), ("idle_timeout", "1s")]).await;
    let mut idle = TcpStream::connect(app.address).await.expect("a connection");
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    let mut all = String::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), idle.read_to_string(&mut all)).await;
    assert!(ended.is_ok(), "the idle connection is still open");
    assert_eq!(status(&all), "200");
}

#[tokio::test]
async fn a_body_that_drips_in_is_408() {
    let app = TestApp::start_with(&[("request_timeout", "1s")]).await;
    let head = "POST /api/v1/setup HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    let answer = raw(app.address, head.as_bytes()).await;
    assert_eq!(status(&answer), "408", "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn a_connection_dropped_in_the_middle_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "sleep(0.3); 1").await.status, 200);
    for _ in 0..20 {
        let mut gone = TcpStream::connect(app.address).await.expect("a connection");
        gone.write_all(b"POST /~garden/run HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf")
            .await
            .expect("half");
        drop(gone);
        let mut gone = TcpStream::connect(app.address).await.expect("a connection");
        gone.write_all(b"GET /~garden/run HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
        drop(gone);
    }
    // What was started runs to its end and is on record; nobody waits for it any more.
    eventually("the gate is empty and the inbox too", || async {
        let metrics = app.nobody().get("/metrics").await.text;
        let empty = ["picloud_gate_scripts{state=\"in_flight\"} 0", "picloud_inbox_pending 0"];
        empty.iter().all(|line| metrics.contains(line)).then_some(())
    })
    .await;
    assert_eq!(owner.get("/~garden/run").await.status, 200);
}

#[tokio::test]
async fn an_oversized_body_is_413_and_the_connection_survives_to_say_so() {
    let app = TestApp::start().await;
    app.owner().await;
    let answer = app.nobody().send("/hello", "text/plain", vec![b'x'; 4 * 1024 * 1024]).await;
    answer.problem(413);
}

#[tokio::test]
async fn a_stop_answers_what_was_asked() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.run("garden", "1").await;
    let script = owner.script("garden", "slow", "sleep(1); \"done\"").await;
    owner.route(&script, "/slow").await;
    let asked = tokio::spawn({
        let owner = owner.clone();
        async move { owner.get("/~garden/slow").await }
    });
    eventually("the slow script runs", || async {
        let metrics = owner.get("/metrics").await.text;
        metrics.contains("picloud_gate_scripts{state=\"in_flight\"} 1").then_some(())
    })
    .await;
    let database = app.stop().await;
    let answer = asked.await.expect("no panic");
    assert_eq!((answer.status, answer.text.as_str()), (200, "\"done\""));
    let recorded: i64 =
        sqlx::query_scalar("select count(*) from executions where request_summary like '%slow%'")
            .fetch_one(&database.pool)
            .await
            .expect("sql");
    assert_eq!(recorded, 1);
}
