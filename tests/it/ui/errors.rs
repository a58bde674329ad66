//! Errors as pages, and that nobody's text becomes markup.

use std::time::Instant;

use super::{Browser, assert_is_page, text};
use crate::support::{DEADLINE, app::TestApp, cable::Cable, postgres::TestDb};

#[tokio::test]
async fn what_is_not_there_is_a_page_too() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let nowhere = "0198c0de-0000-7000-8000-000000000000";
    for path in [
        "/admin/nothing".to_owned(),
        "/admin/apps/nothing".to_owned(),
        "/admin/apps/default/scripts/nothing".to_owned(),
        format!("/admin/apps/default/scripts/{nowhere}"),
        format!("/admin/apps/default/logs/{nowhere}"),
        "/admin/apps/default/logs/1".to_owned(),
        "/admin/assets/0.css".to_owned(),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert_is_page(&answer);
        assert!(text(&answer.text).contains("Not found"));
    }
    let answer = browser.get("/admin/logout").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    assert_is_page(&answer);
}

#[tokio::test]
async fn a_script_of_another_app_is_not_found_here() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    browser.submit("/admin/apps", &[("name", "Garden"), ("slug", "garden")]).await;
    let page = browser.page("/admin/apps/default/scripts").await;
    let address = super::link(&page, "/admin/apps/default/scripts/");
    assert_eq!(browser.get(&address).await.status, 200);
    assert_eq!(browser.get(&address.replace("default", "garden")).await.status, 404);
}

#[tokio::test]
async fn the_style_sheet_is_kept_for_good_under_the_name_of_its_content() {
    let app = TestApp::start().await;
    let mut browser = Browser::of(&app);
    let page = browser.page("/admin/claim").await;
    for end in [".css", ".svg"] {
        let start = page.find("/admin/assets/").expect("an asset");
        let address =
            page[start..].split('"').find(|part| part.ends_with(end)).expect("its address").to_owned();
        let answer = browser.get(&address).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

#[tokio::test]
async fn hostile_names_and_outputs_stay_text() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let fields = [("name", HOSTILE), ("slug", "evil"), ("description", HOSTILE)];
    browser.submit("/admin/apps", &fields).await;
    let source = "log::error(\"<script>log</script>\", #{ a: \"<script>\" });\n#{ statusCode: 200, \
                  headers: #{ \"content-type\": \"text/html\", \"x-a\": \"<script>\" }, body: \"<script>body</script>\" }";
    let fields = [("name", HOSTILE), ("source", source), ("description", HOSTILE)];
    let (address, _) = browser.submit("/admin/apps/evil/scripts", &fields).await;
    let fields = [("name", HOSTILE), ("source", source), ("run_method", "GET"), ("run_path", "/<script>")];
    let ran = browser.post(&format!("{address}/run"), &fields).await;
    assert_eq!(ran.status, 200);
    assert_is_page(&ran);
    let execution = super::link(&ran.text, "/admin/apps/evil/logs/");
    for path in [
        "/admin",
        "/admin/apps/evil",
        "/admin/apps/evil/scripts",
        &address,
        "/admin/apps/evil/settings",
        &execution,
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_is_page(&answer);
        assert!(answer.text.contains("&lt;script&gt;"), "{path}: {answer:?}");
    }
    let lost = browser.get("/admin/%3Cscript%3E").await;
    assert_is_page(&lost);
}

#[tokio::test]
async fn without_the_database_a_page_says_so_until_it_is_back() {
    let db = TestDb::new().await;
    let (mut cable, _) = Cable::to(&db).await;
    let url = cable.url(&db);
    let app = TestApp::start_on(db, &[("database_url", &url)]).await;
    let mut browser = Browser::of_owner(&app).await;
    cable.cut();
    for path in ["/admin", "/admin/apps/default/logs", "/admin/login"] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {answer:?}");
        assert_is_page(&answer);
        assert!(!answer.header("retry-after").is_empty());
    }
    cable.mend();
    let patience = Instant::now() + DEADLINE;
    while browser.get("/admin").await.status == 503 {
        assert!(Instant::now() < patience, "the database is back");
    }
    assert_eq!(browser.get("/admin").await.status, 200);
}
