//! Members of apps over HTTP, and what a role in an app shows.

use serde_json::{Value, json};

use crate::{
    matrix::sign_in,
    support::{
        app::TestApp,
        eventually,
        http::{Answer, Person},
    },
    ui::{Browser, text},
};

const MEMBERS: &str = "/api/v1/admin/apps/garden/members";

async fn put(who: &Person, user: &str, body: Value) -> Answer {
    Answer::of(who.request("PUT", &format!("{MEMBERS}/{user}")).json(&body)).await
}

/// The app `garden`, its owner, and `grace`, who is no member yet.
async fn garden() -> (TestApp, Person, String) {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let grace = owner.user("grace", "member").await;
    (test, owner, grace)
}

#[tokio::test]
async fn a_housemate_is_invited_promoted_and_let_go() {
    let (test, owner, grace) = garden().await;
    let session = sign_in(&test, "grace").await;
    session.get("/api/v1/admin/apps/garden").await.problem(404);
    let made = put(&owner, &grace, json!({"role": "viewer"})).await;
    assert_eq!(made.status, 200, "{made:?}");
    let fields: Vec<&str> = made.json.as_object().expect("a member").keys().map(String::as_str).collect();
    assert_eq!(fields, ["created_at", "role", "updated_at", "user_id", "username"]);
    assert_eq!((&made.json["user_id"], &made.json["username"]), (&json!(grace), &json!("grace")));
    assert_eq!(session.get("/api/v1/admin/apps/garden").await.status, 200);
    session.post("/api/v1/admin/apps/garden/scripts", json!({"name": "a", "source": "1"})).await.problem(403);

    let promoted = put(&owner, &grace, json!({"role": "app_admin"})).await;
    assert_eq!(
        (&promoted.json["role"], &promoted.json["created_at"]),
        (&json!("app_admin"), &made.json["created_at"])
    );
    session.script("garden", "a", "1").await;
    owner.user("eve", "member").await;
    let listed = session.get(MEMBERS).await;
    assert_eq!(listed.json, json!({"items": [promoted.json], "next_cursor": null}));

    assert_eq!(session.delete(&format!("{MEMBERS}/{grace}")).await.status, 204, "one may leave");
    session.get(MEMBERS).await.problem(404);
    owner.delete(&format!("{MEMBERS}/{grace}")).await.problem(404);
}

#[tokio::test]
async fn what_is_wrong_with_a_membership_is_named() {
    let (_test, owner, grace) = garden().await;
    for role in [json!("owner"), json!("admin"), json!(null), json!(1)] {
        assert_eq!(put(&owner, &grace, json!({"role": role})).await.fields(), ["role"]);
    }
    assert_eq!(put(&owner, &grace, json!({"role": "viewer", "until": 1})).await.fields(), ["until"]);
    put(&owner, "0198c0de-0000-7000-8000-000000000000", json!({"role": "viewer"})).await.problem(404);
    put(&owner, "grace", json!({"role": "viewer"})).await.problem(404);
    owner.delete(&format!("{MEMBERS}/grace")).await.problem(404);
}

#[tokio::test]
async fn members_are_listed_by_name_and_go_with_their_user() {
    let (_test, owner, grace) = garden().await;
    owner.member("garden", &grace, "viewer").await;
    for name in ["bob", "eve"] {
        let id = owner.user(name, "member").await;
        owner.member("garden", &id, "editor").await;
    }
    let first = owner.get(&format!("{MEMBERS}?limit=2")).await;
    let names = |page: &Value| -> Vec<Value> {
        page["items"].as_array().expect("items").iter().map(|member| member["username"].clone()).collect()
    };
    assert_eq!(names(&first.json), ["bob", "eve"]);
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    assert_eq!(names(&owner.get(&format!("{MEMBERS}?cursor={cursor}")).await.json), ["grace"]);
    assert_eq!(owner.delete(&format!("/api/v1/admin/users/{grace}")).await.status, 204);
    assert_eq!(names(&owner.get(MEMBERS).await.json), ["bob", "eve"]);
}

#[tokio::test]
async fn an_old_slug_leads_members_on_and_tells_strangers_nothing() {
    let (test, owner, grace) = garden().await;
    owner.user("eve", "member").await;
    owner.member("garden", &grace, "viewer").await;
    owner.patch("/api/v1/admin/apps/garden", json!({"slug": "yard"})).await;
    let (grace, eve) = (sign_in(&test, "grace").await, sign_in(&test, "eve").await);
    let moved = grace.get("/api/v1/admin/apps/garden/scripts?limit=1").await;
    assert_eq!((moved.status, moved.header("location")), (308, "/api/v1/admin/apps/yard/scripts?limit=1"));
    for path in ["garden", "yard", "nowhere"] {
        let told = eve.get(&format!("/api/v1/admin/apps/{path}")).await;
        assert_eq!(told.problem(404), "app was not found");
    }
    let elsewhere = owner.app("shed").await;
    let bound = owner.key(&["script:read"], Some(&elsewhere)).await;
    bound.get("/api/v1/admin/apps/garden").await.problem(404);
}

