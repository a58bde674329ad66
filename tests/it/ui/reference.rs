//! The reference page: all of it, for everybody who is signed in.

use picloud::engine::reference::{LANGUAGE, LIBRARY, anchor};

use super::{Browser, text};
use crate::support::app::TestApp;

#[tokio::test]
async fn the_reference_shows_every_function_at_its_anchor() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    assert!(browser.page("/admin").await.contains("href=\"/admin/reference\""), "the menu leads to it");
    let page = browser.page("/admin/reference").await;
    let homes = LIBRARY.iter().map(|module| (module.name, module.functions));
    for (home, functions) in homes.chain(LANGUAGE.iter().map(|group| (group.title, group.functions))) {
        for function in functions {
            let anchor = anchor(home, function);
            assert_eq!(page.matches(&format!("id=\"{anchor}\"")).count(), 1, "{anchor}");
            assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
        }
    }
    // What is told in prose is there too, and no mark of it is left over.
    let words = text(&page);
    for told in
        ["ctx.root_execution_id", "Hello, ${ctx.request.body.name}!", "507", "regex::find_all(pattern, text)"]
    {
        assert!(words.contains(told), "{told}");
    }
    assert!(!words.contains("| --- |") && !words.contains("```") && !words.contains("]("), "{words}");
}

#[tokio::test]
async fn every_link_within_the_reference_leads_somewhere() {
    let app = TestApp::start().await;
    let mut browser = Browser::of_owner(&app).await;
    let page = browser.page("/admin/reference").await;
    for rest in page.split("href=\"#").skip(1) {
        let target = rest.split('"').next().expect("the end of an address");
        assert_eq!(page.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}
