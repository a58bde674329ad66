//! Borders between origins as a browser draws them, with an administrator signed in.

use serde_json::{Value, json};

use crate::support::{
    app::{PASSWORD, TestApp},
    browser::Chromium,
    http::Person,
};

/// What a script's page tries, one attempt after another; `results` says what came of each.
const ATTACK: &str = include_str!("browser/attack.html");
/// What a web app does where it is at home.
const HOME: &str = include_str!("browser/home.html");

/// Makes an app whose script answers this page under `/page`, and itself under `/data`.
async fn app_with_page(owner: &Person, slug: &str, page: &str) {
    owner.app(slug).await;
    let html = r#"#{ headers: #{ "content-type": "text/html; charset=utf-8" }, body: "#;
    let source = format!("{html}{} }}", serde_json::to_string(page).expect("text"));
    let script = owner.script(slug, "page", &source).await;
    owner.route(&script, "/page").await;
    let script = owner.script(slug, "data", "#{ method: ctx.request.method }").await;
    owner.route(&script, "/data").await;
}

/// Signs in as a person does.
async fn sign_in(browser: &Chromium, base: &str) {
    browser.go(&format!("{base}/admin/login")).await;
    let fill = |name: &str, text: &str| format!("document.querySelector('[name={name}]').value = '{text}';");
    browser.run(&format!("{}{}", fill("username", "ada"), fill("password", PASSWORD))).await;
    browser.click("form.card button").await;
    browser.wait_for("return location.pathname === '/admin' ? true : null").await;
}

/// The slugs of all apps, as the browser's administrator sees them.
async fn slugs(browser: &Chromium, base: &str) -> Value {
    browser.go(&format!("{base}/admin")).await;
    let ask = "window.seen ??= fetch('/api/v1/admin/apps').then(r => r.json()).then(a => window.slugs = a.items.map(i => i.slug).sort()); return window.slugs ?? null";
    browser.wait_for(ask).await
}

#[tokio::test]
async fn a_scripts_page_cannot_act_as_the_administrator_who_opens_it() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    app_with_page(&owner, "evil", ATTACK).await;
    let browser = Chromium::start(&["testpi.local"]).await;
    let base = format!("http://testpi.local:{}", app.address.port());
    sign_in(&browser, &base).await;
    assert_eq!(slugs(&browser, &base).await, json!(["default", "evil"]), "the session works");
    let control = "fetch('/api/v1/admin/apps', {method: 'POST', headers: {'content-type': 'application/json'}, body: '{\"slug\": \"mine\", \"name\": \"Mine\"}'}).then(r => window.made = r.status); return null";
    browser.run(control).await;
    assert_eq!(browser.wait_for("return window.made ?? null").await, 201, "a page of ours can");

    browser.go(&format!("{base}/~evil/page")).await;
    browser.click("#attack").await;
    let results = browser.wait_for("return window.done ? window.results : null").await;
    let blocked = [
        "cookie",
        "storage",
        "session_storage",
        "indexed_db",
        "service_worker",
        "fetch_get",
        "fetch_post",
        "fetch_bearerless_simple",
        "xhr",
        "event_source",
        "iframe_read",
        "popup_read",
        "popup_script",
        "top",
    ];
    for attempt in blocked {
        let came = results[attempt].as_str().unwrap_or_else(|| panic!("{attempt} was not tried: {results}"));
        assert!(came.starts_with("blocked"), "{attempt}: {results}");
    }
    assert_eq!(results["origin"], "null");
    assert_eq!(results["own_app"], "200 GET", "it may call its own app: {results}");
    assert_eq!(results["own_app_preflight"], "200 PUT", "{results}");
    assert_eq!(
        slugs(&browser, &base).await,
        json!(["default", "evil", "mine"]),
        "still signed in, nothing done"
    );

    for form in ["#form-app", "#form-text", "#form-logout", "#form-delete"] {
        browser.go(&format!("{base}/~evil/page")).await;
        browser.click(form).await;
        let said = browser
            .wait_for("return location.pathname.startsWith('/~evil') ? null : document.body.innerText")
            .await;
        let said = said.as_str().expect("text");
        // To the browser the page is another site: it does not even send the cookie (401).
        assert!(said.contains("401") || said.contains("403"), "{form}: {said}");
    }
    browser.go(&format!("{base}/~evil/page")).await;
    browser.run("location.href = '/admin/apps/default/settings'; return null").await;
    let there = "return location.pathname === '/admin/apps/default/settings' && window.results === undefined ? true : null";
    browser.wait_for(there).await;
    assert_eq!(slugs(&browser, &base).await, json!(["default", "evil", "mine"]));
}

#[tokio::test]
async fn under_its_own_domain_an_app_has_cookies_and_storage_and_no_way_to_the_administration() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    app_with_page(&owner, "garden", HOME).await;
    let claim = json!({"pattern": "garden.local"});
    assert_eq!(owner.post("/api/v1/admin/apps/garden/domains", claim).await.status, 201);
    let browser = Chromium::start(&["testpi.local", "garden.local"]).await;
    let port = app.address.port();
    let base = format!("http://testpi.local:{port}");
    sign_in(&browser, &base).await;
    browser.go(&format!("http://garden.local:{port}/page#{base}")).await;
    let results = browser.wait_for("return window.done ? window.results : null").await;
    let expected = json!({
        "origin": format!("http://garden.local:{port}"),
        "cookie": "taste=sweet",
        "storage": "kept",
        "own_app": "200 GET",
        "administration_here": "421",
        "administration_there": "blocked TypeError",
        "framed": "blocked",
    });
    assert_eq!(results, expected);
    browser.click("#form-app").await;
    let said =
        browser.wait_for("return location.host.startsWith('testpi') ? document.body.innerText : null").await;
    assert!(said.as_str().expect("text").contains("401"), "{said}");
    assert_eq!(slugs(&browser, &base).await, json!(["default", "garden"]));
}
