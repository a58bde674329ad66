//! API keys over HTTP: made, shown once, used, over.

use serde_json::{Value, json};

use crate::{
    matrix::{SCOPES, sign_in},
    support::{app::TestApp, http::Person},
};

const KEYS: &str = "/api/v1/admin/api-keys";

async fn sql(test: &TestApp, statement: &str) {
    sqlx::query(statement).execute(test.pool()).await.expect("sql");
}

async fn is_good(key: &Person) -> bool {
    match key.get("/api/v1/auth/me").await.status {
        200 => true,
        401 => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_as_a_hash() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let app = owner.app("garden").await;
    let expiry = "2999-01-01T00:00:00.000Z";
    let new =
        json!({"name": "CI", "scopes": ["script:write", "log:read"], "app": "garden", "expires_at": expiry});
    let made = owner.post(KEYS, new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let key = made.json["key"].as_str().expect("a key").to_owned();
    let prefix = made.json["prefix"].as_str().expect("a prefix").to_owned();
    assert!(prefix.len() == 12 && key.starts_with(&format!("{prefix}_")) && key.len() == 56, "{made:?}");
    let fields = [
        "app_id",
        "created_at",
        "expires_at",
        "id",
        "key",
        "last_used_at",
        "name",
        "prefix",
        "scopes",
        "updated_at",
    ];
    let shown: Vec<&str> = made.json.as_object().expect("a key").keys().map(String::as_str).collect();
    assert_eq!(shown, fields);
    assert_eq!((&made.json["app_id"], &made.json["expires_at"]), (&json!(app), &json!(expiry)));
    assert_eq!(made.json["scopes"], json!(["script:write", "log:read"]));

    let listed = owner.get(KEYS).await;
    let mut expected = made.json.clone();
    expected.as_object_mut().expect("a key").remove("key");
    assert_eq!(listed.json, json!({"items": [expected], "next_cursor": null}));
    assert!(!listed.text.contains(&key));
    let stored: String = sqlx::query_scalar("select string_agg(k::text, '') from api_keys k")
        .fetch_one(test.pool())
        .await
        .expect("sql");
    assert!(stored.contains(&prefix) && !stored.contains(&key[13..]));
    let other = format!("{}{}", &key[..55], if key.ends_with('A') { 'B' } else { 'A' });
    assert!(is_good(&test.nobody().with_token(&key)).await);
    assert!(!is_good(&test.nobody().with_token(&other)).await);
    assert!(!is_good(&test.nobody().with_token(&prefix)).await);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_named() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    owner.patch("/api/v1/admin/apps/garden", json!({"slug": "yard"})).await;
    let right = json!({"name": "CI", "scopes": ["log:read"]});
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("a\u{0}b")),
        ("scopes", json!([])),
        ("scopes", Value::Null),
        ("scopes[0]", json!(["log:write"])),
        ("app", json!("nowhere")),
        ("app", json!("garden")),
        ("app", json!("a\u{0}")),
        ("expires_at", json!("2001-01-01T00:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("expiry", json!("2999-01-01T00:00:00Z")),
    ] {
        let mut wrong = right.clone();
        wrong[field.split('[').next().expect("a name")] = value.clone();
        assert_eq!(owner.post(KEYS, wrong).await.fields(), [field], "{value}");
    }
    owner.user("grace", "member").await;
    let grace = sign_in(&test, "grace").await;
    let new = |app| json!({"name": "CI", "scopes": ["log:read"], "app": app});
    let (strange, unknown) = (grace.post(KEYS, new("yard")).await, grace.post(KEYS, new("nowhere")).await);
    assert_eq!(strange.fields(), ["app"]);
    assert_eq!(strange.json, unknown.json, "a stranger cannot tell which apps there are");
}

#[tokio::test]
async fn keys_are_ones_own() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.user("grace", "member").await;
    let grace = sign_in(&test, "grace").await;
    for name in ["b", "a", "a"] {
        let made = grace.post(KEYS, json!({"name": name, "scopes": ["log:read"]})).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    let first = grace.get(&format!("{KEYS}?limit=2")).await;
    let names = |page: &Value| -> Vec<Value> {
        page["items"].as_array().expect("items").iter().map(|key| key["name"].clone()).collect()
    };
    assert_eq!(names(&first.json), ["a", "a"]);
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    assert_eq!(names(&grace.get(&format!("{KEYS}?cursor={cursor}")).await.json), ["b"]);
    assert_eq!(owner.get(KEYS).await.json["items"], json!([]));
    let id = first.json["items"][0]["id"].as_str().expect("an id");
    owner.delete(&format!("{KEYS}/{id}")).await.problem(404);
    assert_eq!(grace.delete(&format!("{KEYS}/{id}")).await.status, 204);
    grace.delete(&format!("{KEYS}/{id}")).await.problem(404);
    grace.delete(&format!("{KEYS}/nothing")).await.problem(404);
}

#[tokio::test]
async fn a_ci_job_deploys_with_a_key_that_writes_scripts_of_one_app_and_nothing_else() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    owner.app("shed").await;
    let script = owner.script("garden", "run", "1").await;
    let other = owner.script("shed", "run", "1").await;
    let ci = owner.key(&["script:write"], Some("garden")).await;
    let deployed = ci.patch(&format!("/api/v1/admin/scripts/{script}"), json!({"source": "2"})).await;
    assert_eq!((deployed.status, &deployed.json["version"]), (200, &json!(2)));
    ci.script("garden", "more", "3").await;
    let told = ci.get("/api/v1/admin/apps/garden").await;
    assert!(told.problem(403).contains("script:read"), "{told:?}");
    ci.patch(&format!("/api/v1/admin/scripts/{other}"), json!({"source": "2"})).await.problem(404);
    ci.get("/api/v1/admin/apps/shed").await.problem(404);
    ci.get("/api/v1/admin/apps/nowhere").await.problem(404);
    ci.post("/api/v1/admin/apps", json!({"slug": "more", "name": "More"})).await.problem(403);
    ci.get("/api/v1/admin/settings").await.problem(403);
    assert_eq!(ci.get("/api/v1/admin/apps").await.json["items"], json!([]));
}

#[tokio::test]
async fn a_key_ends_with_its_time_its_owner_its_app_and_by_hand() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let grace = owner.user("grace", "member").await;
    owner.member("garden", &grace, "viewer").await;
    let session = sign_in(&test, "grace").await;
    let key = session.key(&SCOPES, Some("garden")).await;
    assert_eq!(key.get("/api/v1/admin/apps/garden").await.status, 200);

    sql(&test, "update api_keys set expires_at = now() + interval '1 hour'").await;
    assert!(is_good(&key).await);
    // A power cut has set the clock back: the last time known to be right counts.
    sql(&test, "update instance set last_good_time = now() + interval '2 hours'").await;
    assert!(!is_good(&key).await);
    let soon = chrono::Utc::now() + chrono::TimeDelta::hours(1);
    let new = json!({"name": "n", "scopes": ["log:read"], "expires_at": soon.to_rfc3339()});
    assert_eq!(session.post(KEYS, new).await.fields(), ["expires_at"]);
    sql(&test, "update instance set last_good_time = now() - interval '9 years'").await;
    assert!(is_good(&key).await);
    sql(&test, "update api_keys set expires_at = now() - interval '1 second'").await;
    assert!(!is_good(&key).await);
    sql(&test, "update api_keys set expires_at = null").await;

    let path = format!("/api/v1/admin/apps/garden/members/{grace}");
    assert_eq!(owner.delete(&path).await.status, 204);
    key.get("/api/v1/admin/apps/garden").await.problem(404);
    owner.member("garden", &grace, "viewer").await;
    assert_eq!(key.get("/api/v1/admin/apps/garden").await.status, 200);

    let unbound = session.key(&["script:read"], None).await;
    assert_eq!(owner.delete("/api/v1/admin/apps/garden?confirm=garden").await.status, 204);
    assert!(!is_good(&key).await && is_good(&unbound).await);
    assert_eq!(owner.delete(&format!("/api/v1/admin/users/{grace}")).await.status, 204);
    assert!(!is_good(&unbound).await);
    let left: i64 = sqlx::query_scalar("select count(*) from api_keys where user_id = $1::uuid")
        .bind(&grace)
        .fetch_one(test.pool())
        .await
        .expect("sql");
    assert_eq!(left, 0);
}