#[tokio::test]
async fn the_live_tail_ends_with_the_membership_and_with_the_key() {
    let (test, owner, grace) = garden().await;
    owner.member("garden", &grace, "viewer").await;
    let session = sign_in(&test, "grace").await;
    let script = owner.script("garden", "run", "1").await;
    owner.route(&script, "/run").await;
    let key = session.key(&["log:read"], None).await;
    for (who, end) in [(session, "delete from members"), (key, "delete from api_keys")] {
        owner.member("garden", &grace, "viewer").await;
        let tail =
            who.request("GET", "/api/v1/admin/apps/garden/executions/stream").send().await.expect("a stream");
        assert_eq!(tail.status(), 200);
        sqlx::query(end).execute(test.pool()).await.expect("sql");
        // What happens next makes the stream look; it shows nothing and ends.
        assert_eq!(owner.get("/~garden/run").await.status, 200);
        let all = tail.text().await.expect("an end");
        assert!(!all.contains("event: execution"), "{end}: {all}");
    }
}

#[tokio::test]
async fn a_failure_is_explained_to_those_who_may_read_the_app() {
    let (test, owner, grace) = garden().await;
    let script = owner.script("garden", "run", "throw \"the reason\"").await;
    owner.route(&script, "/run").await;
    let session = sign_in(&test, "grace").await;
    let explained = async |who: &Person| {
        let answer = who.get("/~garden/run").await;
        assert_eq!(answer.status, 502, "{answer:?}");
        answer.text.contains("the reason")
    };
    assert!(explained(&owner).await && !explained(&test.nobody()).await && !explained(&session).await);
    owner.member("garden", &grace, "viewer").await;
    let (reads, logs) = (session.key(&["script:read"], None).await, session.key(&["log:read"], None).await);
    assert!(explained(&session).await && explained(&reads).await && !explained(&logs).await);
}

#[tokio::test]
async fn a_key_makes_the_principal_and_one_of_another_app_is_401() {
    let (_test, owner, _) = garden().await;
    let script = owner.script("garden", "who", "ctx.principal").await;
    owner.route(&script, "/who").await;
    owner.app("shed").await;
    let key = owner.key(&["log:read"], Some("garden")).await;
    assert_eq!(key.get("/~garden/who").await.json["username"], "ada");
    let other = owner.key(&["script:read"], Some("shed")).await;
    other.get("/~garden/who").await.problem(401);
    other.get("/~garden/nowhere").await.problem(404);
}

#[tokio::test]
async fn pages_show_members_what_their_role_lets_them_do() {
    let (test, owner, grace) = garden().await;
    owner.app("shed").await;
    let script = owner.script("garden", "run", "1").await;
    let mut browser = Browser::of(&test);
    let signed_in = browser
        .post("/admin/login", &[("username", "grace"), ("password", crate::support::app::PASSWORD)])
        .await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    assert_eq!(browser.get("/admin/apps/garden").await.status, 404);
    owner.member("garden", &grace, "viewer").await;
    let home = text(&browser.page("/admin").await);
    assert!(home.contains("garden") && !home.contains("shed") && !home.contains("default"), "{home}");
    for path in ["", "/scripts", "/routes", "/logs"] {
        let path = format!("/admin/apps/garden{path}");
        assert_eq!(browser.get(&path).await.status, 200, "{path}");
    }
    let menu = text(&browser.page("/admin/apps/garden").await);
    assert!(menu.contains("Scripts") && !menu.contains("Settings"), "{menu}");
    let page = format!("/admin/apps/garden/scripts/{script}");
    assert_eq!(browser.get(&page).await.status, 200);
    assert_eq!(browser.post(&page, &[("source", "2")]).await.status, 403);
    assert_eq!(browser.get("/admin/apps/garden/settings").await.status, 403);
    owner.member("garden", &grace, "app_admin").await;
    assert_eq!(browser.get("/admin/apps/garden/settings").await.status, 200);
    let menu = text(&browser.page("/admin/apps/garden").await);
    assert!(menu.contains("Settings"), "{menu}");
}

#[tokio::test]
async fn an_async_run_keeps_its_key_and_fails_once_that_is_gone() {
    let (test, owner, _) = garden().await;
    let script = owner.script("garden", "later", "log::info(ctx.principal.username)").await;
    let route = json!({"host_kind": "any", "path_kind": "exact", "path": "/later", "dispatch_mode": "async"});
    owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
    let key = owner.key(&["log:read"], Some("garden")).await;
    let path = "/api/v1/admin/apps/garden/executions";
    let ended = async |id: &str| {
        eventually("an attempt", || async {
            let got = owner.get(&format!("{path}/{id}")).await;
            (got.status == 200).then_some(got.json)
        })
        .await
    };
    for (end, expected) in [
        ("select 1", None),
        ("update api_keys set expires_at = now()", Some("forbidden")),
        ("delete from api_keys", Some("forbidden")),
    ] {
        sqlx::query("update api_keys set expires_at = null").execute(test.pool()).await.expect("sql");
        let paused = owner.patch("/api/v1/admin/settings", json!({"dispatch_paused": true})).await;
        assert_eq!(paused.status, 200);
        let accepted = key.post("/~garden/later", json!(1)).await;
        assert_eq!(accepted.status, 202, "{accepted:?}");
        sqlx::query(end).execute(test.pool()).await.expect("sql");
        owner.patch("/api/v1/admin/settings", json!({"dispatch_paused": null})).await;
        let ran = ended(accepted.json["execution_id"].as_str().expect("an id")).await;
        let kind = ran["attempts"][0]["error"]["kind"].as_str();
        assert_eq!(kind, expected, "{end}: {ran}");
        if expected.is_none() {
            assert_eq!(ran["logs"][0]["message"], "ada", "{ran}");
        }
    }
}
