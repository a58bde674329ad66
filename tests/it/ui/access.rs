//! Who gets in, and that a form must come from a page of ours.

use super::{Browser, assert_is_page, text};
use crate::support::{
    app::{PASSWORD, TestApp},
    http::{Answer, Person},
};

#[tokio::test]
async fn every_page_sends_a_stranger_to_sign_in_and_then_on() {
    let app = TestApp::start().await;
    Browser::of_owner(&app).await;
    let mut stranger = Browser::of(&app);
    for page in picloud::ui::PAGES.iter().filter(|page| !matches!(page.path, "/admin/claim" | "/admin/login"))
    {
        let path = page.path.replace("{app}", "default");
        let answer = stranger.get(&path).await;
        // What only forms are sent to cannot be opened.
        assert!(matches!(answer.status, 303 | 405), "{path}: {answer:?}");
        assert!(answer.status == 405 || answer.header("location").starts_with("/admin/login?next=%2Fadmin"));
    }
    let sent = stranger.get("/admin/apps/default/logs?status=failed").await;
    let page = stranger.get(sent.header("location")).await;
    assert_is_page(&page);
    assert!(page.text.contains("value=\"/admin/apps/default/logs?status=failed\""), "{page:?}");
    let fields =
        [("username", "ada"), ("password", PASSWORD), ("next", "/admin/apps/default/logs?status=failed")];
    let (next, _) = stranger.submit("/admin/login", &fields).await;
    assert_eq!(next, "/admin/apps/default/logs?status=failed");
}

