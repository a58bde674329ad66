//! Credentials that are planted, forged, swollen or bent.

use serde_json::json;

use crate::support::{
    app::{PASSWORD, TestApp},
    http::raw,
};

#[tokio::test]
async fn a_sign_in_makes_a_session_of_its_own_whatever_the_browser_brings() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let planted = app.stranger().await;
    let victim =
        app.nobody().with("cookie", &format!("picloud_session={}", planted.token().expect("a token")));
    let login = json!({"username": "ada", "password": PASSWORD});
    let answer = victim.post("/api/v1/auth/login", login).await;
    let token = answer.json["token"].as_str().expect("a token");
    assert!(Some(token) != planted.token() && Some(token) != owner.token());
    assert!(answer.header("set-cookie").starts_with(&format!("picloud_session={token};")), "{answer:?}");
    assert_eq!(planted.get("/api/v1/auth/me").await.json["user"]["username"], "mallory");
}

#[tokio::test]
async fn two_session_cookies_are_nobodys() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let good = format!("picloud_session={}", owner.token().expect("a token"));
    let both = [format!("{good}; picloud_session=pics_planted"), format!("picloud_session=; {good}")];
    for cookies in both {
        let person = app.nobody().with("cookie", &cookies);
        person.get("/api/v1/auth/me").await.problem(401);
        person.post("/api/v1/auth/logout", json!({})).await.problem(401);
    }
    let lines = app.nobody().with("cookie", &good).with("cookie", "picloud_session=pics_planted");
    lines.get("/api/v1/auth/me").await.problem(401);
    let page = lines.with("accept", "text/html").get("/admin").await;
    assert_eq!((page.status, page.header("location")), (303, "/admin/login?next=%2Fadmin"));
    assert_eq!(app.nobody().with("cookie", &good).get("/api/v1/auth/me").await.status, 200);
}

#[tokio::test]
async fn swollen_credentials_are_refused_like_wrong_ones() {
    let app = TestApp::start().await;
    app.owner().await;
    let long = "x".repeat(500_000);
    for (name, password) in [("ada", long.as_str()), (&long, PASSWORD), ("ada\u{0}", PASSWORD), ("ada", "")] {
        let login = json!({"username": name, "password": password});
        app.nobody().post("/api/v1/auth/login", login).await.problem(401);
    }
    let token = format!("pics_{}", "x".repeat(20_000));
    app.nobody().with_token(&token).get("/api/v1/auth/me").await.problem(401);
    app.nobody()
        .with("cookie", &format!("picloud_session={token}"))
        .get("/api/v1/auth/me")
        .await
        .problem(401);
    app.nobody().with_token(&token).get("/hello").await.problem(401);
    let head = format!(
        "GET /api/v1/auth/me HTTP/1.1\r\nhost: pi\r\nauthorization: Bearer pics_{}\r\n\r\n",
        "x".repeat(40_000)
    );
    assert!(raw(app.address, head.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let claim = json!({"username": "eve", "password": "x".repeat(257)});
    let unclaimed = TestApp::start().await;
    assert_eq!(unclaimed.nobody().post("/api/v1/setup", claim).await.fields(), ["password"]);
}

#[tokio::test]
async fn no_text_of_a_caller_becomes_a_header() {
    let app = TestApp::start().await;
    app.owner().await;
    for path in [
        "/admin/%0d%0aset-cookie:%20a=b",
        "/admin?x=%0d%0aset-cookie:%20a=b",
        "/admin/login?next=%2Fadmin%0d%0aset-cookie:%20a=b",
        "/%0d%0aset-cookie:%20a=b",
        "/~default%0d%0aset-cookie:%20a=b/",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: text/html\r\nconnection: close\r\n\r\n"
        );
        let answer = raw(app.address, request.as_bytes()).await;
        let head = answer.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
        assert!(!head.contains("\r\nset-cookie:"), "{path}: {head}");
    }
    for host in ["localhost\r\nx-evil: 1", "localhost\tx", "local host", "localhost/evil"] {
        let request = format!("GET /admin HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        let answer = raw(app.address, request.as_bytes()).await.to_ascii_lowercase();
        assert!(!answer.contains("\r\nx-evil"), "{host}: {answer}");
    }
    let folded =
        "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx-request-id: a\r\n b\r\nconnection: close\r\n\r\n";
    assert!(raw(app.address, folded.as_bytes()).await.starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn a_script_neither_sees_nor_sets_our_credentials() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let seen = owner.run("spy", "ctx.request.headers").await;
    assert!(!seen.text.contains("pics_"), "{seen:?}");
    let cookies =
        format!("a=1;picloud_session={0}; picloud_session={0} ;b=2", owner.token().expect("a token"));
    let spied = app.nobody().with("cookie", &cookies).get("/~spy/run").await;
    assert_eq!(spied.json["cookie"], "a=1; b=2", "{spied:?}");
    for (nth, cookie) in
        ["picloud_session=x", "PiCloud_Session=x", "=picloud_session=x", " picloud_session=x"]
            .iter()
            .enumerate()
    {
        let source = format!("#{{ headers: #{{ \"set-cookie\": \"{cookie}\" }}, body: 1 }}");
        let answer = owner.run(&format!("thief-{nth}"), &source).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (502, ""), "{cookie}: {answer:?}");
    }
}
