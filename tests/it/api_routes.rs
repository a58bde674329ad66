//! Domains and routes through the API.

use serde_json::{Value, json};

use crate::support::{
    app::TestApp,
    http::{Answer, Person},
};

const ABSENT: &str = "0198c0de-0000-7000-8000-000000000000";

async fn domain(owner: &Person, app: &str, pattern: &str) -> Answer {
    owner.post(&format!("/api/v1/admin/apps/{app}/domains"), json!({"pattern": pattern})).await
}

async fn route(owner: &Person, script: &str, route: Value) -> Answer {
    owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await
}

fn exact(path: &str) -> Value {
    json!({"host_kind": "any", "path_kind": "exact", "path": path})
}

#[tokio::test]
async fn domains_are_claimed_listed_and_released() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    owner.app("house").await;
    let made = domain(&owner, "garden", "*.Garden.Local.").await;
    assert_eq!((made.status, &made.json["pattern"]), (201, &json!("*.garden.local")), "{made:?}");
    let keys: Vec<&String> = made.json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["created_at", "id", "pattern", "updated_at"]);
    domain(&owner, "garden", "*.garden.local").await.problem(409);
    domain(&owner, "house", "a.garden.local").await.problem(409);
    for own in
        ["testpi", "testpi.local", "a.testpi.local", "*.testpi.local", "*.local", "localhost", "a.localhost"]
    {
        assert_eq!(domain(&owner, "garden", own).await.fields(), ["pattern"], "{own}");
    }
    for bad in ["", "a b", "10.0.0.1", "a.local:80", "http://a.local", "*", "a.*.b"] {
        assert_eq!(domain(&owner, "garden", bad).await.fields(), ["pattern"], "{bad}");
    }
    let listed = owner.get("/api/v1/admin/apps/garden/domains?limit=1").await;
    assert_eq!((&listed.json["items"][0], &listed.json["next_cursor"]), (&made.json, &json!(null)));
    assert_eq!(owner.get("/api/v1/admin/apps/garden/domains?limmit=1").await.fields(), ["limmit"]);
    let path = format!("/api/v1/admin/apps/garden/domains/{}", made.id());
    owner.delete(&path.replace("garden/domains", "house/domains")).await.problem(404);
    assert_eq!(owner.delete(&path).await.status, 204);
    owner.delete(&path).await.problem(404);
    owner.delete("/api/v1/admin/apps/garden/domains/x").await.problem(404);
    assert_eq!(domain(&owner, "house", "a.garden.local").await.status, 201);
}

