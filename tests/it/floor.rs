//! The floor of free space: below it only reading and deleting go on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    contract::{Call, calls, document},
    support::{
        app::{PASSWORD, TestApp},
        http::{Answer, Person},
    },
    ui::{Browser, text},
};

/// More than any disk has.
const FULL: &[(&str, &str)] = &[("min_free_bytes", "1048576GiB")];

/// The id the owner is given here.
const ME: &str = "0198c0de-0000-7000-8000-000000000001";

/// The calls that make or change something, each with a body that is right.
fn refused(script: &str, route: &str) -> Vec<(&'static str, String, Value)> {
    let garden = "/api/v1/admin/apps/garden";
    let (scripts, routes) =
        (format!("/api/v1/admin/scripts/{script}"), format!("/api/v1/admin/routes/{route}"));
    let new_user = json!({"username": "grace", "password": PASSWORD, "instance_role": "member"});
    let new_route = json!({"host_kind": "any", "path_kind": "exact", "path": "/new"});
    vec![
        ("POST", "/api/v1/admin/apps".to_owned(), json!({"slug": "shed", "name": "Shed"})),
        ("PATCH", garden.to_owned(), json!({"name": "New"})),
        ("POST", format!("{garden}/domains"), json!({"pattern": "garden.local"})),
        ("POST", format!("{garden}/scripts"), json!({"name": "new", "source": "1"})),
        ("PATCH", scripts.clone(), json!({"source": "3"})),
        ("POST", format!("{scripts}/versions/1/restore"), json!({})),
        ("POST", format!("{scripts}/routes"), new_route),
        ("PATCH", routes, json!({"enabled": false})),
        ("PATCH", "/api/v1/admin/settings".to_owned(), json!({"dispatch_paused": true})),
        ("POST", "/api/v1/admin/users".to_owned(), new_user),
        ("PATCH", format!("/api/v1/admin/users/{ME}"), json!({"display_name": "A"})),
        ("PUT", format!("{garden}/members/{ME}"), json!({"role": "viewer"})),
        ("POST", "/api/v1/admin/api-keys".to_owned(), json!({"name": "ci", "scopes": ["log:read"]})),
    ]
}

/// The calls that go on though they are no reading and no deleting.
fn allowed(script: &str) -> Vec<(&'static str, String, Value, u16)> {
    let garden = "/api/v1/admin/apps/garden";
    let login = json!({"username": "ada", "password": PASSWORD});
    let password = json!({"password": PASSWORD, "current_password": PASSWORD});
    let question = json!({"host": "localhost", "method": "GET", "path": "/~garden/run"});
    vec![
        ("POST", "/api/v1/setup".to_owned(), login.clone(), 409),
        ("POST", "/api/v1/auth/login".to_owned(), login, 200),
        ("POST", format!("{garden}/scripts/check"), json!({"source": "1"}), 200),
        ("POST", format!("{garden}/routes/match"), question, 200),
        ("POST", format!("/api/v1/execute/{script}"), json!({}), 200),
        // Who has to shut somebody out must be able to.
        ("POST", format!("/api/v1/admin/users/{ME}/password"), password, 204),
        // Not a call that needs room, but one that ends the session: the last.
        ("POST", "/api/v1/auth/logout".to_owned(), json!({}), 204),
    ]
}

async fn call(who: &Person, method: &str, path: &str, body: &Value) -> Answer {
    Answer::of(who.request(method, path).json(body)).await
}

/// An app with a script of two versions and a route, then started again on a full disk.
async fn on_a_full_disk() -> (TestApp, Person, String, String) {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "run", "1").await;
    let changed = owner.patch(&format!("/api/v1/admin/scripts/{script}"), json!({"source": "2"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let route = owner.route(&script, "/run").await;
    let later = json!({"host_kind": "any", "path_kind": "exact", "path": "/later", "dispatch_mode": "async"});
    let later = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), later).await;
    assert_eq!(later.status, 201, "{later:?}");
    for refers in ["delete from sessions", "delete from sign_in_addresses"] {
        sqlx::query(refers).execute(test.pool()).await.expect(refers);
    }
    sqlx::query("update users set id = $1::uuid").bind(ME).execute(test.pool()).await.expect("sql");
    let owner = crate::matrix::sign_in(&test, "ada").await;
    let token = owner.token().expect("a token").to_owned();
    let test = TestApp::start_on(test.stop().await, FULL).await;
    let owner = test.nobody().with_token(&token);
    (test, owner, script, route)
}

fn assert_refused(answer: &Answer) {
    assert!(answer.problem(503).contains("disk nearly full"), "{answer:?}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{answer:?}");
}

