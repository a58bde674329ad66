//! One's own account, and signing in again.

use super::{Browser, action, assert_is_page, text};
use crate::support::app::{PASSWORD, TestApp};

const OTHER: &str = "another long password";

fn password<'a>(current: &'a str, new: &'a str, again: &'a str) -> [(&'a str, &'a str); 3] {
    [("current_password", current), ("password", new), ("again", again)]
}

#[tokio::test]
async fn one_sees_who_one_is() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    owner.app("garden").await;
    let grace = owner.user("grace", "member").await;
    owner.member("garden", &grace, "editor").await;
    let mut hers = Browser::of_user(&app, "grace", PASSWORD).await;
    let answer = hers.get("/admin/account").await;
    assert_is_page(&answer);
    let shown = text(&answer.text);
    assert!(shown.contains("User name grace Role member") && shown.contains("garden editor"), "{shown}");
    assert!(shown.contains("this one"), "{shown}");
}

#[tokio::test]
async fn one_changes_ones_password_with_the_present_one() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let mut elsewhere = Browser::of_user(&app, "ada", PASSWORD).await;
    let form = "/admin/account/password";
    for (fields, field) in [
        (password("not the password", OTHER, OTHER), "current_password"),
        (password(PASSWORD, "short", "short"), "password"),
        (password(PASSWORD, OTHER, PASSWORD), "again"),
    ] {
        let refused = browser.post(form, &fields).await;
        assert_eq!(refused.status, 422, "{field}");
        assert_is_page(&refused);
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{field}: {refused:?}");
        assert!(!refused.text.contains(OTHER) && !refused.text.contains(PASSWORD));
    }
    let (next, page) = browser.submit(form, &password(PASSWORD, OTHER, OTHER)).await;
    assert_eq!(next, "/admin/account");
    assert!(text(&page).contains("Your password was changed."), "{page}");
    assert_eq!(elsewhere.get("/admin").await.status, 303);
    Browser::of_user(&app, "ada", OTHER).await;
}

#[tokio::test]
async fn guessing_the_present_password_is_slowed_down() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let mut last = 422;
    for _ in 0..6 {
        let refused = browser.post("/admin/account/password", &password("a wrong one", OTHER, OTHER)).await;
        last = refused.status;
        if last == 429 {
            assert!(refused.header("retry-after").parse::<u64>().is_ok(), "{refused:?}");
            assert!(text(&refused.text).contains("try again in"), "{refused:?}");
        }
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_or_all() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let mut lost = Browser::of_user(&app, "ada", PASSWORD).await;
    let mut other = Browser::of_user(&app, "ada", PASSWORD).await;
    let page = browser.page("/admin/account").await;
    assert_eq!(page.matches("/end\"").count(), 3, "two others, and all: {page}");
    browser.submit(&action(&page, "/admin/account/sessions/"), &[]).await;
    assert_eq!((lost.get("/admin").await.status, other.get("/admin").await.status), (200, 303));
    let (next, page) = browser.submit("/admin/account/sessions/end", &[]).await;
    assert_eq!(next, "/admin/login");
    assert!(text(&page).contains("You are signed out everywhere.") && !browser.is_signed_in());
    assert_eq!(lost.get("/admin").await.status, 303);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else_there() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    let grace = owner.add_user("grace").await;
    let mut hers = Browser::of_user(&app, "grace", PASSWORD).await;
    let id = action(&owner.page(&grace).await, &format!("{grace}/sessions/"));
    let id = id.rsplit('/').nth(1).expect("an id").to_owned();
    let refused = owner.post(&format!("/admin/account/sessions/{id}/end"), &[]).await;
    assert_eq!(refused.status, 404, "{refused:?}");
    assert_eq!(hers.get("/admin").await.status, 200);
}

#[tokio::test]
async fn who_has_to_sign_in_again_for_the_clock_is_told_so() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let later = "update sessions set created_at = now() + interval '6 minutes'";
    sqlx::query(later).execute(app.pool()).await.expect("sql");
    let sent = browser.get("/admin/keys").await;
    assert_eq!(
        (sent.status, sent.header("location")),
        (303, "/admin/login?next=%2Fadmin%2Fkeys&reason=clock")
    );
    let page = browser.get(sent.header("location")).await;
    assert_is_page(&page);
    assert!(text(&page.text).contains("The machine's clock was wrong when you signed in"), "{page:?}");
    let usual = browser.page("/admin/login?next=%2Fadmin&reason=other").await;
    assert!(!usual.contains("role=\"alert\""), "{usual}");
}
