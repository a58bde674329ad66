//! Borders between the administration, the apps and everybody else's pages.

use serde_json::json;

use crate::support::{
    app::TestApp,
    http::{Answer, Person},
};

const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-popups allow-downloads";

/// The apps `garden`, which has claimed garden.local, and `shed`; each has `/run` under GET and POST.
async fn apps(owner: &Person) {
    for slug in ["garden", "shed"] {
        owner.app(slug).await;
        let source = r#"#{ headers: #{ "content-type": "text/html", "access-control-allow-origin": "https://scripts.example", "access-control-allow-credentials": "true" }, body: ctx.request.method }"#;
        let script = owner.script(slug, "run", source).await;
        for method in ["GET", "POST"] {
            let route = json!({"host_kind": "any", "path_kind": "exact", "path": "/run", "method": method});
            let made = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
    }
    let claimed = owner.post("/api/v1/admin/apps/garden/domains", json!({"pattern": "garden.local"})).await;
    assert_eq!(claimed.status, 201, "{claimed:?}");
}

fn is_sandboxed(answer: &Answer) -> bool {
    answer.headers.get_all("content-security-policy").iter().any(|policy| policy == SANDBOX)
}

#[tokio::test]
async fn a_page_has_an_origin_to_itself_only_where_its_app_is_at_home() {
    let app = TestApp::start().await;
    apps(&app.owner().await).await;
    for (host, path, sandboxed) in [
        ("testpi.local", "/~garden/run", true),
        ("127.0.0.1", "/hello", true),
        ("127.0.0.1", "/nowhere", true),
        ("127.0.0.1", "/~garden/run?x=%00", true),
        ("x.testpi.local", "/hello", true),
        ("elsewhere.example", "/~garden/run", true),
        ("garden.local", "/~shed/run", true),
        ("garden.local", "/run", false),
        ("garden.local", "/~garden/run", false),
        ("garden.local", "/nowhere", false),
    ] {
        let answer = app.nobody().with("host", host).get(path).await;
        assert_eq!(is_sandboxed(&answer), sandboxed, "{host}{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_sandboxed_page_may_call_its_app_without_credentials() {
    let app = TestApp::start().await;
    apps(&app.owner().await).await;
    let page = app.nobody().with("origin", "null");
    let read = page.get("/~garden/run").await;
    assert_eq!((read.status, read.text.as_str()), (200, "GET"));
    assert_eq!(read.header("access-control-allow-origin"), "*");
    assert_eq!(read.header("access-control-allow-credentials"), "");

    let ask = page
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "x-a, content-type");
    let preflight = ask.call("OPTIONS", "/~garden/run").await;
    assert_eq!((preflight.status, preflight.text.as_str()), (204, ""));
    assert_eq!(preflight.header("access-control-allow-origin"), "*");
    assert_eq!(preflight.header("access-control-allow-methods"), "GET, HEAD, POST");
    assert_eq!(preflight.header("access-control-allow-headers"), "x-a, content-type");
    assert_eq!(preflight.header("x-execution-id"), "", "no script ran");
    ask.call("OPTIONS", "/~garden/nowhere").await.problem(404);
    page.call("OPTIONS", "/~garden/run").await.problem(405);

    let home = app.nobody().with("host", "garden.local").with("origin", "null");
    assert_eq!(home.get("/run").await.header("access-control-allow-origin"), "https://scripts.example");
    home.with("access-control-request-method", "POST").call("OPTIONS", "/run").await.problem(405);
    let other = app.nobody().with("origin", "http://evil.example").get("/~garden/run").await;
    assert_eq!(other.header("access-control-allow-origin"), "https://scripts.example", "as the script says");
}

#[tokio::test]
async fn a_sandboxed_page_gets_nothing_from_the_administration() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let page = app.nobody().with("origin", "null");
    let rider = page.with("cookie", &format!("picloud_session={}", owner.token().expect("a token")));
    for path in ["/api/v1/admin/apps", "/api/v1/auth/me", "/admin", "/healthz"] {
        assert_eq!(rider.get(path).await.header("access-control-allow-origin"), "", "{path}");
        let ask = rider.with("access-control-request-method", "POST").call("OPTIONS", path).await;
        assert_eq!((ask.status, ask.header("access-control-allow-origin")), (405, ""), "{path}: {ask:?}");
    }
    let new = json!({"slug": "garden", "name": "Garden"});
    rider.post("/api/v1/admin/apps", new).await.problem(403);
    let form =
        rider.send("/admin/apps", "application/x-www-form-urlencoded", "slug=garden&name=Garden").await;
    assert_eq!(form.status, 403, "{form:?}");
    assert_eq!(owner.get("/api/v1/admin/apps").await.json["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn an_apps_cors_setting_is_answered_without_a_run() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    apps(&owner).await;
    let cors = json!({"origins": ["HTTPS://Shop.Example:443"], "headers": ["X-Thing"], "max_age": 600, "credentials": true});
    let set = owner.patch("/api/v1/admin/apps/garden", json!({"cors": cors})).await;
    let kept = json!({"origins": ["https://shop.example"], "headers": ["x-thing"], "max_age": 600, "credentials": true});
    assert_eq!((set.status, &set.json["cors"]), (200, &kept));
    for host in ["garden.local", "127.0.0.1"] {
        let at = app.nobody().with("host", host);
        let shop = at.with("origin", "https://shop.example");
        let ask = shop
            .with("access-control-request-method", "PUT")
            .with("access-control-request-headers", "x-other");
        let preflight = ask.call("OPTIONS", "/~garden/run").await;
        assert_eq!((preflight.status, preflight.header("x-execution-id")), (204, ""), "{preflight:?}");
        for (name, value) in [
            ("access-control-allow-origin", "https://shop.example"),
            ("access-control-allow-methods", "GET, HEAD, POST"),
            ("access-control-allow-headers", "x-thing"),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "600"),
        ] {
            assert_eq!(preflight.header(name), value, "{name}");
        }
        assert_eq!(
            shop.get("/~garden/run").await.header("access-control-allow-origin"),
            "https://shop.example"
        );
        for stranger in ["https://evil.example", "null", "http://shop.example"] {
            let stranger = at.with("origin", stranger);
            assert_eq!(stranger.get("/~garden/run").await.header("access-control-allow-origin"), "");
            let ask =
                stranger.with("access-control-request-method", "POST").call("OPTIONS", "/~garden/run").await;
            assert_eq!((ask.status, ask.header("access-control-allow-origin")), (204, ""));
            assert_eq!(ask.header("access-control-allow-methods"), "");
        }
        let plain = at.call("OPTIONS", "/~garden/run").await;
        assert_eq!((plain.status, plain.header("allow")), (204, "GET, HEAD, POST"));
        at.call("OPTIONS", "/~garden/nowhere").await.problem(404);
    }
    let any = owner.patch("/api/v1/admin/apps/garden", json!({"cors": {"origins": ["*"]}})).await;
    assert_eq!(any.json["cors"], json!({"origins": ["*"]}));
    assert_eq!(app.nobody().get("/~garden/run").await.header("access-control-allow-origin"), "*");
    let kept = owner.patch("/api/v1/admin/apps/garden", json!({"name": "Garden"})).await;
    assert_eq!(kept.json["cors"], json!({"origins": ["*"]}));
    let cleared = owner.patch("/api/v1/admin/apps/garden", json!({"cors": null})).await;
    assert_eq!(cleared.json["cors"], json!(null));
    app.nobody().call("OPTIONS", "/~garden/run").await.problem(405);
}

#[tokio::test]
async fn a_cors_setting_that_would_not_work_is_refused_by_field() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    for (cors, field) in [
        (json!({}), "cors.origins"),
        (json!({"origins": []}), "cors.origins"),
        (json!({"origins": ["https://a/"]}), "cors.origins"),
        (json!({"origins": ["null"]}), "cors.origins"),
        (json!({"origins": ["*"], "credentials": true}), "cors.credentials"),
        (json!({"origins": ["*"], "methods": ["FETCH"]}), "cors.methods"),
        (json!({"origins": ["*"], "headers": ["a b"]}), "cors.headers"),
        (json!({"origins": ["*"], "max_age": 86_401}), "cors.max_age"),
        (json!({"origins": ["*"], "max_age": -1}), "cors.max_age"),
        (json!({"origins": ["*"], "origin": "x"}), "cors.origin"),
        (json!({"origins": "*"}), "cors.origins"),
        (json!("*"), "cors"),
    ] {
        let answer = owner.patch("/api/v1/admin/apps/default", json!({"cors": cors})).await;
        assert_eq!(answer.fields(), [field], "{answer:?}");
    }
}

#[tokio::test]
async fn every_answer_of_ours_is_guarded_in_a_browser() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let browser =
        app.nobody().with("cookie", &format!("picloud_session={}", owner.token().expect("a token")));
    for (person, path, status) in [
        (&browser, "/admin", 200),
        (&browser, "/admin/nothing", 404),
        (&app.nobody(), "/admin", 303),
        (&app.nobody(), "/admin/login", 200),
        (&app.nobody().with("host", "evil.example"), "/admin", 421),
        (&app.nobody().with("host", "evil.example"), "/api/v1/setup", 421),
        (&owner, "/api/v1/admin/apps", 200),
        (&owner, "/api/v1/nothing", 404),
        (&app.nobody(), "/api/v1/admin/apps", 401),
        (&app.nobody(), "/api/v1/openapi.json", 200),
        (&app.nobody(), "/healthz", 200),
        (&app.nobody(), "/metrics", 200),
    ] {
        let answer = person.with("accept", "text/html").get(path).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}: {name}");
        }
        let policies: Vec<_> = answer.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies.len(), 1, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"),
            "{path}: {policy}"
        );
        assert!(
            policy.contains("script-src 'none'") || policy.contains("default-src 'none'"),
            "{path}: {policy}"
        );
    }
    let of_a_script = app.nobody().get("/hello").await;
    assert_eq!(of_a_script.header("x-frame-options"), "", "scripts set theirs");
}
