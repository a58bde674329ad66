//! Behind a proxy: who is believed about the client, and what a forwarded request may not.

use serde_json::json;

use crate::support::{
    app::{PASSWORD, TestApp},
    http::{Person, raw},
};

/// Started behind a proxy on this machine.
async fn behind_a_proxy() -> TestApp {
    TestApp::start_with(&[("trusted_proxies", "127.0.0.1,10.9.0.0/16"), ("own_names", "pi.example")]).await
}

/// Somebody behind the proxy, over TLS.
fn visitor(app: &TestApp, address: &str) -> Person {
    let visitor = app.nobody().with("x-forwarded-for", address).with("x-forwarded-proto", "https");
    visitor.with("x-forwarded-host", "pi.example")
}

async fn claim(person: &Person) -> (u16, String) {
    let answer = person.post("/api/v1/setup", json!({"username": "ada", "password": PASSWORD})).await;
    (answer.status, answer.header("set-cookie").to_owned())
}

#[tokio::test]
async fn a_trusted_proxy_tells_address_scheme_and_host() {
    let app = behind_a_proxy().await;
    let (status, cookie) = claim(&visitor(&app, "8.8.8.8, 192.168.1.9, 10.9.0.1")).await;
    assert_eq!(status, 201);
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let address: String =
        sqlx::query_scalar("select address from sessions").fetch_one(app.pool()).await.expect("sql");
    assert_eq!(address, "192.168.1.9");
    let token = cookie.split(['=', ';']).nth(1).expect("a token");
    let owner = visitor(&app, "192.168.1.9").with_token(token);
    let seen = owner.run("garden", "#{ host: ctx.request.host, from: ctx.request.remote_addr }").await;
    assert_eq!(seen.json, json!({"host": "pi.example", "from": "192.168.1.9"}));
    let browser = visitor(&app, "192.168.1.9").with("cookie", &format!("picloud_session={token}"));
    let new = json!({"slug": "shed", "name": "Shed"});
    for foreign in ["http://pi.example", "http://127.0.0.1", "https://evil.example"] {
        browser.with("origin", foreign).post("/api/v1/admin/apps", new.clone()).await.problem(403);
    }
    let made = browser.with("origin", "https://pi.example").post("/api/v1/admin/apps", new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let page = browser.with("accept", "text/html").get("/admin").await;
    assert!(page.text.contains("https://pi.example/~garden"), "{page:?}");
}

#[tokio::test]
async fn the_administration_answers_to_the_host_the_visitor_asked_for() {
    let app = behind_a_proxy().await;
    let at = |host: &str| app.nobody().with("x-forwarded-for", "192.168.1.9").with("x-forwarded-host", host);
    assert_eq!(at("pi.example").get("/api/v1/setup").await.status, 200);
    at("evil.example").get("/api/v1/setup").await.problem(421);
    at("pi.example, evil.example").get("/api/v1/setup").await.problem(421);
    at("a/b").get("/api/v1/setup").await.problem(400);
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let app = TestApp::start().await;
    let forged = visitor(&app, "192.168.1.9");
    let seen = forged.with("host", "evil.example");
    seen.get("/api/v1/setup").await.problem(421);
    assert_eq!(claim(&forged).await.0, 403, "nobody knows whom this proxy speaks for");
    let owner = app.owner().await;
    owner.run("garden", "#{ host: ctx.request.host, from: ctx.request.remote_addr }").await;
    let seen = forged.get("/~garden/run").await;
    assert_eq!(seen.json, json!({"host": "127.0.0.1", "from": "127.0.0.1"}));
    let login = json!({"username": "ada", "password": PASSWORD});
    let signed_in = forged.post("/api/v1/auth/login", login).await;
    assert!(!signed_in.header("set-cookie").contains("Secure"), "{signed_in:?}");
}

#[tokio::test]
async fn what_was_forwarded_has_not_the_privileges_of_this_machine() {
    let app = TestApp::start_with(&[("claim_window.minutes", "0")]).await;
    assert_eq!(app.nobody().get("/metrics").await.status, 200);
    app.nobody().with("host", "evil.example").get("/metrics").await.problem(401);
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 x"),
        ("x-real-ip", "::1"),
    ] {
        let forwarded = app.nobody().with(name, value);
        forwarded.get("/metrics").await.problem(401);
        assert_eq!(claim(&forwarded).await.0, 403, "{name}");
    }
    assert_eq!(claim(&app.nobody()).await.0, 201);

    let app = behind_a_proxy().await;
    for forwarded in [app.nobody(), visitor(&app, "127.0.0.1"), visitor(&app, "8.8.8.8")] {
        forwarded.get("/metrics").await.problem(401);
        assert_eq!(claim(&forwarded).await.0, 403);
    }
}

#[tokio::test]
async fn headers_that_could_be_read_in_two_ways_are_malformed() {
    let app = behind_a_proxy().await;
    let forged = visitor(&app, "192.168.1.9").with("forwarded", "for=127.0.0.1");
    assert!(forged.get("/healthz").await.problem(400).contains("Forwarded"));
    let two_hosts =
        "GET /admin/login HTTP/1.1\r\nhost: pi.example\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    assert!(raw(app.address, two_hosts.as_bytes()).await.starts_with("HTTP/1.1 400"));
}
