//! The pages about users.

use super::{Browser, action, assert_is_page, link, text};
use crate::support::app::{PASSWORD, TestApp};

const OTHER: &str = "another long password";

/// The form for a new user.
fn person<'a>(name: &'a str, role: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("username", name),
        ("display_name", ""),
        ("email", ""),
        ("instance_role", role),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ]
}

/// The owner's browser, with a user besides; the address of the user's page.
async fn with_user(app: &TestApp, name: &str, role: &str) -> (Browser, String) {
    let mut owner = Browser::of_owner(app).await;
    let (page, _) = owner.submit("/admin/users", &person(name, role)).await;
    (owner, page)
}

#[tokio::test]
async fn the_pages_are_there_for_those_who_run_the_instance() {
    let app = TestApp::start().await;
    let (mut owner, grace) = with_user(&app, "grace", "admin").await;
    owner.submit("/admin/users", &person("mel", "member")).await;
    for (name, status) in [("ada", 200), ("grace", 200), ("mel", 403)] {
        let mut browser = Browser::of_user(&app, name, PASSWORD).await;
        for path in ["/admin/users", &grace, "/admin/audit"] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, status, "{path} for {name}: {answer:?}");
            assert_is_page(&answer);
        }
        let home = browser.page("/admin").await;
        for entry in ["/admin/users", "/admin/audit"] {
            let shown = home.contains(&format!("<a href=\"{entry}\""));
            assert_eq!(shown, status == 200, "{entry} for {name}: {home}");
        }
        for entry in ["/admin/keys", "/admin/account"] {
            assert!(home.contains(&format!("href=\"{entry}\"")), "{entry} for {name}: {home}");
            assert_is_page(&browser.get(entry).await);
        }
    }
    let mut mel = Browser::of_user(&app, "mel", PASSWORD).await;
    for form in ["", "/password", "/sessions/end", "/delete"] {
        let fields =
            [("confirm", "grace"), ("password", OTHER), ("again", OTHER), ("instance_role", "member")];
        assert_eq!(mel.post(&format!("{grace}{form}"), &fields).await.status, 403, "{form}");
    }
    assert_eq!(mel.post("/admin/users", &person("eve", "owner")).await.status, 403);
    Browser::of_user(&app, "grace", PASSWORD).await;
}

#[tokio::test]
async fn a_user_is_added_and_what_is_wrong_stands_at_its_field() {
    let app = TestApp::start().await;
    let (mut owner, grace) = with_user(&app, "grace", "member").await;
    let page = owner.page("/admin/users").await;
    assert_eq!(link(&page, "/admin/users/"), link(&page, "/admin/users/"));
    assert!(page.contains(&grace) && text(&page).contains("grace member active never"), "{}", text(&page));
    let taken = owner.post("/admin/users", &person("grace", "member")).await;
    assert_eq!(taken.status, 409);
    assert!(text(&taken.text).contains("The user name grace is taken."), "{taken:?}");
    let mut wrong = person("gr ace", "king");
    (wrong[2].1, wrong[5].1) = ("nowhere", "something else");
    let refused = owner.post("/admin/users", &wrong).await;
    assert_eq!(refused.status, 422);
    assert_is_page(&refused);
    for field in ["username", "email", "instance_role", "again"] {
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{field}: {refused:?}");
    }
    assert!(refused.text.contains("value=\"gr ace\"") && !refused.text.contains(PASSWORD));
    let mut weak = person("mel", "member");
    (weak[4].1, weak[5].1) = ("short", "short");
    let refused = owner.post("/admin/users", &weak).await;
    assert!(refused.text.contains("id=\"password-error\""), "{refused:?}");
    assert_eq!(owner.get("/admin/users/0198c0de-0000-7000-8000-000000000000").await.status, 404);
}

