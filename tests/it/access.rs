//! Claiming, signing in and out, and the one place where capabilities are checked.

use serde_json::json;

use crate::support::{
    app::{PASSWORD, TestApp},
    http::raw,
};

#[tokio::test]
async fn the_first_to_claim_owns_the_machine() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let setup = nobody.get("/api/v1/setup").await;
    assert_eq!((setup.status, &setup.json["claimed"]), (200, &json!(false)));
    assert_eq!(setup.json["window_open"], json!(true));
    assert!(setup.json["window_seconds_left"].as_u64().is_some_and(|left| left > 1700 && left <= 1800));

    let claim = json!({"username": "Ada", "password": PASSWORD, "display_name": "Ada L."});
    let claimed = nobody.post("/api/v1/setup", claim).await;
    assert_eq!(claimed.status, 201, "{claimed:?}");
    assert_eq!(claimed.json["user"]["username"], "ada");
    assert_eq!(claimed.json["user"]["instance_role"], "owner");
    assert!(claimed.json["user"].get("password_hash").is_none());
    let token = claimed.json["token"].as_str().expect("a token");
    assert!(token.starts_with("pics_"));
    assert!(claimed.header("set-cookie").starts_with(&format!("picloud_session={token}; ")));

    let setup = nobody.get("/api/v1/setup").await;
    assert_eq!(setup.json, json!({"claimed": true, "window_open": false, "window_seconds_left": null}));
    let again = nobody.post("/api/v1/setup", json!({"username": "eve", "password": PASSWORD})).await;
    again.problem(409);
}

#[tokio::test]
async fn of_two_who_claim_at_once_one_wins() {
    let app = TestApp::start().await;
    let claim = async |name: &str| {
        app.nobody().post("/api/v1/setup", json!({"username": name, "password": PASSWORD})).await.status
    };
    let (ada, eve, bob) = tokio::join!(claim("ada"), claim("eve"), claim("bob"));
    let mut statuses = [ada, eve, bob];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409]);
}

#[tokio::test]
async fn a_weak_password_is_refused_with_the_reason() {
    let app = TestApp::start().await;
    for (password, why) in
        [("short", "at least 10"), ("password123", "commonest"), ("adalovelace", "user name")]
    {
        let claim = json!({"username": "adalovelace", "password": password});
        let answer = app.nobody().post("/api/v1/setup", claim).await;
        assert_eq!(answer.fields(), ["password"]);
        assert!(answer.problem(422).contains(why), "{answer:?}");
    }
    assert_eq!(app.nobody().get("/api/v1/setup").await.json["claimed"], json!(false));
}

#[tokio::test]
async fn the_claim_window_closes_and_loopback_ignores_it() {
    let app = TestApp::start_with(&[("claim_window.minutes", "0")]).await;
    let setup = app.nobody().get("/api/v1/setup").await;
    assert_eq!(setup.json, json!({"claimed": false, "window_open": false, "window_seconds_left": null}));
    app.owner().await;
}

#[tokio::test]
async fn signing_in_needs_the_right_password_and_tells_no_names() {
    let app = TestApp::start().await;
    app.owner().await;
    let login = async |name: &str, password: &str| {
        app.nobody().post("/api/v1/auth/login", json!({"username": name, "password": password})).await
    };
    let wrong = login("ada", "not the password").await;
    let unknown = login("nobody", "not the password").await;
    let strange = login("not a name!", "not the password").await;
    assert_eq!(wrong.problem(401), unknown.problem(401));
    assert_eq!(wrong.problem(401), strange.problem(401));
    assert!(wrong.header("www-authenticate").starts_with("Bearer"));
    let right = login("ADA", PASSWORD).await;
    assert_eq!((right.status, &right.json["user"]["username"]), (200, &json!("ada")));
    assert!(right.json["expires_at"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
}

#[tokio::test]
async fn a_session_ends_with_logout_for_cookie_and_bearer() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let me = owner.get("/api/v1/auth/me").await;
    assert_eq!((me.status, &me.json["user"]["username"]), (200, &json!("ada")));
    assert_eq!(me.json["authenticated_by"], "session");
    let cookie = format!("picloud_session={}", owner.token().expect("a token"));
    let browser = app.nobody().with("cookie", &cookie);
    assert_eq!(browser.get("/api/v1/auth/me").await.status, 200);

    let out = owner.call("POST", "/api/v1/auth/logout").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    owner.get("/api/v1/auth/me").await.problem(401);
    browser.get("/api/v1/auth/me").await.problem(401);
}

#[tokio::test]
async fn an_expired_session_and_a_made_up_token_are_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    sqlx::query("update sessions set expires_at = now() - interval '1 second'")
        .execute(app.pool())
        .await
        .expect("sql");
    owner.get("/api/v1/auth/me").await.problem(401);
    for token in ["pics_x", "pic_12345678_x", "theirs", ""] {
        app.nobody().with_token(token).get("/api/v1/auth/me").await.problem(401);
    }
    app.nobody().get("/api/v1/auth/me").await.problem(401);
}

