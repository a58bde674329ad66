//! From the claim to a script that answers, and what it leaves in the log.

use super::{Browser, assert_is_page, link, text};
use crate::support::{app::TestApp, http::Answer};

/// A script's form as its page sends it.
fn script<'a>(source: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("source", source),
        ("name", name),
        ("timeout_seconds", "30"),
        ("description", ""),
        ("enabled", "true"),
    ]
}

/// The id at the end of a script's address.
fn id_of(address: &str) -> &str {
    address.rsplit('/').next().expect("an id")
}

#[tokio::test]
async fn a_stranger_becomes_the_owner_of_a_script_that_answers() {
    let app = TestApp::start().await;
    let mut browser = Browser::of(&app);
    let lost = browser.get("/admin/apps/default/logs").await;
    assert_eq!((lost.status, lost.header("location")), (303, "/admin/claim"));
    let mut browser = Browser::of_owner(&app).await;
    assert!(text(&browser.page("/admin").await).contains("This machine is yours now"));

    let fields = [("name", "Garden"), ("slug", "garden"), ("description", "Water & light")];
    let (home, page) = browser.submit("/admin/apps", &fields).await;
    assert_eq!(home, "/admin/apps/garden");
    assert!(text(&page).contains("Water &amp; light"));
    assert!(page.contains(&format!("http://{}/~garden/", app.address)), "{page}");
    assert!(text(&page).contains("This app is empty."));

    let broken = "let a = 1;\nlet b = ;\n";
    let refused = browser.post("/admin/apps/garden/scripts", &script(broken, "hello")).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_is_page(&refused);
    let shown = text(&refused.text);
    assert!(shown.contains("Line 2, column 9:") && shown.contains("2 | let b = ; | ^"), "{shown}");
    assert!(refused.text.contains("value=\"hello\""), "what was typed is kept: {}", refused.text);

    let good = "log::info(\"called\", #{ by: ctx.request.method });\r\n#{ statusCode: 200, body: #{ hello: \"garden\" } }";
    let (address, _) = browser.submit("/admin/apps/garden/scripts", &script(good, "hello")).await;
    let route =
        [("script_id", id_of(&address)), ("method", "GET"), ("path", "/hello"), ("path_kind", "exact")];
    let route = [route.as_slice(), &[("host_kind", "any"), ("host", ""), ("host_param_name", "")]].concat();
    let (_, routes) = browser.submit("/admin/apps/garden/routes", &route).await;
    assert!(routes.contains(&format!("curl 'http://{}/~garden/hello'", app.address)), "{routes}");

    let answer = app.nobody().get("/~garden/hello").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, r#"{"hello":"garden"}"#), "{answer:?}");
    let log = browser.page("/admin/apps/garden/logs").await;
    assert!(text(&log).contains("GET /hello"), "{log}");
    let one = browser.page(&link(&log, "/admin/apps/garden/logs/")).await;
    let shown = text(&one);
    assert!(shown.contains("hello , version 1") && shown.contains("info called"), "{shown}");
}

#[tokio::test]
async fn saving_makes_versions_and_an_old_one_comes_back() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let scripts = "/admin/apps/default/scripts";
    let (address, _) = browser.submit(scripts, &script("1\r\n", "answer")).await;
    let (_, page) = browser.submit(&address, &script("1\n", "answer")).await;
    assert!(text(&page).contains("the source is as it was"), "a line break is one, however it was sent");
    let (_, page) = browser.submit(&address, &script("2\n", "answer")).await;
    assert!(text(&page).contains("Saved as a new version") && text(&page).contains("Version 2"));
    assert!(browser.page(&format!("{address}/versions/1")).await.contains("<pre class=\"source\">1\n</pre>"));
    let (_, page) = browser.submit(&format!("{address}/versions/1/restore"), &[]).await;
    assert!(text(&page).contains("Version 3"), "{page}");

    let refused = browser.post(&address, &[script("let", "").as_slice()].concat()).await;
    assert_eq!(refused.status, 422);
    let shown = text(&refused.text);
    assert!(shown.contains("Must have 1 to 128 characters"), "{shown}");
    let wrong = [("source", "1"), ("name", "answer"), ("timeout_seconds", "301")];
    let refused = browser.post(&address, &wrong).await;
    assert!(text(&refused.text).contains("Must be between 1 and 300 seconds."), "{refused:?}");
}

