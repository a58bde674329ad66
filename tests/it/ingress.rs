//! User routes as callers meet them.

use serde_json::json;

use crate::support::{
    app::TestApp,
    http::{Answer, Person, raw},
};

/// Answers with all that a script sees of a request.
const ECHO: &str = "#{ method: ctx.request.method, path: ctx.request.path, host: ctx.request.host,
    headers: ctx.request.headers, query: ctx.request.query, params: ctx.request.params,
    rest: ctx.request.rest, body: ctx.request.body, remote_addr: ctx.request.remote_addr,
    principal: ctx.principal, app: ctx.app.slug, kind: ctx.invocation, request_id: ctx.request_id,
    execution_id: ctx.execution_id }";

/// The app `garden`, whose script echoes under all of its paths.
async fn garden(owner: &Person) -> String {
    owner.app("garden").await;
    let script = owner.script("garden", "echo", ECHO).await;
    for (kind, path) in [("prefix", "/echo"), ("param", "/users/{id}"), ("param", "/files/{*rest}")] {
        let route = json!({"host_kind": "any", "path_kind": kind, "path": path});
        let made = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    script
}

async fn claim(owner: &Person, app: &str, pattern: &str) {
    let path = format!("/api/v1/admin/apps/{app}/domains");
    let answer = owner.post(&path, json!({"pattern": pattern})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn a_script_sees_the_request_and_none_of_our_credentials() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    garden(&owner).await;
    let caller = app
        .nobody()
        .with("cookie", "a=1; picloud_session=secret; b=2")
        .with("X-Twice", "one")
        .with("x-twice", "two");
    let answer = caller
        .with("authorization", "Bearer theirs")
        .with("x-request-id", "mine-1")
        .get("/~garden/echo/a%20b/?q=1&q=2&r=%C3%A9+x")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let seen = &answer.json;
    assert_eq!(
        (&seen["method"], &seen["path"], &seen["rest"]),
        (&json!("GET"), &json!("/echo/a b/"), &json!("a b/"))
    );
    assert_eq!(seen["host"], "127.0.0.1");
    assert_eq!(seen["query"], json!({"q": ["1", "2"], "r": "é x"}));
    assert_eq!(
        (&seen["headers"]["cookie"], &seen["headers"]["x-twice"]),
        (&json!("a=1; b=2"), &json!("one, two"))
    );
    assert_eq!(
        (&seen["headers"]["authorization"], &seen["principal"]),
        (&json!("Bearer theirs"), &json!(null))
    );
    assert_eq!(
        (&seen["app"], &seen["kind"], &seen["remote_addr"]),
        (&json!("garden"), &json!("http"), &json!("127.0.0.1"))
    );
    assert_eq!((&seen["request_id"], answer.header("x-request-id")), (&json!("mine-1"), "mine-1"));
    assert_eq!(seen["execution_id"], answer.header("x-execution-id"));
    let seen = app.nobody().get("/~garden/users/7%2B1").await.json;
    assert_eq!((&seen["params"], &seen["rest"]), (&json!({"id": "7+1"}), &json!(null)));
    let seen = app.nobody().get("/~garden/files/").await.json;
    assert_eq!((&seen["params"], &seen["rest"]), (&json!({"rest": ""}), &json!("")));
}

#[tokio::test]
async fn a_bearer_of_ours_makes_the_principal_and_a_bad_one_is_401() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    garden(&owner).await;
    let seen = owner.get("/~garden/echo").await.json;
    assert_eq!(
        (&seen["principal"]["username"], &seen["headers"]["authorization"]),
        (&json!("ada"), &json!(null))
    );
    for bad in ["pics_nobody", "pic_12345678_nobody"] {
        let answer = app.nobody().with_token(bad).get("/~garden/echo").await;
        answer.problem(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        app.nobody().with_token(bad).get("/~garden/nowhere").await.problem(404);
    }
}

#[tokio::test]
async fn a_body_is_bounded_and_decoded() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    garden(&owner).await;
    let someone = app.nobody();
    let sent = someone.send("/~garden/echo", "application/json", r#"{"a":[1,2.5]}"#).await;
    assert_eq!(sent.json["body"], json!({"a": [1, 2.5]}));
    assert_eq!(someone.get("/~garden/echo").await.json["body"], json!(null));
    assert_eq!(someone.send("/~garden/echo", "application/json", "{").await.fields(), ["body"]);
    assert_eq!(someone.send("/~garden/echo", "text/plain", vec![0xff]).await.fields(), ["body"]);
    let whole = someone.send("/~garden/echo", "application/x-www-form-urlencoded", "a=1&a=2").await;
    assert_eq!(whole.json["body"], json!({"a": ["1", "2"]}));
    someone.send("/~garden/echo", "application/octet-stream", vec![1; 1024 * 1024 + 1]).await.problem(413);
    someone.send("/~garden/nowhere", "application/octet-stream", vec![1; 1024 * 1024 + 1]).await.problem(404);
}

#[tokio::test]
async fn hosts_wildcards_and_slugs_reach_their_app() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let script = garden(&owner).await;
    claim(&owner, "garden", "garden.local").await;
    claim(&owner, "garden", "*.garden.local").await;
    let route = json!({"host_kind": "wildcard", "host": "*.garden.local", "host_param_name": "plant", "path_kind": "exact", "path": "/plant"});
    let made = owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await;
    assert_eq!((made.status, &made.json["host"]), (201, &json!("*.garden.local")), "{made:?}");
    let at = |host: &str| app.nobody().with("host", host);
    assert_eq!(at("Garden.Local:80").get("/echo").await.json["host"], "garden.local");
    assert_eq!(at("a.rose.garden.local").get("/plant").await.json["params"], json!({"plant": "a.rose"}));
    assert_eq!(at("garden.local").get("/~garden/plant").await.json["params"], json!({"plant": null}));
    at("garden.local").get("/plant").await.problem(404);
    at("elsewhere.example").get("/echo").await.problem(404);
    assert_eq!(at("elsewhere.example").get("/hello").await.json["from"], "default");
    assert_eq!(at("garden.local").get("/~default/hello?name=Ada").await.json["message"], "Hello, Ada!");
    at("garden.local").get("/hello").await.problem(404);
    let renamed = owner.patch("/api/v1/admin/apps/garden", json!({"slug": "yard"})).await;
    assert_eq!(renamed.status, 200, "{renamed:?}");
    let moved = at("x").call("POST", "/~garden/echo/a%20b/?q=1").await;
    assert_eq!((moved.status, moved.header("location")), (308, "/~yard/echo/a%20b/?q=1"));
}

#[tokio::test]
async fn methods_decide_last() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let script = owner
        .script(
            "garden",
            "method",
            "#{ body: ctx.request.method, headers: #{ \"content-type\": \"text/plain\" } }",
        )
        .await;
    for method in ["get", "POST"] {
        let route = json!({"host_kind": "any", "path_kind": "exact", "path": "/m", "method": method});
        assert_eq!(owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await.status, 201);
    }
    let call = async |method: &str| app.nobody().call(method, "/~garden/m").await;
    assert_eq!((call("GET").await.text.as_str(), call("POST").await.text.as_str()), ("GET", "POST"));
    for method in ["PUT", "OPTIONS", "BREW"] {
        let refused = call(method).await;
        refused.problem(405);
        assert_eq!(refused.header("allow"), "GET, HEAD, POST");
    }
    let head = call("HEAD").await;
    assert_eq!((head.status, head.text.as_str(), head.header("content-type")), (200, "", "text/plain"));
    assert_eq!(head.header("content-length"), "4", "of what GET would not have: the script saw HEAD");
}