#[tokio::test]
async fn the_cookie_changes_something_only_from_a_page_of_this_machine() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let browser =
        app.nobody().with("cookie", &format!("picloud_session={}", owner.token().expect("a token")));
    let new = json!({"slug": "garden", "name": "Garden"});
    for origin in ["null", "http://evil.example", "http://127.0.0.1:1"] {
        browser.with("origin", origin).post("/api/v1/admin/apps", new.clone()).await.problem(403);
    }
    browser.post("/api/v1/admin/apps", new.clone()).await.problem(403);
    let own = format!("http://{}", app.address);
    assert_eq!(browser.with("origin", &own).post("/api/v1/admin/apps", new).await.status, 201);
}

#[tokio::test]
async fn the_administration_answers_only_under_the_machines_own_names() {
    let app = TestApp::start_with(&[("own_names", "cloud.example")]).await;
    app.owner().await;
    for foreign in ["evil.example", "garden.local", "x.testpi.local"] {
        let person = app.nobody().with("host", foreign);
        for path in ["/api/v1/setup", "/api/v1/admin/apps", "/admin", "/admin/login"] {
            let answer = person.get(path).await;
            assert!(answer.problem(421).contains("own_names"), "{answer:?}");
        }
        assert_eq!(person.get("/healthz").await.status, 200);
    }
    for own in ["testpi", "testpi.local:8080", "localhost", "10.1.2.3", "cloud.example"] {
        assert_eq!(app.nobody().with("host", own).get("/api/v1/setup").await.status, 200, "{own}");
    }
}

#[tokio::test]
async fn a_session_slides_with_use_and_ends_after_ninety_days() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let set = async |sql: &'static str| sqlx::query(sql).execute(app.pool()).await.expect("sql");
    let left = async || -> f64 {
        let days = "select extract(epoch from expires_at - now())::float8 / 86400 from sessions";
        sqlx::query_scalar(days).fetch_one(app.pool()).await.expect("sql")
    };
    set("update sessions set expires_at = now() + interval '1 day'").await;
    assert_eq!(owner.get("/api/v1/auth/me").await.status, 200);
    assert!(left().await < 1.1, "every write wears the card: not more than one in five minutes");
    set("update sessions set last_used_at = now() - interval '6 minutes'").await;
    assert_eq!(owner.get("/api/v1/auth/me").await.status, 200);
    assert!(left().await > 13.9, "it slides by fourteen days");
    set("update sessions set ends_at = expires_at + interval '1 second', last_used_at = now() - interval '1 hour'").await;
    assert_eq!(owner.get("/api/v1/auth/me").await.status, 200);
    assert!(left().await < 14.01, "never past its absolute end");
}

#[tokio::test]
async fn a_display_name_is_short_and_visible() {
    let app = TestApp::start().await;
    for name in ["a\u{0}b".to_owned(), String::new(), "x".repeat(129)] {
        let claim = json!({"username": "ada", "password": PASSWORD, "display_name": name});
        assert_eq!(app.nobody().post("/api/v1/setup", claim).await.fields(), ["display_name"]);
    }
}

#[tokio::test]
async fn a_call_refuses_every_query_parameter_it_does_not_know() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let garden = owner.app("garden").await;
    let script = owner.script("garden", "run", "1").await;
    let route = owner.route(&script, "/run").await;
    let row = crate::api_outbox::put(app.pool(), &garden).await;
    let domain =
        owner.post("/api/v1/admin/apps/garden/domains", json!({"pattern": "garden.local"})).await.id();
    let execution = owner.post(&format!("/api/v1/execute/{script}"), json!({})).await;
    let execution = execution.json["execution_id"].as_str().expect("an id").to_owned();
    let me = owner.get("/api/v1/auth/me").await.json["user"]["id"].as_str().expect("an id").to_owned();
    let document = app.nobody().get("/api/v1/openapi.json").await.json;
    for (template, item) in document["paths"].as_object().expect("paths") {
        if template.starts_with("/api/v1/execute") || template.starts_with("/api/v1/setup") {
            continue; // The first has parameters for its script; the second is not asked twice.
        }
        let ids = [("{app}", "garden"), ("{script}", &script), ("{route}", &route), ("{domain}", &domain)];
        let more = [("{version}", "1"), ("{n}", "1"), ("{execution}", execution.as_str()), ("{row}", &row)];
        let people = [("{user}", me.as_str()), ("{session}", &execution), ("{key}", &execution)];
        let ids = ids.into_iter().chain(more).chain(people);
        let path = ids.fold(template.clone(), |path, (name, id)| path.replace(name, id));
        assert!(!path.contains('{'), "{path}");
        for method in item.as_object().expect("methods").keys() {
            let method = method.to_uppercase();
            let answer = crate::support::http::Answer::of(
                owner.request(&method, &format!("{path}?zzz=1")).json(&json!({})),
            );
            assert_eq!(answer.await.fields(), ["zzz"], "{method} {path}");
        }
    }
}