/// Runs a text on a script's page.
async fn run(browser: &mut Browser, address: &str, source: &str, request: &[(&str, &str)]) -> Answer {
    let fields = [script(source, "run").as_slice(), request].concat();
    let answer = browser.post(&format!("{address}/run"), &fields).await;
    assert_is_page(&answer);
    answer
}

#[tokio::test]
async fn a_run_shows_what_the_text_in_the_editor_does() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let (address, _) = browser.submit("/admin/apps/default/scripts", &script("1", "run")).await;

    let source = "log::warn(\"low\", #{ level: 3 }); #{ statusCode: 201, headers: #{ \"x-a\": \"b\" }, body: ctx.request.body }";
    let request = [
        ("run_method", "POST"),
        ("run_path", "/water?x=1"),
        ("run_headers", "X-Bed: 7\r\n"),
        ("run_body", "{\"litres\": 2}"),
    ];
    let answer = run(&mut browser, &address, source, &request).await;
    let shown = text(&answer.text);
    assert_eq!(answer.status, 200);
    for part in ["201", "x-a: b", "{&quot;litres&quot;:2}", "warn low", "operation", "ms"] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert!(answer.text.contains("X-Bed: 7"), "the request stays in the form");
    let log = browser.page(&link(&answer.text, "/admin/apps/default/logs/")).await;
    assert!(text(&log).contains("a text that was not saved"), "{log}");

    let answer = run(&mut browser, &address, "let a = 1;\nthrow \"no water\"", &request).await;
    let shown = text(&answer.text);
    assert!(
        shown.contains("502") && shown.contains("Line 2, column 1") && shown.contains("no water"),
        "{shown}"
    );

    let bad = [("run_method", "GET"), ("run_headers", "no colon")];
    let answer = run(&mut browser, &address, "1", &bad).await;
    assert_eq!(answer.status, 422);
    assert!(text(&answer.text).contains("is not of the form name: value"));
}

#[tokio::test]
async fn routes_are_switched_conflict_and_are_asked_for() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let (address, _) = browser.submit("/admin/apps/default/scripts", &script("\"hi\"", "hi")).await;
    let fields =
        [("script_id", id_of(&address)), ("path", "/beds/{bed}"), ("path_kind", "param"), ("method", "")];
    browser.submit("/admin/apps/default/routes", &fields).await;

    let again = browser.post("/admin/apps/default/routes", &fields).await;
    assert_eq!(again.status, 409);
    assert!(text(&again.text).contains("has the same host, path and method"), "{again:?}");
    assert!(again.text.contains("value=\"/beds/{bed}\""), "what was typed is kept");
    let elsewhere = [fields.as_slice(), &[("host_kind", "exact"), ("host", "elsewhere.example")]].concat();
    let refused = browser.post("/admin/apps/default/routes", &elsewhere).await;
    assert_eq!(refused.status, 422);
    assert!(text(&refused.text).contains("claim it first"), "{refused:?}");

    let ask = "/admin/apps/default/routes/test?host=localhost&method=GET&path=";
    let found = text(&browser.page(&format!("{ask}/beds/7")).await);
    assert!(
        found.contains("Answered by any /beds/{bed} , script hi") && found.contains("params.bed 7"),
        "{found}"
    );
    assert!(browser.page(&format!("{ask}/nothing")).await.contains("class=\"message plain\""));
    assert_eq!(browser.get(&format!("{ask}/a//b")).await.status, 422);

    let page = browser.page("/admin/apps/default/routes").await;
    let actions: Vec<&str> = page
        .split("action=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|action| action.ends_with("/disable"))
        .collect();
    // The first is /beds, the second /hello.
    let route = actions[0].trim_end_matches("/disable");
    assert_eq!(app.nobody().get("/beds/7").await.status, 200);
    browser.submit(&format!("{route}/disable"), &[]).await;
    assert_eq!(app.nobody().get("/beds/7").await.status, 404);
    browser.submit(&format!("{route}/enable"), &[]).await;
    assert_eq!(app.nobody().get("/beds/7").await.status, 200);

    let kept = browser.post(&format!("{address}/delete"), &[]).await;
    assert_eq!(kept.status, 409);
    assert!(text(&kept.text).contains("Routes lead to this script"), "{kept:?}");
    browser.submit(&format!("{route}/delete"), &[]).await;
    browser.submit(&format!("{address}/delete"), &[]).await;
    assert_eq!(browser.get(&address).await.status, 404);
}