#[tokio::test]
async fn a_user_is_changed_and_signed_out_by_that() {
    let app = TestApp::start().await;
    let (mut owner, grace) = with_user(&app, "grace", "member").await;
    let mut hers = Browser::of_user(&app, "grace", PASSWORD).await;
    let fields = |role, active| {
        let base =
            vec![("display_name", "Grace H."), ("email", "grace@example.org"), ("instance_role", role)];
        if active { [base, vec![("active", "true")]].concat() } else { base }
    };
    let (next, page) = owner.submit(&grace, &fields("member", true)).await;
    assert_eq!(next, grace);
    let shown = text(&page);
    assert!(shown.contains("The user was changed.") && page.contains("value=\"Grace H.\""), "{shown}");
    assert_eq!(hers.get("/admin").await.status, 200, "a name ends no session");
    owner.submit(&grace, &fields("admin", true)).await;
    assert_eq!(hers.get("/admin").await.status, 303);
    let (_, page) = owner.submit(&grace, &fields("admin", false)).await;
    assert!(text(&page).contains("deactivated"), "{page}");
    let mut out = Browser::of(&app);
    let refused = out.post("/admin/login", &[("username", "grace"), ("password", PASSWORD)]).await;
    assert_eq!(refused.status, 401);
    let wrong =
        owner.post(&grace, &[("instance_role", "member"), ("email", "nowhere"), ("display_name", "")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("id=\"email-error\""), "{wrong:?}");
}

#[tokio::test]
async fn the_last_owner_stays_and_only_owners_touch_owners() {
    let app = TestApp::start().await;
    let (mut owner, _) = with_user(&app, "grace", "admin").await;
    let list = owner.page("/admin/users").await;
    let ada = link(&list, "/admin/users/");
    assert!(text(&owner.page(&ada).await).contains("your account"));
    let demoted = owner.post(&ada, &[("instance_role", "member"), ("active", "true")]).await;
    assert_eq!(demoted.status, 409);
    assert!(text(&demoted.text).contains("last active owner"), "{demoted:?}");
    let gone = owner.post(&format!("{ada}/delete"), &[("confirm", "ada")]).await;
    assert_eq!(gone.status, 409);
    let mut grace = Browser::of_user(&app, "grace", PASSWORD).await;
    let page = grace.page(&ada).await;
    assert!(text(&page).contains("Only an owner changes owners."), "{page}");
    assert_eq!(page.matches("method=\"post\"").count(), 1, "only to sign out: {page}");
    let form = grace.page("/admin/users").await;
    assert!(!form.contains("value=\"owner\""), "{form}");
    for (path, fields) in [
        (ada.clone(), [("instance_role", "member"), ("active", "true")]),
        (format!("{ada}/password"), [("password", OTHER), ("again", OTHER)]),
        (format!("{ada}/delete"), [("confirm", "ada"), ("", "")]),
        (format!("{ada}/sessions/end"), [("", ""), ("", "")]),
    ] {
        assert_eq!(grace.post(&path, &fields).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn a_password_is_reset_and_sessions_are_ended() {
    let app = TestApp::start().await;
    let (mut owner, grace) = with_user(&app, "grace", "member").await;
    let mut hers = Browser::of_user(&app, "grace", PASSWORD).await;
    let differ = owner.post(&format!("{grace}/password"), &[("password", OTHER), ("again", PASSWORD)]).await;
    assert_eq!(differ.status, 422);
    assert!(differ.text.contains("id=\"again-error\""), "{differ:?}");
    owner.submit(&format!("{grace}/password"), &[("password", OTHER), ("again", OTHER)]).await;
    assert_eq!(hers.get("/admin").await.status, 303);
    let mut one = Browser::of_user(&app, "grace", OTHER).await;
    let mut two = Browser::of_user(&app, "grace", OTHER).await;
    let page = owner.page(&grace).await;
    // The newest is the first; the button that ends them all stands below the table.
    owner.submit(&action(&page, &format!("{grace}/sessions/")), &[]).await;
    assert_eq!((one.get("/admin").await.status, two.get("/admin").await.status), (200, 303));
    let (_, page) = owner.submit(&format!("{grace}/sessions/end"), &[]).await;
    assert!(text(&page).contains("Nowhere."), "{page}");
    assert_eq!(one.get("/admin").await.status, 303);
}

#[tokio::test]
async fn a_user_is_deleted_by_who_types_the_name() {
    let app = TestApp::start().await;
    let (mut owner, grace) = with_user(&app, "grace", "member").await;
    Browser::of_user(&app, "grace", PASSWORD).await;
    let page = text(&owner.page(&grace).await);
    assert!(page.contains("1 session, 0 API keys and 0 memberships"), "{page}");
    let kept = owner.post(&format!("{grace}/delete"), &[("confirm", "Grace")]).await;
    assert_eq!(kept.status, 422);
    assert!(kept.text.contains("id=\"confirm-error\""), "{kept:?}");
    let (next, page) = owner.submit(&format!("{grace}/delete"), &[("confirm", "grace")]).await;
    assert_eq!(next, "/admin/users");
    assert!(text(&page).contains("The user was deleted.") && !page.contains(&grace));
    assert_eq!(owner.get(&grace).await.status, 404);
}
