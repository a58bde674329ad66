//! The audit log as a page.

use super::{Browser, assert_is_page, text};
use crate::support::app::{PASSWORD, TestApp};

#[tokio::test]
async fn who_changed_what_is_shown_and_filtered() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    owner.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    owner.submit("/admin/apps", &[("name", "Shed"), ("slug", "shed")]).await;
    let answer = owner.get("/admin/audit").await;
    assert_is_page(&answer);
    let all = text(&answer.text);
    assert!(all.contains("An app was made.") && all.contains("The machine got its first owner."), "{all}");
    assert!(all.find("slug shed") < all.find("slug garden"), "newest first: {all}");
    for (query, there, absent) in [
        ("action=instance", "instance.claim", "slug garden"),
        ("action=app.create", "slug garden", "first owner."),
        ("app=garden", "slug garden", "slug shed"),
        ("actor=ada&app=&action=", "slug shed", "Nothing matches"),
        ("actor=console", "Nothing matches.", "slug shed"),
    ] {
        let page = text(&owner.page(&format!("/admin/audit?{query}")).await);
        assert!(page.contains(there) && !page.contains(absent), "{query}: {page}");
    }
    owner.submit("/admin/apps/shed/delete", &[("confirm", "shed")]).await;
    let page = owner.page("/admin/audit?action=app.delete").await;
    let gone = super::link(&page, "/admin/audit?app=0");
    let page = text(&owner.page(&gone).await);
    assert!(page.contains("An app was deleted.") && page.contains("An app was made."), "{page}");
}

#[tokio::test]
async fn a_wrong_filter_is_said_at_its_field() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    for (query, field) in [("action=app.eat", "action"), ("app=nothing", "app"), ("actor=%00", "actor")] {
        let refused = owner.get(&format!("/admin/audit?{query}")).await;
        assert_eq!(refused.status, 422, "{query}");
        assert_is_page(&refused);
        assert!(refused.text.contains(&format!("id=\"{field}-error\"")), "{field}: {refused:?}");
    }
    assert_eq!(owner.get("/admin/audit?cursor=x").await.status, 422);
}

#[tokio::test]
async fn the_log_goes_on_over_pages() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    for _ in 0..50 {
        owner
            .submit(
                "/admin/apps/default/settings",
                &[("name", "Home"), ("slug", "default"), ("description", "")],
            )
            .await;
    }
    let first = owner.page("/admin/audit?actor=ada").await;
    let next = first.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.expect("a next page").replace("&amp;", "&");
    assert!(next.starts_with("/admin/audit?actor=ada&cursor="), "{next}");
    let second = text(&owner.page(&next).await);
    assert!(second.contains("The machine got its first owner.") && !second.contains("Next page"), "{second}");
}

#[tokio::test]
async fn hostile_names_stay_text_there() {
    let app = TestApp::start().await;
    let mut owner = Browser::of_owner(&app).await;
    let hostile = "<script>alert(1)</script>";
    let fields = [
        ("username", "eve"),
        ("display_name", hostile),
        ("email", "<script>@x"),
        ("instance_role", "member"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let (eve, _) = owner.submit("/admin/users", &fields).await;
    owner.submit("/admin/apps", &[("name", hostile), ("slug", "evil")]).await;
    let key =
        [("name", hostile), ("script:read", "true"), ("app", "evil"), ("scopes", ""), ("expires_at", "")];
    assert_eq!(owner.post("/admin/keys", &key).await.status, 201);
    for path in ["/admin/users", &eve, "/admin/keys", "/admin/audit"] {
        let answer = owner.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_is_page(&answer);
        assert!(answer.text.contains("&lt;script&gt;"), "{path}: {answer:?}");
    }
    assert_is_page(&owner.get("/admin/audit?actor=%3Cscript%3E").await);
}