#[tokio::test]
async fn two_session_cookies_are_refused() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let token = owner.token().expect("a token");
    let both = format!("picloud_session={token}; picloud_session={token}");
    app.nobody().with("cookie", &both).get("/api/v1/auth/me").await.problem(401);
}

#[tokio::test]
async fn one_without_a_role_finds_no_app_and_may_make_none() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let id = owner.app("garden").await;
    let script = owner.script("garden", "run", "1").await;
    let route = owner.route(&script, "/run").await;
    let stranger = app.stranger().await;
    for path in [
        "apps/garden".to_owned(),
        format!("apps/{id}"),
        "apps/nowhere".to_owned(),
        "apps/garden/scripts".to_owned(),
        "apps/garden/routes".to_owned(),
        "apps/garden/domains".to_owned(),
        "apps/garden/executions".to_owned(),
        format!("scripts/{script}"),
        format!("scripts/{script}/versions"),
        format!("routes/{route}"),
    ] {
        stranger.get(&format!("/api/v1/admin/{path}")).await.problem(404);
    }
    stranger.call("POST", &format!("/api/v1/execute/{script}")).await.problem(404);
    stranger.post("/api/v1/admin/apps", json!({"slug": "mine", "name": "Mine"})).await.problem(403);
    assert_eq!(stranger.get("/api/v1/admin/apps").await.json["items"], json!([]));
}

#[tokio::test]
async fn every_call_of_the_administration_needs_credentials() {
    let app = TestApp::start().await;
    let document = app.nobody().get("/api/v1/openapi.json").await.json;
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let is_admin = path.starts_with("/api/v1/admin") || path.starts_with("/api/v1/execute");
        for method in item.as_object().expect("methods").keys().filter(|_| is_admin) {
            let path = path.replace(['{', '}'], "");
            let answer = app.nobody().call(&method.to_uppercase(), &path).await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
            asked += 1;
        }
    }
    assert!(asked > 20, "only {asked} calls in the document");
}

#[tokio::test]
async fn the_order_of_checks_is_the_same_for_everyone() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let nobody = app.nobody();
    // Path and method before credentials.
    nobody.get("/api/v1/admin/nothing").await.problem(404);
    assert_eq!(nobody.call("PUT", "/api/v1/admin/apps").await.header("allow"), "GET,HEAD,POST");
    nobody.call("PUT", "/api/v1/admin/apps").await.problem(405);
    // Credentials before the resource and the body.
    nobody.post("/api/v1/admin/apps/nothing/scripts", json!([])).await.problem(401);
    // The resource before the body.
    owner.post("/api/v1/admin/apps/nothing/scripts", json!([])).await.problem(404);
    // Media type, size, syntax, fields.
    let apps = "/api/v1/admin/apps";
    owner.send(apps, "text/plain", "{").await.problem(415);
    owner.send(apps, "application/json", vec![b' '; 1024 * 1024 + 1]).await.problem(413);
    owner.send(apps, "application/json", "{").await.problem(400);
    owner.send(apps, "application/json", r#"{"slug": 1"#).await.problem(400);
    assert_eq!(owner.post(apps, json!(["a", "A"])).await.fields(), ["body"]);
    assert_eq!(owner.post(apps, json!({"slug": "a", "name": "A", "nmae": 1})).await.fields(), ["nmae"]);
    assert_eq!(owner.get("/api/v1/admin/apps?limmit=1").await.fields(), ["limmit"]);
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let app = TestApp::start().await;
    let named = app.nobody().with("x-request-id", "mine-1").get("/healthz").await;
    assert_eq!(named.header("x-request-id"), "mine-1");
    let not_named = app.nobody().get("/api/v1/nothing").await;
    assert_eq!(not_named.header("x-request-id").len(), 36);
    let head = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-request-id: a b\r\n\r\n";
    assert!(!raw(app.address, head.as_bytes()).await.contains("a b"));
}