#[tokio::test]
async fn its_last_use_is_written_at_most_once_a_minute() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let key = owner.key(&["log:read"], None).await;
    let used = async || owner.get(KEYS).await.json["items"][0]["last_used_at"].clone();
    assert_eq!(used().await, Value::Null);
    assert!(!is_good(&test.nobody().with_token(&format!("{}x", key.token().expect("a key")))).await);
    assert_eq!(used().await, Value::Null, "a wrong secret is no use of it");
    assert!(is_good(&key).await);
    let first = used().await;
    assert!(first.is_string());
    assert!(is_good(&key).await);
    assert_eq!(used().await, first);
    for (shift, why) in [("-61 seconds", "a minute has passed"), ("1 year", "the clock was set back")] {
        sql(&test, &format!("update api_keys set last_used_at = now() + interval '{shift}'")).await;
        let before = used().await;
        assert!(is_good(&key).await);
        assert_ne!(used().await, before, "{why}");
    }
}

#[tokio::test]
async fn a_key_is_no_cookie_and_signs_nobody_out() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let key = owner.key(&SCOPES, None).await;
    let cookie = format!("picloud_session={}", key.token().expect("a key"));
    let browser = test.nobody().with("cookie", &cookie);
    browser.get("/api/v1/auth/me").await.problem(401);
    let page = browser.get("/admin").await;
    assert_eq!((page.status, page.header("location")), (303, "/admin/login?next=%2Fadmin"));
    key.call("POST", "/api/v1/auth/logout").await.problem(403);
    assert!(is_good(&key).await);
}