#[tokio::test]
async fn signing_in_leads_to_no_other_site() {
    let app = TestApp::start().await;
    Browser::of_owner(&app).await;
    for next in
        ["//evil.example/", "https://evil.example/admin", "/~default/hello", "/admin/\\evil", "/adminx"]
    {
        let mut browser = Browser::of(&app);
        let page = browser.get(&format!("/admin/login?next={}", next.replace('\\', "%5C"))).await;
        assert!(page.text.contains("name=\"next\" value=\"/admin\""), "{next}: {page:?}");
        let answer = browser
            .post("/admin/login", &[("username", "ada"), ("password", PASSWORD), ("next", next)])
            .await;
        assert_eq!((answer.status, answer.header("location")), (303, "/admin"), "{next}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_plainly_and_not_sent_back() {
    let app = TestApp::start().await;
    Browser::of_owner(&app).await;
    let mut browser = Browser::of(&app);
    let fields = [("username", "ada"), ("password", "not the password"), ("next", "/admin")];
    let answer = browser.post("/admin/login", &fields).await;
    assert_eq!(answer.status, 401);
    assert_is_page(&answer);
    assert!(text(&answer.text).contains("The user name or the password is wrong."), "{answer:?}");
    assert!(answer.text.contains("value=\"ada\"") && !answer.text.contains("not the password"));
    assert!(!browser.is_signed_in());
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let (next, page) = browser.submit("/admin/logout", &[]).await;
    assert_eq!(next, "/admin/login");
    assert!(text(&page).contains("You are signed out."));
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/admin").await.status, 303);
    assert!(!text(&browser.page("/admin/login").await).contains("You are signed out."), "it is said once");
}

#[tokio::test]
async fn the_claim_tells_what_is_wrong_with_it_and_happens_once() {
    let app = TestApp::start().await;
    let mut browser = Browser::of(&app);
    assert_eq!(browser.get("/admin/login").await.header("location"), "/admin/claim");
    let page = browser.get("/admin/claim").await;
    assert_is_page(&page);
    assert!(text(&page.text).contains("min ."), "how long it can be claimed: {}", text(&page.text));
    let weak = [("username", "a b"), ("password", PASSWORD), ("again", "something else")];
    let refused = browser.post("/admin/claim", &weak).await;
    assert_eq!(refused.status, 422);
    let shown = text(&refused.text);
    assert!(
        shown.contains("Must be 1 to 63 letters") && shown.contains("Is not the same as above."),
        "{shown}"
    );
    let short = [("username", "ada"), ("password", "short"), ("again", "short")];
    let refused = browser.post("/admin/claim", &short).await;
    assert!(refused.text.contains("id=\"password-error\""), "{refused:?}");
    Browser::of_owner(&app).await;
    assert_eq!(browser.get("/admin/claim").await.header("location"), "/admin/login");
    let late = [("username", "eve"), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(browser.post("/admin/claim", &late).await.header("location"), "/admin/login");
    assert!(!browser.is_signed_in());
}

/// Sends a form with the owner's session from a page of `origin`.
async fn ride(session: &str, app: &TestApp, path: &str, origin: Option<&str>) -> Answer {
    let mut request = Person::new(app.address)
        .request("POST", path)
        .header("cookie", format!("picloud_session={session}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("name=Evil&slug=evil");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    Answer::of(request).await
}

#[tokio::test]
async fn a_form_of_another_origin_gets_nowhere() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let session = owner.token().expect("a token");
    for origin in [None, Some("null"), Some("http://evil.example"), Some("http://127.0.0.1:1")] {
        for path in ["/admin/apps", "/admin/logout", "/admin/apps/default/delete"] {
            let answer = ride(session, &app, path, origin).await;
            assert_eq!(answer.status, 403, "{path} from {origin:?}: {answer:?}");
            assert_is_page(&answer);
        }
    }
    assert_eq!(owner.get("/api/v1/admin/apps/evil").await.status, 404);
    let mut own = Browser::of(&app);
    own.cookies.insert("picloud_session".to_owned(), session.to_owned());
    own.submit("/admin/apps", &[("name", "Good"), ("slug", "good")]).await;
}

#[tokio::test]
async fn nobody_is_signed_in_by_a_strangers_page() {
    let app = TestApp::start().await;
    Browser::of_owner(&app).await;
    let request = Person::new(app.address)
        .request("POST", "/admin/login")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", "http://evil.example")
        .body(format!("username=ada&password={}", PASSWORD.replace(' ', "+")));
    let answer = Answer::of(request).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (403, ""));
}

#[tokio::test]
async fn one_without_a_role_finds_no_app() {
    let app = TestApp::start().await;
    Browser::of_owner(&app).await;
    let stranger = app.stranger().await;
    let mut browser = Browser::of(&app);
    browser.cookies.insert("picloud_session".to_owned(), stranger.token().expect("a token").to_owned());
    let home = browser.page("/admin").await;
    assert!(!home.contains("/admin/apps/default") && !home.contains("Create app"), "{home}");
    for path in ["/admin/apps/default", "/admin/apps/default/scripts", "/admin/apps/nothing"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_is_page(&answer);
    }
    assert_eq!(browser.post("/admin/apps", &[("name", "X"), ("slug", "x")]).await.status, 403);
}

#[tokio::test]
async fn a_form_that_was_not_drawn_for_its_sender_gets_nowhere() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.page("/admin").await;
    let right = std::mem::take(&mut browser.token);
    let fields = [("name", "Garden"), ("slug", "garden")];
    for wrong in ["-", &right[1..], &right.to_uppercase()] {
        browser.token = wrong.to_owned();
        let refused = browser.post("/admin/apps", &fields).await;
        assert_eq!(refused.status, 403, "{wrong}: {refused:?}");
        assert!(text(&refused.text).contains("load its page again"), "{refused:?}");
        browser.token = wrong.to_owned();
        assert_eq!(browser.post("/admin/logout", &[]).await.status, 403);
    }
    browser.token = right;
    let fresh = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(browser.post("/admin/login", &fresh).await.status, 303);
    let made = browser.post("/admin/apps", &fields).await;
    assert_eq!(made.status, 303, "a form outlives the sign-in it was drawn under: {made:?}");
}
