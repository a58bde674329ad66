//! The audit log: what is written down, what is not, and that tampering shows.

use std::process::Command;

use picloud::store::audit::{self, Broken, Verified};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{
    PICLOUD,
    app::{PASSWORD, TestApp},
    http::Person,
    postgres::TestDb,
};

const AUDIT: &str = "/api/v1/admin/audit";

/// The entries a query finds, newest first.
async fn told(who: &Person, query: &str) -> Vec<Value> {
    let answer = who.get(&format!("{AUDIT}{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json["items"].as_array().expect("a list").clone()
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["action"].as_str().expect("text")).collect()
}

async fn verified(db: &PgPool) -> Verified {
    audit::verify(&mut db.acquire().await.expect("a connection")).await.expect("it can be read")
}

/// What somebody can do who owns the database.
async fn tamper(db: &PgPool, statement: &'static str) {
    let mut tx = db.begin().await.expect("a transaction");
    for part in ["alter table audit disable trigger all", statement, "alter table audit enable trigger all"] {
        sqlx::query(part).execute(&mut *tx).await.expect(part);
    }
    tx.commit().await.expect("committed");
}

#[tokio::test]
async fn every_change_is_written_down_with_who_and_where() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let garden = owner.app("garden").await;
    let script = owner.script("garden", "run", "1").await;
    let route = owner.route(&script, "/run").await;
    let api = "/api/v1/admin";
    let domain = owner.post(&format!("{api}/apps/garden/domains"), json!({"pattern": "garden.local"})).await;
    let row = crate::api_outbox::put(test.pool(), &garden).await;
    let changes = [
        ("PATCH", format!("{api}/apps/garden"), json!({"description": "Tomatoes"})),
        ("PATCH", format!("{api}/scripts/{script}"), json!({"source": "2", "enabled": true})),
        ("POST", format!("{api}/scripts/{script}/versions/1/restore"), json!({})),
        ("PATCH", format!("{api}/routes/{route}"), json!({"enabled": false})),
        ("POST", format!("{api}/apps/garden/outbox/{row}/retry_now"), json!({})),
        ("DELETE", format!("{api}/apps/garden/outbox/{row}"), json!({})),
        ("PATCH", format!("{api}/settings"), json!({"dispatch_paused": true})),
        ("DELETE", format!("{api}/routes/{route}"), json!({})),
        ("DELETE", format!("{api}/scripts/{script}"), json!({})),
        ("DELETE", format!("{api}/apps/garden/domains/{}", domain.id()), json!({})),
        ("DELETE", format!("{api}/apps/garden?confirm=garden"), json!({})),
    ];
    for (method, path, body) in changes {
        let answer = crate::support::http::Answer::of(owner.request(method, &path).json(&body)).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
    }

    let entries = told(&owner, "").await;
    let expected = [
        "app.delete",
        "domain.delete",
        "script.delete",
        "route.delete",
        "setting.update",
        "outbox.delete",
        "outbox.retry_now",
        "route.update",
        "script.restore",
        "script.update",
        "app.update",
        "domain.create",
        "route.create",
        "script.create",
        "app.create",
        "instance.claim",
    ];
    assert_eq!(actions(&entries), expected);
    let me = owner.get("/api/v1/auth/me").await.json["user"]["id"].clone();
    for entry in &entries {
        assert_eq!((&entry["actor"], &entry["actor_id"]), (&json!("ada"), &me), "{entry}");
        assert_eq!(entry["address"], "127.0.0.1", "{entry}");
        assert!(entry["at"].is_string() && entry["id"].is_string(), "{entry}");
    }
    assert_eq!(entries[0]["target"], json!(garden));
    assert_eq!(entries[0]["details"], json!({"slug": "garden", "name": "garden"}));
    assert_eq!(entries[4]["details"], json!({"value": true}));
    assert_eq!(entries[9]["details"]["changed"], json!(["source", "enabled"]));
    assert_eq!(entries[8]["details"]["restored"], 1);
    assert_eq!(verified(test.pool()).await, Verified { entries: 16, broken: None });
}

#[tokio::test]
async fn signing_in_and_out_is_written_down_and_failing_to_is_not() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let wrong = json!({"username": "ada", "password": "wrong horse battery"});
    test.nobody().post("/api/v1/auth/login", wrong).await.problem(401);
    let right = json!({"username": "ada", "password": PASSWORD});
    let second = test.nobody().post("/api/v1/auth/login", right).await;
    let second = test.nobody().with_token(second.json["token"].as_str().expect("a token"));
    assert_eq!(second.call("POST", "/api/v1/auth/logout").await.status, 204);
    let entries = told(&owner, "").await;
    assert_eq!(actions(&entries), ["session.delete", "session.create", "instance.claim"]);
    assert_eq!(entries[0]["details"], entries[1]["details"], "the session that was opened was closed");
}

