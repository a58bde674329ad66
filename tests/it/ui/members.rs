//! Members of an app and who may call it, in the app's settings.

use super::{Browser, action, assert_is_page, text};
use crate::support::app::{PASSWORD, TestApp};

const SETTINGS: &str = "/admin/apps/garden/settings";
const MEMBERS: &str = "/admin/apps/garden/members";

/// An owner with an app, and somebody without a role in it.
async fn garden(app: &TestApp) -> (Browser, Browser) {
    let mut owner = Browser::of_owner(app).await;
    owner.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    owner.add_user("grace").await;
    let grace = Browser::of_user(app, "grace", PASSWORD).await;
    (owner, grace)
}

#[tokio::test]
async fn a_member_is_added_changed_and_removed() {
    let app = TestApp::start().await;
    let (mut owner, mut grace) = garden(&app).await;
    assert_eq!(grace.get("/admin/apps/garden").await.status, 404);
    let (next, page) = owner.submit(MEMBERS, &[("username", "Grace"), ("role", "viewer")]).await;
    assert_eq!(next, SETTINGS);
    assert!(text(&page).contains("The role was given."), "{page}");
    assert_eq!(grace.get("/admin/apps/garden").await.status, 200);
    assert_eq!(grace.get(SETTINGS).await.status, 403);
    assert_eq!(grace.post(MEMBERS, &[("username", "grace"), ("role", "app_admin")]).await.status, 403);
    let hers = action(&page, &format!("{MEMBERS}/"));
    let (_, page) = owner.submit(&hers, &[("role", "app_admin")]).await;
    assert!(page.contains("value=\"app_admin\" selected"), "{page}");
    assert_is_page(&grace.get(SETTINGS).await);
    let wrong = owner.post(&hers, &[("role", "king")]).await;
    assert_eq!(wrong.status, 422, "{wrong:?}");
    // An administrator of the app who leaves it does not see its settings any more.
    let (next, _) = grace.submit(&format!("{hers}/remove"), &[]).await;
    assert_eq!(next, "/admin");
    assert_eq!(grace.get("/admin/apps/garden").await.status, 404);
    assert_eq!(owner.post(&format!("{hers}/remove"), &[]).await.status, 404);
}

#[tokio::test]
async fn who_cannot_be_a_member_is_said_at_the_field() {
    let app = TestApp::start().await;
    let (mut owner, _) = garden(&app).await;
    for (name, why) in [("nobody", "Is the name of no user here."), ("no body", "Must be 1 to 63 letters")] {
        let refused = owner.post(MEMBERS, &[("username", name), ("role", "viewer")]).await;
        assert_eq!(refused.status, 422, "{name}");
        assert_is_page(&refused);
        assert!(
            refused.text.contains("id=\"username-error\"") && text(&refused.text).contains(why),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn an_app_says_which_sites_may_call_it() {
    let app = TestApp::start().await;
    let (mut owner, _) = garden(&app).await;
    let form = "/admin/apps/garden/cors";
    let fields = |origins, credentials| {
        let base = vec![
            ("cors.origins", origins),
            ("cors.methods", "get, POST"),
            ("cors.headers", ""),
            ("cors.max_age", "60"),
        ];
        if credentials { [base, vec![("cors.credentials", "true")]].concat() } else { base }
    };
    let sites = "https://Shop.example\nhttp://pi.local:8080";
    let (next, page) = owner.submit(form, &fields(sites, true)).await;
    assert_eq!(next, SETTINGS);
    assert!(page.contains("https://shop.example\nhttp://pi.local:8080</textarea>"), "{page}");
    assert!(page.contains("value=\"GET, POST\"") && page.contains("value=\"60\""), "{page}");
    let wrong = owner.post(form, &fields("shop.example", false)).await;
    assert_eq!(wrong.status, 422);
    assert_is_page(&wrong);
    assert!(
        wrong.text.contains("id=\"cors.origins-error\"") && wrong.text.contains("\nshop.example</textarea>")
    );
    let any = owner.post(form, &fields("*", true)).await;
    assert!(text(&any.text).contains("with `*` any page could act as its visitor"), "{any:?}");
    // Saving the names leaves it as it is; empty, it is gone.
    let names = [("name", "Garden"), ("slug", "garden"), ("description", "")];
    let (_, page) = owner.submit(SETTINGS, &names).await;
    assert!(page.contains("https://shop.example\n"), "{page}");
    let (_, page) = owner.submit(form, &fields("", false)).await;
    assert!(!page.contains("shop.example\n") && !page.contains("value=\"60\""), "{page}");
}

#[tokio::test]
async fn the_settings_say_where_whole_web_apps_live() {
    let app = TestApp::start().await;
    let (mut owner, _) = garden(&app).await;
    let page = text(&owner.page(SETTINGS).await);
    assert!(page.contains("cookies and localStorage") && page.contains("sandboxed"), "{page}");
}
