//! Claiming with a code that only the log shows.

use std::process::Stdio;

use picloud::base::redacted::Redacted;
use serde_json::json;
use sqlx::ConnectOptions as _;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader},
    process::{Child, Command},
    time::timeout,
};

use crate::support::{
    DEADLINE, PICLOUD,
    app::{PASSWORD, TestApp},
    http::Person,
    postgres::TestDb,
};

/// The first line of an output that has `mark`, from there on.
async fn after(output: impl AsyncRead + Unpin, mark: &str) -> String {
    let mut lines = BufReader::new(output).lines();
    let found = async {
        while let Some(line) = lines.next_line().await.expect("readable") {
            if let Some((_, rest)) = line.split_once(mark) {
                return rest.to_owned();
            }
        }
        panic!("it never said {mark}")
    };
    timeout(DEADLINE, found).await.expect("in time")
}

/// Starts a node that asks for a code; who calls it, and the code from its log.
async fn start(db: &TestDb) -> (Child, Person, Redacted) {
    let url = db.options.to_url_lossy().to_string();
    let data = tempfile::tempdir().expect("a temporary directory");
    let mut child = Command::new(PICLOUD)
        .args(["serve", "--claim-code", "--log", "warn", "--log-format", "text", "--listen", "127.0.0.1:0"])
        .args(["--database-url", &url, "--data-dir"])
        .arg(data.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let (output, log) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
    let (code, ready) = tokio::join!(after(log, "asks for the code "), after(output, "ready: http://"));
    let address = ready.trim_end_matches('/').parse().expect("an address");
    (child, Person::new(address), Redacted::new(code.trim()))
}

#[tokio::test]
async fn a_code_is_asked_for_that_only_the_log_shows() {
    let db = TestDb::new().await;
    let (first, _, old) = start(&db).await;
    drop(first);
    let (_second, nobody, code) = start(&db).await;
    let page = nobody.with("accept", "text/html").get("/admin/claim").await;
    assert!(page.text.contains("name=\"claim_code\""), "{page:?}");
    assert!(!page.text.contains(code.expose()));
    let stored: Vec<u8> =
        sqlx::query_scalar("select claim_code_hash from instance").fetch_one(&db.pool).await.expect("sql");
    assert!(!String::from_utf8_lossy(&stored).contains(&code.expose()[..5]));

    let claim = |code: Option<&str>| json!({"username": "ada", "password": PASSWORD, "claim_code": code});
    for wrong in [None, Some(""), Some(old.expose()), Some("00000-00000")] {
        assert_eq!(nobody.post("/api/v1/setup", claim(wrong)).await.fields(), ["claim_code"]);
    }
    let without = json!({"username": "ada", "password": PASSWORD});
    assert_eq!(nobody.post("/api/v1/setup", without).await.fields(), ["claim_code"]);
    let typed = code.expose().to_lowercase().replace('-', " ");
    let claimed = nobody.post("/api/v1/setup", claim(Some(&typed))).await;
    assert_eq!(claimed.status, 201, "{claimed:?}");
    let stored: Option<Vec<u8>> =
        sqlx::query_scalar("select claim_code_hash from instance").fetch_one(&db.pool).await.expect("sql");
    assert_eq!(stored, None);
}

#[tokio::test]
async fn without_the_key_no_code_is_asked_for() {
    let app = TestApp::start().await;
    let page = app.nobody().with("accept", "text/html").get("/admin/claim").await;
    assert!(!page.text.contains("claim_code"), "{page:?}");
    let claim = json!({"username": "ada", "password": PASSWORD, "claim_code": "whatever"});
    assert_eq!(app.nobody().post("/api/v1/setup", claim).await.status, 201);
}

#[tokio::test]
async fn a_restart_opens_no_window_of_the_first_start_again() {
    let app = TestApp::start_with(&[("claim_window.from", "install")]).await;
    let open = app.nobody().get("/api/v1/setup").await;
    assert_eq!(open.json["window_open"], true, "{open:?}");
    // As if the first start had been in this power-up, longer ago than the window is long.
    sqlx::query("update instance set first_uptime_ms = 0").execute(app.pool()).await.expect("sql");
    let up = picloud::system::clock::since_boot().as_secs();
    let db = app.stop().await;
    let again = TestApp::start_on(db, &[("claim_window.from", "install")]).await;
    let setup = again.nobody().get("/api/v1/setup").await;
    assert_eq!(setup.json["window_open"], up < 30 * 60, "{setup:?}");
}