#[tokio::test]
async fn what_did_not_happen_is_not_written_down() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let before = verified(test.pool()).await;
    let apps = "/api/v1/admin/apps";
    owner.post(apps, json!({"slug": "garden", "name": "Again"})).await.problem(409);
    owner.patch(&format!("{apps}/garden"), json!({"slug": "localhost"})).await.problem(422);
    owner.delete(&format!("{apps}/garden")).await.problem(422);
    owner.post(&format!("{apps}/garden/scripts"), json!({"name": "x", "source": "let"})).await.problem(422);
    owner.patch("/api/v1/admin/settings", json!({"dispatch_paused": 1})).await.problem(422);
    test.stranger().await.delete(&format!("{apps}/garden?confirm=garden")).await.problem(404);
    let entries = told(&owner, "").await;
    assert_eq!(actions(&entries), ["session.create", "app.create", "instance.claim"]);
    assert_eq!(verified(test.pool()).await.entries, before.entries + 1);
}

#[tokio::test]
async fn no_secret_no_source_and_no_body_gets_in() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "run", "\"mark-of-the-source\"").await;
    let path = format!("/api/v1/admin/scripts/{script}");
    owner.patch(&path, json!({"source": "\"mark-of-the-second\"", "description": "mark-of-text"})).await;
    owner.post(&format!("/api/v1/execute/{script}"), json!({"mark": "mark-of-the-body"})).await;
    let written: Vec<String> =
        sqlx::query_scalar("select audit::text from audit").fetch_all(test.pool()).await.expect("sql");
    assert!(written.len() >= 4);
    for mark in ["mark-of", PASSWORD, "pics_", "argon2"] {
        assert!(!written.iter().any(|entry| entry.contains(mark)), "{mark}: {written:#?}");
    }
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_by_actor_action_and_app() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let garden = owner.app("garden").await;
    owner.app("shed").await;
    owner.script("garden", "run", "1").await;
    let stranger = test.stranger().await;
    let first = owner.get(&format!("{AUDIT}?limit=2")).await;
    assert_eq!(actions(first.json["items"].as_array().expect("a list")), ["session.create", "script.create"]);
    let cursor = first.json["next_cursor"].as_str().expect("there is more");
    let second = owner.get(&format!("{AUDIT}?limit=50&cursor={cursor}")).await;
    let rest = second.json["items"].as_array().expect("a list");
    assert_eq!(actions(rest), ["app.create", "app.create", "instance.claim"]);
    assert_eq!(second.json["next_cursor"], Value::Null);

    let of_garden = ["script.create", "app.create"];
    assert_eq!(actions(&told(&owner, "?app=garden").await), of_garden);
    assert_eq!(actions(&told(&owner, &format!("?app={garden}")).await), of_garden);
    assert_eq!(told(&owner, "?action=app.create").await.len(), 2);
    assert_eq!(told(&owner, "?action=app&app=garden").await.len(), 1);
    assert_eq!(actions(&told(&owner, "?actor=mallory").await), ["session.create"]);
    let mallory =
        stranger.get("/api/v1/auth/me").await.json["user"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(told(&owner, &format!("?actor={mallory}")).await.len(), 1);
    assert!(told(&owner, "?actor=nobody").await.is_empty());
    for (wrong, field) in [
        ("?action=app.eat", "action"),
        ("?app=nothing", "app"),
        ("?actor=a%00", "actor"),
        ("?cursor=x", "cursor"),
        ("?limit=0", "limit"),
        ("?acton=app", "acton"),
    ] {
        assert_eq!(owner.get(&format!("{AUDIT}{wrong}")).await.fields(), [field]);
    }
    test.nobody().get(AUDIT).await.problem(401);
    stranger.get(AUDIT).await.problem(403);
}