#[tokio::test]
async fn a_domain_that_routes_need_is_kept() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let claimed = domain(&owner, "garden", "garden.local").await;
    let on_host = json!({"host_kind": "exact", "host": "garden.local", "path_kind": "exact", "path": "/a"});
    let made = route(&owner, &script, on_host).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/api/v1/admin/apps/garden/domains/{}", claimed.id());
    assert!(owner.delete(&path).await.problem(409).contains(&made.id()));
    let freed =
        owner.patch(&format!("/api/v1/admin/routes/{}", made.id()), json!({"host_kind": "any"})).await;
    assert_eq!((freed.status, &freed.json["host"]), (200, &json!(null)));
    assert_eq!(owner.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_route_is_made_read_changed_and_deleted_and_served_at_once() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let made = route(
        &owner,
        &script,
        json!({"host_kind": "any", "path_kind": "param", "path": "/%61/{id}", "method": "get"}),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut fields: Vec<&String> = made.json.as_object().expect("an object").keys().collect();
    fields.sort();
    let mut expected = [
        "id",
        "app_id",
        "script_id",
        "host_kind",
        "host",
        "host_param_name",
        "path_kind",
        "path",
        "method",
        "dispatch_mode",
        "enabled",
        "created_at",
        "updated_at",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert_eq!(
        (&made.json["path"], &made.json["method"], &made.json["dispatch_mode"]),
        (&json!("/a/{id}"), &json!("GET"), &json!("sync"))
    );
    let (path, call) = (format!("/api/v1/admin/routes/{}", made.id()), app.nobody());
    assert_eq!(call.get("/~garden/a/7").await.status, 200);
    assert_eq!(owner.get(&path).await.json, made.json);
    let changed = owner.patch(&path, json!({"path": "/b/{id}", "method": null})).await;
    assert_eq!((changed.status, &changed.json["method"]), (200, &json!(null)), "{changed:?}");
    assert_eq!(
        (call.get("/~garden/a/7").await.status, call.call("PUT", "/~garden/b/7").await.status),
        (404, 200)
    );
    assert_eq!(owner.patch(&path, json!({"enabled": false})).await.status, 200);
    assert_eq!(call.get("/~garden/b/7").await.status, 404);
    assert_eq!(owner.patch(&path, json!({"enabled": true})).await.status, 200);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!((call.get("/~garden/b/7").await.status, owner.get(&path).await.status), (404, 404));
}

#[tokio::test]
async fn what_is_wrong_with_a_route_is_named() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let with = |key: &str, value: Value| {
        let mut route = exact("/a");
        route[key] = value;
        route
    };
    for (body, field) in [
        (with("path", json!("a")), "path"),
        (with("path", json!("/users/{id}")), "path"),
        (with("path", json!("/admin")), "path"),
        (with("path", json!("/api/v1/x")), "path"),
        (with("path", json!("/~x")), "path"),
        (with("path", json!("/\u{0}")), "path"),
        (with("path_kind", json!("regex")), "path_kind"),
        (with("host_kind", json!("some")), "host_kind"),
        (with("host", json!("a.local")), "host"),
        (with("host_param_name", json!("sub")), "host_param_name"),
        (with("method", json!("FETCH")), "method"),
        (with("dispatch_mode", json!("later")), "dispatch_mode"),
        (with("enabled", json!("yes")), "enabled"),
        (with("pathh", json!("/a")), "pathh"),
        (json!({"host_kind": "any", "path": "/a"}), "path_kind"),
        (json!({"host_kind": "exact", "host": "a.local", "path_kind": "exact", "path": "/a"}), "host"),
    ] {
        assert_eq!(route(&owner, &script, body.clone()).await.fields(), [field], "{body}");
    }
    let both = route(&owner, &script, json!({"host_kind": "any", "path_kind": "exact", "path": "a", "method": "X", "dispatch_mode": "async"})).await;
    assert_eq!(both.fields(), ["path", "method"]);
    let made = route(&owner, &script, exact("/a")).await;
    let path = format!("/api/v1/admin/routes/{}", made.id());
    for (change, field) in [
        (json!({"dispatch_mode": "sync"}), "dispatch_mode"),
        (json!({"script_id": script}), "script_id"),
        (json!({"path": null}), "path"),
        (json!({"enabled": null}), "enabled"),
        (json!({"path": "/{id}"}), "path"),
        (json!({"host_kind": "exact"}), "host"),
    ] {
        assert_eq!(owner.patch(&path, change.clone()).await.fields(), [field], "{change}");
    }
}

#[tokio::test]
async fn a_conflict_names_the_other_route() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let mut first = json!({"host_kind": "any", "path_kind": "param", "path": "/{a}", "enabled": false});
    let other = route(&owner, &script, first.clone()).await.id();
    first["path"] = json!("/{b}");
    first["enabled"] = json!(true);
    assert!(route(&owner, &script, first).await.problem(409).contains(&other));
}

#[tokio::test]
async fn routes_are_listed_by_app_and_by_script() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let (one, two) = (owner.script("garden", "one", "1").await, owner.script("garden", "two", "2").await);
    for (script, path) in [(&one, "/c"), (&two, "/b"), (&one, "/a")] {
        owner.route(script, path).await;
    }
    let paths = async |path: &str| {
        let answer = owner.get(path).await;
        let items = answer.json["items"].as_array().expect("items").clone();
        let paths: Vec<String> =
            items.iter().map(|route| route["path"].as_str().expect("a path").to_owned()).collect();
        (paths, answer.json["next_cursor"].as_str().map(str::to_owned))
    };
    let (first, cursor) = paths("/api/v1/admin/apps/garden/routes?limit=2").await;
    assert_eq!(first, ["/a", "/b"]);
    let next = format!("/api/v1/admin/apps/garden/routes?limit=2&cursor={}", cursor.expect("a next page"));
    assert_eq!(paths(&next).await, (vec!["/c".to_owned()], None));
    assert_eq!(paths(&format!("/api/v1/admin/scripts/{one}/routes")).await.0, ["/a", "/c"]);
}

