//! An app's settings: renaming it, its domains, its end.

use super::{Browser, text};
use crate::support::app::TestApp;

#[tokio::test]
async fn a_renamed_app_is_found_under_its_old_address() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    let fields = [("name", "The garden"), ("slug", "green"), ("description", "")];
    let (next, page) = browser.submit("/admin/apps/garden/settings", &fields).await;
    assert_eq!(next, "/admin/apps/green/settings");
    assert!(text(&page).contains("The settings were saved."));
    let old = browser.get("/admin/apps/garden/routes").await;
    assert_eq!((old.status, old.header("location")), (308, "/admin/apps/green/routes"));
    let taken = browser.post("/admin/apps", &[("name", "Other"), ("slug", "green")]).await;
    assert_eq!(taken.status, 409);
    assert!(text(&taken.text).contains("Another app has the slug"), "{taken:?}");
}

#[tokio::test]
async fn a_domain_is_claimed_and_given_up() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden"), ("local_name", "true")]).await;
    browser.submit("/admin/apps", &[("name", "Other"), ("slug", "other")]).await;
    let settings = browser.page("/admin/apps/garden/settings").await;
    assert!(settings.contains("http://garden.local:"), "{settings}");
    let taken = browser.post("/admin/apps/other/domains", &[("pattern", "garden.local")]).await;
    assert_eq!(taken.status, 409);
    assert!(text(&taken.text).contains("Another app holds garden.local"), "{taken:?}");
    assert!(taken.text.contains("value=\"garden.local\""));
    for (wrong, why) in [("not a host", "hint"), ("localhost", "a name of this machine itself")] {
        let refused = browser.post("/admin/apps/other/domains", &[("pattern", wrong)]).await;
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.text.contains(why), "{refused:?}");
    }
    let start = settings.find("action=\"/admin/apps/garden/domains/").expect("a way to give it up") + 8;
    let release = settings[start..].split('"').next().expect("an address");
    let right = std::mem::replace(&mut browser.token, "-".to_owned());
    assert_eq!(browser.post(release, &[]).await.status, 403, "not without the form's token");
    browser.token = right;
    let (_, page) = browser.submit(release, &[]).await;
    assert!(!page.contains("http://garden.local:"), "{page}");
    browser.submit("/admin/apps/other/domains", &[("pattern", "garden.local")]).await;
}

#[tokio::test]
async fn an_app_is_deleted_by_who_types_its_name() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    let kept = browser.post("/admin/apps/garden/delete", &[("confirm", "gardn")]).await;
    assert_eq!(kept.status, 422);
    assert!(text(&kept.text).contains("0 scripts, 0 routes, 0 domains"), "{kept:?}");
    let (next, page) = browser.submit("/admin/apps/garden/delete", &[("confirm", "garden")]).await;
    assert_eq!(next, "/admin");
    assert!(text(&page).contains("The app was deleted"));
    assert_eq!(browser.get("/admin/apps/garden").await.status, 404);
    let stays = browser.post("/admin/apps/default/delete", &[("confirm", "default")]).await;
    assert_eq!(stays.status, 409);
}