#[tokio::test]
async fn nothing_is_made_or_changed() {
    let (test, owner, script, route) = on_a_full_disk().await;
    for (method, path, body) in refused(&script, &route) {
        let answer = call(&owner, method, &path, &body).await;
        assert!(answer.status == 503, "{method} {path}: {answer:?}");
        assert_refused(&answer);
    }
    let apps = owner.get("/api/v1/admin/apps").await;
    assert_eq!(apps.json["items"].as_array().map(Vec::len), Some(2), "{apps:?}");
    assert_eq!(owner.get(&format!("/api/v1/admin/scripts/{script}")).await.json["version"], 2);
    assert_eq!(owner.get("/api/v1/admin/settings").await.json["dispatch_paused"]["value"], false);
    assert_refused(&test.nobody().get("/~garden/later").await);
    let waiting: i64 =
        sqlx::query_scalar("select count(*) from outbox").fetch_one(test.pool()).await.expect("sql");
    assert_eq!(waiting, 0);
    // Who may not, or asks wrongly, hears of that.
    test.nobody().post("/api/v1/admin/apps", json!({})).await.problem(401);
    assert_eq!(owner.post("/api/v1/admin/apps", json!({"slug": "a"})).await.fields(), ["name"]);
}

#[tokio::test]
async fn reading_running_and_deleting_go_on() {
    let (test, owner, script, route) = on_a_full_disk().await;
    let ready = test.nobody().get("/readyz").await;
    assert_eq!((ready.status, &ready.json["checks"]["disk"]), (503, &json!("nearly full")));
    assert_eq!(test.nobody().get("/~garden/run").await.status, 200);
    for (method, path, body, status) in allowed(&script) {
        let answer = call(&owner, method, &path, &body).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
    let login = json!({"username": "ada", "password": PASSWORD});
    let again = test.nobody().post("/api/v1/auth/login", login).await;
    let owner = test.nobody().with_token(again.json["token"].as_str().expect("a token"));
    assert_eq!(owner.get("/api/v1/admin/apps/garden").await.status, 200);
    assert_eq!(owner.delete(&format!("/api/v1/admin/routes/{route}")).await.status, 204);
    assert_eq!(owner.delete(&format!("/api/v1/admin/scripts/{script}?cascade=true")).await.status, 204);
    assert_eq!(owner.delete("/api/v1/admin/apps/garden?confirm=garden").await.status, 204);
}

/// Calls that need a row of a table that no call can make.
const ELSEWHERE: &[&str] = &["POST /api/v1/admin/apps/{}/outbox/{}/retry_now"];

#[tokio::test]
async fn every_call_that_changes_something_is_one_or_the_other() {
    let test = TestApp::start().await;
    let document = document(&test).await;
    let listed: BTreeSet<String> = calls(&document)
        .iter()
        .filter(|call| ["POST", "PUT", "PATCH"].contains(&call.method.as_str()))
        .map(Call::name)
        .collect();
    // What stands for an id, a slug or a number here is no other part of any path.
    let name = |method: &str, path: &str| {
        let erase = |part: &str| match part {
            "garden" | "s0" | "r0" | "1" | ME => "{}".to_owned(),
            part => part.to_owned(),
        };
        let parts: Vec<_> = path.split('/').map(erase).collect();
        format!("{method} {}", parts.join("/"))
    };
    let mut known: BTreeSet<String> = ELSEWHERE.iter().map(|call| (*call).to_owned()).collect();
    known.extend(refused("s0", "r0").iter().map(|(method, path, _)| name(method, path)));
    known.extend(allowed("s0").iter().map(|(method, path, ..)| name(method, path)));
    let unknown: Vec<_> = listed.symmetric_difference(&known).collect();
    assert!(unknown.is_empty(), "say here whether a full disk refuses: {unknown:#?}");
}

#[tokio::test]
async fn a_row_is_not_made_due() {
    let (test, owner, ..) = on_a_full_disk().await;
    let app = owner.get("/api/v1/admin/apps/garden").await.id();
    let row = crate::api_outbox::put(test.pool(), &app).await;
    let rows = "/api/v1/admin/apps/garden/outbox";
    assert_refused(&owner.call("POST", &format!("{rows}/{row}/retry_now")).await);
    assert_eq!(owner.delete(&format!("{rows}/{row}")).await.status, 204);
}

#[tokio::test]
async fn pages_say_so_and_refuse_too() {
    let test = TestApp::start_with(FULL).await;
    let mut browser = Browser::of_owner(&test).await;
    let page = text(&browser.page("/admin").await);
    assert!(page.contains("The disk is nearly full"), "{page}");
    let refused = browser.post("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(text(&refused.text).contains("isk nearly full"), "{refused:?}");
    let out = browser.post("/admin/logout", &[]).await;
    assert_eq!(out.status, 303, "{out:?}");
    let stranger = text(&browser.page("/admin/login").await);
    assert!(!stranger.contains("nearly full"), "{stranger}");
}

#[tokio::test]
async fn pages_say_that_dispatch_is_paused() {
    let test = TestApp::start_with(&[("dispatch_paused", "true")]).await;
    let mut browser = Browser::of_owner(&test).await;
    let page = text(&browser.page("/admin").await);
    assert!(page.contains("Dispatch is paused") && !page.contains("nearly full"), "{page}");
}