#[tokio::test]
async fn asking_for_a_match_says_what_answers_or_why_nothing_does() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let files =
        json!({"host_kind": "any", "path_kind": "param", "path": "/f/{kind}/{*rest}", "method": "GET"});
    let made = route(&owner, &script, files).await;
    let sleeping = owner.route(&script, "/off").await;
    owner.patch(&format!("/api/v1/admin/routes/{sleeping}"), json!({"enabled": false})).await;
    let ask = async |host: &str, method: &str, path: &str| {
        let question = json!({"host": host, "method": method, "path": path});
        owner.post("/api/v1/admin/apps/garden/routes/match", question).await
    };
    let found = ask("x", "head", "/~garden/f/a%20b/c/d").await;
    assert_eq!(
        found.json,
        json!({"matched": true, "route": made.json, "params": {"kind": "a b", "rest": "c/d"}, "rest": "c/d"})
    );
    for (host, method, path, word) in [
        ("garden.local", "GET", "/f/a/b", "does not lead to this app"),
        ("x", "POST", "/~garden/f/a/b", "only under GET, HEAD"),
        ("x", "GET", "/~garden/g", "no enabled route"),
        ("x", "GET", "/~garden/off", "it is disabled"),
        ("x", "GET", "/~default/hello", "does not address this app"),
    ] {
        let answer = ask(host, method, path).await;
        assert_eq!(answer.json["matched"], false, "{answer:?}");
        assert!(answer.json["reason"].as_str().is_some_and(|reason| reason.contains(word)), "{answer:?}");
    }
    assert_eq!(ask("a b", "GET", "/").await.fields(), ["host"]);
    assert_eq!(ask("x", "FETCH", "/").await.fields(), ["method"]);
    assert_eq!(ask("x", "GET", "/a/../b").await.fields(), ["path"]);
    assert_eq!(ask("x", "GET", "/a?b").await.fields(), ["path"]);
}

#[tokio::test]
async fn nobody_and_strangers_learn_nothing() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner.script("garden", "s", "1").await;
    let made = owner.route(&script, "/a").await;
    let claimed = domain(&owner, "garden", "garden.local").await.id();
    let stranger = app.stranger().await;
    for (method, path) in [
        ("GET", "/api/v1/admin/apps/garden/domains".to_owned()),
        ("POST", "/api/v1/admin/apps/garden/domains".to_owned()),
        ("DELETE", format!("/api/v1/admin/apps/garden/domains/{claimed}")),
        ("GET", "/api/v1/admin/apps/garden/routes".to_owned()),
        ("POST", "/api/v1/admin/apps/garden/routes/match".to_owned()),
        ("GET", format!("/api/v1/admin/scripts/{script}/routes")),
        ("POST", format!("/api/v1/admin/scripts/{script}/routes")),
        ("GET", format!("/api/v1/admin/routes/{made}")),
        ("PATCH", format!("/api/v1/admin/routes/{made}")),
        ("DELETE", format!("/api/v1/admin/routes/{made}")),
    ] {
        app.nobody().call(method, &path).await.problem(401);
        stranger.call(method, &path).await.problem(404);
    }
    owner.get(&format!("/api/v1/admin/routes/{ABSENT}")).await.problem(404);
    owner.get(&format!("/api/v1/admin/scripts/{ABSENT}/routes")).await.problem(404);
    owner.get("/api/v1/admin/routes/x").await.problem(404);
    assert_eq!(app.nobody().get("/~garden/a").await.status, 200);
}
