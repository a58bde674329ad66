//! What waits to run, as an app's administrators see it, and what they may do about it.

use picloud::{
    base::id::{AppId, OutboxId},
    store::outbox,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use crate::{
    store_executions::an_app,
    support::{app::TestApp, eventually, http::Person, postgres::TestDb},
};

const OUTBOX: &str = "/api/v1/admin/apps/garden/outbox";

/// The epoch of a node that is elsewhere.
const ELSEWHERE: i32 = 77;

/// Puts a row of a kind that no dispatcher knows, so that it stays as it is.
pub async fn put(db: &PgPool, app: &str) -> String {
    let id = OutboxId::new();
    sqlx::query(
        "insert into outbox (id, event_id, app_id, source_kind, op, script_id, payload, root_execution_id,
                             execution_id, retry_max_attempts, retry_backoff, retry_base_ms)
         values ($1, gen_random_uuid(), $2::uuid, 'of_tomorrow', 'insert', gen_random_uuid(), '{}',
                 gen_random_uuid(), gen_random_uuid(), 3, 'linear', 1000)",
    )
    .bind(id)
    .bind(app)
    .execute(db)
    .await
    .expect("sql");
    id.to_string()
}

/// Changes a row.
async fn set(db: &PgPool, id: &str, what: &str) {
    let statement = format!("update outbox set {what} where id = $1::uuid");
    let done = sqlx::query(&statement).bind(id).execute(db).await.expect("sql");
    assert_eq!(done.rows_affected(), 1);
}

/// Stands for a living node: whoever looks finds its epoch's lock held.
async fn elsewhere(db: &PgPool) -> PgConnection {
    let mut node = db.acquire().await.expect("a connection").detach();
    sqlx::query("select pg_advisory_lock(1346978636, $1)")
        .bind(ELSEWHERE)
        .execute(&mut node)
        .await
        .expect("sql");
    sqlx::query("insert into nodes (epoch, name, version, boot_id) values ($1, 'other', '0', 'other')")
        .bind(i64::from(ELSEWHERE))
        .execute(&mut node)
        .await
        .expect("sql");
    node
}

async fn item(who: &Person, id: &str) -> Value {
    let listed = who.get(OUTBOX).await;
    let items = listed.json["items"].as_array().expect("items");
    items.iter().find(|item| item["id"] == id).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_row_is_shown_with_where_it_is_in_its_life() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let _node = elsewhere(db).await;
    let [waiting, retrying, running, lost] =
        [put(db, &app).await, put(db, &app).await, put(db, &app).await, put(db, &app).await];
    let sync = put(db, &app).await;
    let errors = r#"'[{"attempt":1,"at":"2026-01-02T03:04:05.678Z","kind":"throw","message":"first"},
                      {"attempt":2,"at":"2026-01-02T03:04:06.678Z","kind":"throw","message":"second"}]'"#;
    set(db, &retrying, &format!("attempt = 2, attempt_count = 2, errors = {errors}")).await;
    set(db, &running, "attempt = 1, claimed_epoch = 77, first_attempt_at = now()").await;
    set(db, &lost, "attempt = 2, lost_count = 2").await;
    set(db, &sync, "reply_to = gen_random_uuid(), claimed_epoch = 77").await;

    let listed = owner.get(OUTBOX).await;
    assert_eq!((listed.status, &listed.json["next_cursor"]), (200, &json!(null)), "{listed:?}");
    let items = listed.json["items"].as_array().expect("items");
    let states: Vec<_> = items.iter().map(|item| (&item["id"], &item["state"])).collect();
    let expected =
        [(&lost, "retrying"), (&running, "running"), (&retrying, "retrying"), (&waiting, "waiting")];
    let expected: Vec<_> = expected.iter().map(|(id, state)| (json!(id), json!(state))).collect();
    assert_eq!(states, expected.iter().map(|(id, state)| (id, state)).collect::<Vec<_>>());
    let row = &items[2];
    let expected = json!({
        "id": retrying, "event_id": row["event_id"], "source": "of_tomorrow", "op": "insert", "trigger_id": null,
        "script_id": row["script_id"], "state": "retrying", "attempt": 2, "attempt_count": 2,
        "last_error": "second", "first_attempt_at": null, "next_attempt_at": row["next_attempt_at"],
        "execution_id": row["execution_id"], "root_execution_id": row["root_execution_id"], "trigger_depth": 0,
        "created_at": row["created_at"],
    });
    assert_eq!(row, &expected);
    assert!(items[1]["first_attempt_at"].is_string(), "{}", items[1]);
}

#[tokio::test]
async fn the_rows_are_paged_newest_first() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(put(db, &app).await);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{OUTBOX}?limit=2{cursor}")).await;
        let items = page.json["items"].as_array().expect("items");
        seen.extend(items.iter().filter_map(|item| Some(item["id"].as_str()?.to_owned())));
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    ids.reverse();
    assert_eq!(seen, ids);
    assert_eq!(owner.get(&format!("{OUTBOX}?limit=0")).await.fields(), ["limit"]);
    assert_eq!(owner.get(&format!("{OUTBOX}?cursor=x")).await.fields(), ["cursor"]);
    assert_eq!(owner.get(&format!("{OUTBOX}?state=running")).await.fields(), ["state"]);
}

#[tokio::test]
async fn a_row_that_waits_can_be_made_due_now() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let id = put(db, &app).await;
    set(db, &id, "next_attempt_at = now() + interval '1 day', wait_ms = 86400000, attempt_count = 1").await;
    assert_eq!(owner.call("POST", &format!("{OUTBOX}/{id}/retry_now")).await.status, 204);
    let due: bool = sqlx::query_scalar(
        "select next_attempt_at <= now() and wait_ms = 0 and attempt_count = 1 from outbox",
    )
    .fetch_one(db)
    .await
    .expect("sql");
    assert!(due);
    assert_eq!(owner.call("POST", &format!("{OUTBOX}/{id}/retry_now?at=once")).await.fields(), ["at"]);
}