#[tokio::test]
async fn hostile_requests_are_400_and_nothing_more() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    garden(&owner).await;
    let status = async |head: &str| {
        let request = format!("{head}\r\nconnection: close\r\n\r\n");
        let answer = raw(app.address, request.as_bytes()).await;
        answer.split(' ').nth(1).unwrap_or("closed").to_owned()
    };
    for path in [
        "/~garden/echo/../x",
        "/~garden/echo/%2e%2e/x",
        "/~garden/echo//x",
        "/~garden/echo/%00",
        "/~garden/echo/a%2fb",
        "/~garden/echo/%zz",
        "/~garden/echo/%",
        "/~garden/echo/%ff",
        "/~garden/echo?q=%00",
        "//",
        "/%2e%2e/etc/passwd",
    ] {
        assert_eq!(status(&format!("GET {path} HTTP/1.1\r\nhost: a")).await, "400", "{path}");
    }
    assert_eq!(status("GET /~garden/echo HTTP/1.1\r\nhost: a\r\nhost: b").await, "400");
    assert_eq!(status("GET /~garden/echo HTTP/1.1\r\nhost: a/b").await, "400");
    assert_eq!(status("OPTIONS * HTTP/1.1\r\nhost: a").await, "400");
    assert_eq!(status("GET /~garden/echo HTTP/1.0").await, "200");
    assert_eq!(status("GET /~garden/echo HTTP/1.1\r\nhost: a").await, "200");
}

