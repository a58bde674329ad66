//! Recording behind, as it happens to requests.

use serde_json::json;
use sqlx::PgPool;
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::rows;
use crate::{
    node::support::{abandoned, epochs, note_writes, writes},
    support::{app::TestApp, eventually},
};

/// The row of the run that was asked for by `method`: its source, execution and cause.
async fn recorded(db: &PgPool, method: &str) -> (String, String, Option<String>) {
    eventually("the run has a row", || async {
        let row = "select source_kind, execution_id::text, trigger_id::text from outbox where op = $1";
        sqlx::query_as(row).bind(method).fetch_optional(db).await.expect("the database answers")
    })
    .await
}

#[tokio::test]
async fn a_slow_request_is_on_record_while_it_runs() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "if ctx.request.method == \"POST\" { sleep(3) } 1").await.status, 200);
    let route = owner.get("/api/v1/admin/apps/garden/routes").await.json["items"][0]["id"].clone();
    let slow = tokio::spawn({
        let owner = owner.clone();
        async move { owner.post("/~garden/run", json!({})).await }
    });
    let (source, execution, cause) = recorded(app.pool(), "POST").await;
    let answer = slow.await.expect("no panic");
    assert_eq!((source.as_str(), json!(cause)), ("http", route));
    assert_eq!(answer.header("x-execution-id"), execution);
    eventually("the row is gone", || async { rows(app.pool()).await.ok()?.is_empty().then_some(()) }).await;

    let db = app.stop().await;
    assert_eq!(epochs(&db.pool).await.expect("the database answers"), Vec::<i64>::new(), "the node has left");
}

#[tokio::test]
async fn fast_requests_leave_no_trace_in_the_outbox() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "1").await.status, 200);
    note_writes(app.pool()).await.expect("it is noted");
    for _ in 0..300 {
        assert_eq!(owner.get("/~garden/run").await.status, 200);
    }
    let written = writes(app.pool()).await.expect("it was noted");
    // A run during which the machine did something else is slow.
    assert!(written.len() < 10, "{written:?}");
}

#[tokio::test]
async fn an_outcome_nobody_waited_for_is_on_record() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    assert_eq!(
        owner.run("garden", "if ctx.request.method == \"PUT\" { sleep(3) } \"hello\"").await.status,
        200
    );
    let mut gone = TcpStream::connect(app.address).await.expect("a connection");
    gone.write_all(b"PUT /~garden/run HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("a request");
    let (_, execution, _) = recorded(app.pool(), "PUT").await;
    drop(gone);
    eventually("it is abandoned", || async {
        (abandoned(app.pool()).await.ok()? == ["200 7 bytes of JSON"]).then_some(())
    })
    .await;
    let of: String = sqlx::query_scalar("select execution_id::text from abandoned_executions")
        .fetch_one(app.pool())
        .await
        .expect("there is one");
    assert_eq!(of, execution);
    eventually("the row is gone", || async { rows(app.pool()).await.ok()?.is_empty().then_some(()) }).await;
    assert!(owner.get("/metrics").await.text.contains("picloud_abandoned_executions_total{"));
}
