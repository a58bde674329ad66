//! What answers without credentials: health, readiness, version, metrics.

use std::{
    fs,
    net::UdpSocket,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::support::{app::TestApp, cable::Cable, eventually, http::Answer, postgres::TestDb};

#[tokio::test]
async fn the_process_says_that_it_answers() {
    let app = TestApp::start().await;
    let health = app.nobody().get("/healthz").await;
    assert_eq!((health.status, &health.json), (200, &json!({"status": "ok"})));
    assert_eq!(
        app.nobody().with("x-request-id", "mine").get("/healthz").await.header("x-request-id"),
        "mine"
    );
    app.nobody().call("POST", "/healthz").await.problem(405);
}

#[tokio::test]
async fn the_version_names_product_sdk_api_and_schema() {
    let app = TestApp::start().await;
    let version = app.nobody().get("/version").await;
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    let migrations = fs::read_dir(migrations).expect("the migrations").count();
    let expected = json!({
        "product": env!("CARGO_PKG_VERSION"),
        "sdk": picloud::engine::SDK_VERSION,
        "api": 1,
        "schema": migrations,
    });
    assert_eq!((version.status, &version.json), (200, &expected));
    let sdk: Vec<_> = picloud::engine::SDK_VERSION.split('.').map(str::parse::<u32>).collect();
    assert!(sdk.len() == 3 && sdk.iter().all(Result::is_ok), "SemVer: {sdk:?}");
}

/// Asserts what readiness says of everything but the clock, which is as it is
/// and no failure either way.
fn assert_readiness(answer: &Answer, status: u16, word: &str, database: &str) {
    assert_eq!((answer.status, &answer.json["status"]), (status, &json!(word)), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json");
    let clock = &answer.json["checks"]["clock"];
    assert!(clock == "synchronised" || clock == "unsynchronised", "{answer:?}");
    let checks = json!({"database": database, "dispatcher": "ok", "disk": "ok", "clock": clock});
    assert_eq!(answer.json["checks"], checks);
}

#[tokio::test]
async fn readiness_follows_the_database() {
    let db = TestDb::new().await;
    let (mut cable, _) = Cable::to(&db).await;
    let url = cable.url(&db);
    let app = TestApp::start_on(db, &[("database_url", &url)]).await;
    let someone = app.nobody();
    assert_readiness(&someone.get("/readyz").await, 200, "ok", "ok");

    cable.cut();
    let away = eventually("readiness sees that the database is away", || async {
        Some(someone.get("/readyz").await).filter(|answer| answer.status != 200)
    });
    assert_readiness(&away.await, 503, "unavailable", "unavailable");
    assert_eq!(someone.get("/healthz").await.status, 200, "the process answers");
    assert_eq!(someone.get("/version").await.status, 200, "the schema is known");

    cable.mend();
    let back = eventually("readiness sees that the database is back", || async {
        Some(someone.get("/readyz").await).filter(|answer| answer.status == 200)
    });
    assert_readiness(&back.await, 200, "ok", "ok");
}

/// Asserts the text format of Prometheus, with names of ours alone.
fn assert_metrics(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"), "{answer:?}");
    assert!(answer.text.ends_with('\n') && answer.text.lines().count() > 20, "{answer:?}");
    for line in answer.text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.split(' ');
            assert!(matches!(words.next(), Some("HELP" | "TYPE")), "{line}");
            assert!(words.next().is_some_and(|name| name.starts_with("picloud_")), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        assert!(name.starts_with("picloud_"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn the_metrics_are_prometheus_text_for_the_machine_itself() {
    let app = TestApp::start().await;
    let someone = app.nobody();
    assert_eq!(someone.get("/~default/hello").await.status, 200);
    let free = "picloud_gate_scripts{state=\"running\"} 0";
    // A script's thread gives its permit back a moment after the answer is on its way.
    let metrics = eventually("the permit comes back", || async {
        let metrics = someone.get("/metrics").await;
        metrics.text.lines().any(|told| told == free).then_some(metrics)
    })
    .await;
    assert_metrics(&metrics);
    for line in [
        "picloud_executions_total{outcome=\"ok\",source=\"http\"} 1",
        "picloud_execution_seconds_count{source=\"http\"} 1",
        "picloud_gate_wait_seconds_count{lane=\"interactive\"} 1",
        "picloud_gate_scripts{state=\"background_running\"} 0",
        "picloud_gate_scripts{state=\"background_waiting\"} 0",
        "picloud_scripts_memory_bytes 0",
        "picloud_http_requests_total{class=\"2xx\",door=\"app\"} 1",
        "picloud_gate_refused_total 0",
        "picloud_inbox_pending 0",
        "picloud_routes 1",
    ] {
        assert!(metrics.text.lines().any(|told| told == line), "{line}: {}", metrics.text);
    }
}

/// An address of this machine that others see, if it has one. No packet is sent.
fn outward() -> Option<String> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let ip = socket.local_addr().ok()?.ip();
    Some(format!("{ip}:0")).filter(|_| !ip.is_loopback() && !ip.is_unspecified())
}

/// Who calls a machine at an address of its own other than loopback comes from
/// that address, as from another machine. Without a network there is none.
#[tokio::test]
async fn over_the_network_the_metrics_are_for_those_who_run_the_machine() {
    let Some(address) = outward() else { return };
    let app = TestApp::start().await;
    // Only the local network may claim a machine, and this may be none.
    let token = app.owner().await.token().expect("a token").to_owned();
    let app = TestApp::start_on(app.stop().await, &[("listen", &address)]).await;
    assert!(!app.address.ip().is_loopback());
    let owner = app.nobody().with_token(&token);
    let refused = app.nobody().get("/metrics").await;
    refused.problem(401);
    assert!(!refused.text.contains("picloud_"), "{refused:?}");
    app.stranger().await.get("/metrics").await.problem(403);
    assert_metrics(&owner.get("/metrics").await);
    for open in ["/healthz", "/readyz", "/version"] {
        assert_eq!(app.nobody().get(open).await.status, 200, "{open}");
    }
}

#[tokio::test]
async fn over_the_network_open_metrics_are_for_everybody() {
    let Some(address) = outward() else { return };
    let app = TestApp::start_with(&[("listen", &address), ("metrics_open", "true")]).await;
    assert_metrics(&app.nobody().get("/metrics").await);
}

/// How many bytes of WAL the metrics tell of.
fn wal_bytes(metrics: &Answer) -> u64 {
    assert_metrics(metrics);
    let told = metrics.text.lines().find_map(|line| line.strip_prefix("picloud_wal_bytes_total "));
    told.and_then(|bytes| bytes.parse().ok()).expect("a number")
}

#[tokio::test]
async fn the_metrics_count_the_wal_the_server_writes() {
    let app = TestApp::start().await;
    let someone = app.nobody();
    let before = wal_bytes(&someone.get("/metrics").await);
    assert!(before > 0);
    sqlx::query("create table noise (bytes bytea)").execute(app.pool()).await.expect("a table");
    // Kept outside the row and as it is: each of its bytes is written.
    let noise = vec![b'x'; 1 << 20];
    sqlx::query("alter table noise alter bytes set storage external")
        .execute(app.pool())
        .await
        .expect("a change");
    sqlx::query("insert into noise values ($1)").bind(&noise).execute(app.pool()).await.expect("a row");
    let after = wal_bytes(&someone.get("/metrics").await);
    assert!(after - before >= 1 << 20, "{before} and then {after}");
}

/// Who watches a machine wants an answer most of all when something is wrong.
#[tokio::test]
async fn the_metrics_answer_in_time_while_the_database_does_not() {
    let db = TestDb::new().await;
    let (mut cable, _) = Cable::to(&db).await;
    let url = cable.url(&db);
    let app = TestApp::start_on(db, &[("database_url", &url)]).await;
    let someone = app.nobody();
    let before = wal_bytes(&someone.get("/metrics").await);

    // What waits cannot be counted: whoever tries waits ten seconds for the lock.
    let mut holder = app.pool().begin().await.expect("a transaction");
    sqlx::query("lock table outbox").execute(&mut *holder).await.expect("the lock");
    let begun = Instant::now();
    assert!(wal_bytes(&someone.get("/metrics").await) >= before);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    holder.rollback().await.expect("the lock is given up");

    cable.cut();
    let begun = Instant::now();
    assert!(wal_bytes(&someone.get("/metrics").await) >= before, "as it was the last time");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