#[tokio::test]
async fn a_row_that_waits_can_be_deleted() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let [id, other] = [put(db, &app).await, put(db, &app).await];
    assert_eq!(owner.delete(&format!("{OUTBOX}/{id}")).await.status, 204);
    owner.delete(&format!("{OUTBOX}/{id}")).await.problem(404);
    assert_eq!(item(&owner, &id).await, json!(null));
    assert_eq!(item(&owner, &other).await["state"], "waiting");
}

#[tokio::test]
async fn a_running_row_is_left_alone() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let _node = elsewhere(db).await;
    let [id, sync] = [put(db, &app).await, put(db, &app).await];
    set(db, &id, "claimed_epoch = 77").await;
    set(db, &sync, "reply_to = gen_random_uuid(), claimed_epoch = 77").await;
    let detail = owner.call("POST", &format!("{OUTBOX}/{id}/retry_now")).await.problem(409).to_owned();
    assert!(detail.contains("running"), "{detail}");
    owner.delete(&format!("{OUTBOX}/{id}")).await.problem(409);
    assert_eq!(item(&owner, &id).await["state"], "running");
    // What stands for a synchronous run is none of these rows.
    owner.delete(&format!("{OUTBOX}/{sync}")).await.problem(404);
    owner.call("POST", &format!("{OUTBOX}/{sync}/retry_now")).await.problem(404);
}

#[tokio::test]
async fn the_outbox_is_for_those_who_hold_a_role() {
    let test = TestApp::start().await;
    let (owner, db) = (test.owner().await, test.pool());
    let app = owner.app("garden").await;
    let id = put(db, &app).await;
    for (who, status) in [(test.nobody(), 401), (test.stranger().await, 404)] {
        who.get(OUTBOX).await.problem(status);
        who.call("POST", &format!("{OUTBOX}/{id}/retry_now")).await.problem(status);
        who.delete(&format!("{OUTBOX}/{id}")).await.problem(status);
    }
    owner.app("other").await;
    owner.delete(&format!("/api/v1/admin/apps/other/outbox/{id}")).await.problem(404);
    for nothing in ["nothing", "0198c0de-0000-7000-8000-000000000000"] {
        owner.delete(&format!("{OUTBOX}/{nothing}")).await.problem(404);
        owner.call("POST", &format!("{OUTBOX}/{nothing}/retry_now")).await.problem(404);
    }
    assert_eq!(item(&owner, &id).await["state"], "waiting");
}

#[tokio::test]
async fn a_retry_that_is_far_off_is_run_now() {
    let test = TestApp::start_with(&[("trigger_retry_base_ms", "86400000")]).await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "x", "throw `no`").await;
    let route = json!({"host_kind": "any", "path_kind": "exact", "path": "/x", "dispatch_mode": "async"});
    assert_eq!(owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await.status, 201);
    assert_eq!(test.nobody().post("/~garden/x", json!({})).await.status, 202);
    let failed = async |times: u64| {
        eventually("it has failed", || async {
            let listed = owner.get(OUTBOX).await;
            let row = &listed.json["items"][0];
            (row["state"] == "retrying" && row["attempt_count"] == times).then(|| row.clone())
        })
        .await
    };
    let row = failed(1).await;
    assert!(row["last_error"].as_str().is_some_and(|words| words.contains("no")), "{row}");
    let id = row["id"].as_str().expect("an id");
    assert_eq!(owner.call("POST", &format!("{OUTBOX}/{id}/retry_now")).await.status, 204);
    assert_eq!(failed(2).await["id"], json!(id));
}

/// How many rows of the outbox statements of this connection have read.
async fn rows_read(db: &mut PgConnection) -> i64 {
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *db).await.expect("sql");
    sqlx::query_scalar(
        "select seq_tup_read + idx_tup_fetch from pg_stat_user_tables where relname = 'outbox'",
    )
    .fetch_one(&mut *db)
    .await
    .expect("sql")
}

#[tokio::test]
async fn the_rows_of_other_apps_are_not_read_on_the_way() {
    let test = TestDb::new().await;
    let (garden, other) =
        (an_app(&test.pool).await.expect("an app"), an_app(&test.pool).await.expect("an app"));
    let many = |app: AppId, rows: i32| {
        sqlx::query(
            "insert into outbox (id, event_id, app_id, source_kind, op, script_id, payload, root_execution_id,
                                 execution_id, retry_max_attempts, retry_backoff, retry_base_ms)
             select gen_random_uuid(), gen_random_uuid(), $1, 'kv', 'insert', gen_random_uuid(), '{}',
                    gen_random_uuid(), gen_random_uuid(), 3, 'linear', 1000
             from generate_series(1, $2)",
        )
        .bind(app)
        .bind(rows)
    };
    many(garden, 30).execute(&test.pool).await.expect("sql");
    many(other, 30_000).execute(&test.pool).await.expect("sql");
    let mut db = test.pool.acquire().await.expect("a connection");
    sqlx::query("analyze outbox").execute(&mut *db).await.expect("sql");
    let before = rows_read(&mut db).await;
    let page = outbox::list(&mut *db, garden, None, 10).await.expect("a page");
    assert_eq!((page.items.len(), page.next_cursor.is_some()), (10, true));
    let read = rows_read(&mut db).await - before;
    assert!(read < 100, "{read} rows were read for an app that has 30");
}