#[tokio::test]
async fn a_slow_body_ends_at_the_time_limit() {
    let app = TestApp::start_with(&[("request_timeout", "1s")]).await;
    let owner = app.owner().await;
    garden(&owner).await;
    let answer =
        raw(app.address, b"POST /~garden/echo HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn the_front_page_leads_to_the_administration() {
    let app = TestApp::start().await;
    let front = async |host: &str| app.nobody().with("host", host).get("/").await;
    let leads = |answer: Answer| (answer.status, answer.header("location").to_owned());
    let administration = (303, "/admin".to_owned());
    assert_eq!(leads(front("testpi.local").await), administration);
    front("elsewhere.example").await.problem(404);
    let owner = app.owner().await;
    assert_eq!(leads(front("127.0.0.1").await), administration, "the default app has no route for it");
    let script = owner.script("default", "front", "\"front\"").await;
    owner.route(&script, "/").await;
    assert_eq!(leads(front("testpi.local").await), (200, String::new()));
    assert_eq!(front("elsewhere.example").await.status, 200);
}

#[tokio::test]
async fn an_unclaimed_machine_leads_to_its_claim_whatever_the_default_app_has() {
    let app = TestApp::start().await;
    sqlx::query("update routes set path = '/', path_shape = '/'")
        .execute(app.pool())
        .await
        .expect("a front page");
    let db = app.stop().await;
    let app = TestApp::start_on(db, &[]).await;
    assert_eq!(app.nobody().get("/").await.status, 303);
    app.owner().await;
    assert_eq!(app.nobody().get("/").await.status, 200);
}

#[tokio::test]
async fn what_is_ours_is_never_a_scripts() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let script = owner.script("default", "all", "\"mine\"").await;
    let route = json!({"host_kind": "any", "path_kind": "prefix", "path": "/"});
    assert_eq!(owner.post(&format!("/api/v1/admin/scripts/{script}/routes"), route).await.status, 201);
    let at = app.nobody().with("host", "elsewhere.example");
    for path in [
        "/%61dmin/x",
        "/healthz/",
        "/version/x",
        "/metrics/",
        "/readyz/x",
        "/realtime",
        "/api/v1",
        "/api/v1/x",
        "/api/%76%31/x",
    ] {
        let answer = at.get(path).await;
        assert!(answer.status >= 400 && answer.text != "\"mine\"", "{path}: {answer:?}");
    }
    for path in ["/", "/api/orders", "/api/v10", "/adm", "/~default/admin"] {
        assert_eq!(at.get(path).await.text, "\"mine\"", "{path}");
    }
}

#[tokio::test]
async fn a_failure_is_told_to_those_who_may_read_the_app() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.run("garden", "let a = 1;\nthrow \"the well is dry\";").await;
    let public = app.nobody().get("/~garden/run").await;
    public.problem(502);
    assert_eq!(public.json["execution_id"], public.header("x-execution-id"));
    assert!(!public.text.contains("well"), "{public:?}");
    let stranger = app.stranger().await.get("/~garden/run").await;
    assert!(stranger.status == 502 && !stranger.text.contains("well"), "{stranger:?}");
    let reader = owner.get("/~garden/run").await;
    assert!(reader.problem(502).contains("the well is dry"));
    assert_eq!((&reader.json["error"]["line"], &reader.json["error"]["kind"]), (&json!(2), &json!("throw")));
}

#[tokio::test]
async fn a_page_of_a_script_is_sandboxed_on_our_own_names_only() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let source = r#"#{ headers: #{ "content-security-policy": "default-src 'self'", "content-type": "text/html" }, body: "<p>" }"#;
    owner.run("garden", source).await;
    claim(&owner, "garden", "garden.local").await;
    let policies = async |host: &str| {
        let answer = app.nobody().with("host", host).get("/~garden/run").await;
        let all = answer.headers.get_all("content-security-policy").iter();
        all.map(|value| value.to_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    let own = policies("testpi.local").await;
    assert_eq!((own.len(), own[0].as_str()), (2, "default-src 'self'"));
    assert!(own[1].starts_with("sandbox allow-scripts"), "{own:?}");
    assert_eq!(policies("garden.local").await.len(), 1);
}

#[tokio::test]
async fn nothing_here_is_a_page_for_browsers_and_a_problem_for_others() {
    let app = TestApp::start().await;
    app.nobody().get("/nowhere").await.problem(404);
    app.nobody().get("/~nobody/").await.problem(404);
    let page = app.nobody().with("accept", "text/html,*/*;q=0.8").get("/nowhere").await;
    assert_eq!((page.status, page.header("content-type")), (404, "text/html; charset=utf-8"));
    assert!(!page.text.contains("nowhere") && !page.text.contains("default"), "{page:?}");
}

#[tokio::test]
async fn answers_are_compressed_only_for_those_who_ask() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let plain = owner.run("garden", "let s = \"\"; for i in 0..500 { s += \"abc\"; } s").await;
    assert_eq!((plain.header("content-encoding"), plain.text.len()), ("", 1502));
    let packed = app.nobody().with("accept-encoding", "gzip").request("GET", "/~garden/run").send().await;
    let packed = packed.expect("an answer");
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    assert!(packed.bytes().await.expect("a body").len() < 200);
}