#[tokio::test]
async fn many_at_once_make_one_chain_without_a_gap() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let making = (0..12).map(|n| {
        let owner = owner.clone();
        async move { owner.app(&format!("app-{n}")).await }
    });
    futures_util::future::join_all(making).await;
    assert_eq!(verified(test.pool()).await, Verified { entries: 13, broken: None });
    let numbers: Vec<i64> =
        sqlx::query_scalar("select seq from audit order by seq").fetch_all(test.pool()).await.expect("sql");
    assert_eq!(numbers, (1..=13).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_entries() {
    let test = TestApp::start().await;
    test.owner().await;
    for statement in ["update audit set actor = 'eve'", "delete from audit", "truncate audit"] {
        let refused = sqlx::query(statement).execute(test.pool()).await.expect_err(statement);
        assert!(refused.to_string().contains("append only"), "{refused}");
    }
}

#[tokio::test]
async fn whatever_is_tampered_with_shows_at_its_first_entry() {
    let statements = [
        ("update audit set actor = 'eve' where seq = 2", 2, "it was changed"),
        ("update audit set details = '{\"slug\": \"other\"}' where seq = 3", 3, "it was changed"),
        ("update audit set at = at + interval '1 second' where seq = 3", 3, "it was changed"),
        ("delete from audit where seq = 2", 2, "it is missing"),
        ("delete from audit where seq = 4", 4, "it is missing, and whatever came after it"),
        ("update audit set previous = sha256('x') where seq = 3", 3, "it does not follow the entry before it"),
        (
            "with two as (select * from audit where seq = 2) update audit set actor = two.actor, id = gen_random_uuid(),
             hash = two.hash from two where audit.seq = 4",
            4,
            "it was changed",
        ),
    ];
    for (statement, seq, why) in statements {
        let test = TestApp::start().await;
        let owner = test.owner().await;
        for slug in ["a", "b", "c"] {
            owner.app(slug).await;
        }
        tamper(test.pool(), statement).await;
        let found = verified(test.pool()).await;
        assert_eq!(found, Verified { entries: seq - 1, broken: Some(Broken { seq, why }) }, "{statement}");
    }
}

fn doctor(db: &TestDb) -> (Option<i32>, String) {
    let url = db.url();
    let output = Command::new(PICLOUD)
        .args(["doctor", "--listen", "127.0.0.1:0", "--data-dir", "/tmp", "--database-url", &url])
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .expect("it runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[tokio::test]
async fn doctor_verifies_the_chain_and_names_the_first_broken_entry() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let db = test.stop().await;
    let (_, said) = doctor(&db);
    assert!(said.contains("ok    audit log: 2 entries, each as it was written"), "{said}");
    tamper(&db.pool, "update audit set actor = 'eve' where seq = 2").await;
    let (code, said) = doctor(&db);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("FAIL  audit log: entry 2 is not as it was written: it was changed"), "{said}");
}

#[tokio::test]
async fn what_is_done_to_people_and_with_keys_is_written_down() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let garden = owner.app("garden").await;
    let api = "/api/v1/admin";
    let new = json!({"username": "bea", "password": PASSWORD, "instance_role": "member", "email": "b@x.org"});
    let bea = owner.post(&format!("{api}/users"), new).await.id();
    let made = owner
        .post(&format!("{api}/api-keys"), json!({"name": "ci", "scopes": ["app:admin"], "app": "garden"}))
        .await;
    let (key, prefix) = (made.json["key"].as_str().expect("a key"), made.json["prefix"].clone());
    let program = test.nobody().with_token(key);
    let member = format!("{api}/apps/garden/members/{bea}");
    let put =
        crate::support::http::Answer::of(program.request("PUT", &member).json(&json!({"role": "viewer"})));
    assert_eq!(put.await.status, 200);
    let login = json!({"username": "bea", "password": PASSWORD});
    assert_eq!(test.nobody().post("/api/v1/auth/login", login).await.status, 200);
    let user = format!("{api}/users/{bea}");
    for (method, path, body) in [
        ("DELETE", member.clone(), json!({})),
        ("PATCH", user.clone(), json!({"email": null, "active": true})),
        ("DELETE", format!("{user}/sessions"), json!({})),
        ("POST", format!("{user}/password"), json!({"password": "other horse battery"})),
        ("DELETE", user.clone(), json!({})),
        ("DELETE", format!("{api}/api-keys/{}", made.json["id"].as_str().expect("an id")), json!({})),
    ] {
        let answer = crate::support::http::Answer::of(owner.request(method, &path).json(&body)).await;
        assert!(answer.status < 300, "{method} {path}: {answer:?}");
    }
    let entries = told(&owner, "").await;
    let expected = [
        "api_key.delete",
        "user.delete",
        "user.set_password",
        "session.delete",
        "user.update",
        "member.delete",
        "session.create",
        "member.set",
        "api_key.create",
        "user.create",
        "app.create",
        "instance.claim",
    ];
    assert_eq!(actions(&entries), expected);
    assert_eq!(entries[3]["details"], json!({"username": "bea", "sessions": 1}));
    assert_eq!(entries[4]["details"]["changed"], json!(["email", "active"]));
    assert_eq!(entries[7]["details"], json!({"username": "bea", "role": "viewer", "api_key": prefix}));
    assert_eq!((&entries[7]["app_id"], &entries[7]["target"]), (&json!(garden), &json!(bea)));
    assert_eq!(entries[7]["actor"], "ada", "a key does what its owner does");
    assert_eq!(entries[8]["details"], json!({"name": "ci", "prefix": prefix, "scopes": ["app:admin"]}));
    let written: Vec<String> =
        sqlx::query_scalar("select audit::text from audit").fetch_all(test.pool()).await.expect("sql");
    for secret in [key, "horse", "b@x.org", "argon2"] {
        assert!(!written.iter().any(|entry| entry.contains(secret)), "{secret}: {written:#?}");
    }
    assert_eq!(verified(test.pool()).await, Verified { entries: 12, broken: None });
}
