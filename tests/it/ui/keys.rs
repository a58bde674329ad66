//! One's own API keys.

use super::{Browser, action, assert_is_page, text};
use crate::support::app::{PASSWORD, TestApp};

/// The key a page shows.
fn shown(page: &str) -> String {
    let start = page.find("value=\"pic_").unwrap_or_else(|| panic!("no key in {page}")) + 7;
    page[start..].split('"').next().expect("its end").to_owned()
}

fn form<'a>(app: &'a str, until: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("name", "nightly"), ("scopes", ""), ("script:read", "true"), ("app", app), ("expires_at", until)]
}

#[tokio::test]
async fn a_key_is_shown_once_and_works() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    let made = browser.post("/admin/keys", &form("garden", "2099-12-31")).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_is_page(&made);
    let key = shown(&made.text);
    let program = app.nobody().with_token(&key);
    assert_eq!(program.get("/api/v1/admin/apps/garden").await.status, 200);
    assert_eq!(program.get("/api/v1/admin/apps/default").await.status, 404);
    let page = browser.page("/admin/keys").await;
    assert!(!page.contains(&key), "it is shown once");
    let list = text(&page);
    assert!(list.contains("nightly pic_") && list.contains("script:read Garden"), "{list}");
    assert!(list.contains("2099-12-31"), "{list}");
    assert_eq!(program.get("/admin/keys").await.status, 403, "a key lists no keys");
    let (_, page) = browser.submit(&action(&page, "/admin/keys/"), &[]).await;
    assert!(text(&page).contains("The key was deleted."), "{page}");
    assert_eq!(program.get("/api/v1/admin/apps/garden").await.status, 401);
}

#[tokio::test]
async fn what_is_wrong_with_a_key_stands_at_its_field() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let none = [("name", " "), ("scopes", ""), ("app", ""), ("expires_at", "soon")];
    let refused = browser.post("/admin/keys", &none).await;
    assert_eq!(refused.status, 422);
    assert_is_page(&refused);
    for field in ["name", "scopes", "expires_at"] {
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{field}: {refused:?}");
    }
    assert!(!refused.text.contains("role=\"alert\""), "each once: {refused:?}");
    for (app, until, field) in [("", "2001-01-01", "expires_at"), ("nothing", "", "app")] {
        let refused = browser.post("/admin/keys", &form(app, until)).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{field}: {refused:?}");
        assert!(refused.text.contains("name=\"script:read\" value=\"true\" checked"), "{refused:?}");
    }
}

#[tokio::test]
async fn keys_are_ones_own() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    owner.add_user("grace").await;
    owner.post("/admin/keys", &form("", "")).await;
    let page = owner.page("/admin/keys").await;
    let mut grace = Browser::of_user(&app, "grace", PASSWORD).await;
    let hers = grace.page("/admin/keys").await;
    assert!(!hers.contains("nightly") && !hers.contains("default alone"), "{hers}");
    assert_eq!(grace.post(&action(&page, "/admin/keys/"), &[]).await.status, 404);
    assert_eq!(grace.post("/admin/keys", &form("default", "")).await.status, 422);
    assert!(owner.page("/admin/keys").await.contains("nightly"));
}
