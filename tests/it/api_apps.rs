//! Apps over HTTP.

use serde_json::json;

use crate::support::{app::TestApp, eventually, http::Person};

const APPS: &str = "/api/v1/admin/apps";

/// The slugs of the apps somebody sees.
async fn slugs(who: &Person) -> Vec<String> {
    let answer = who.get(APPS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json["items"].as_array().expect("items");
    items.iter().map(|app| app["slug"].as_str().expect("a slug").to_owned()).collect()
}

#[tokio::test]
async fn an_app_is_made_shown_changed_and_listed() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let new = json!({"slug": "garden", "name": "My garden", "description": "waters"});
    let made = owner.post(APPS, new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.id();
    for key in [id.as_str(), "garden"] {
        let shown = owner.get(&format!("{APPS}/{key}")).await;
        assert_eq!((shown.status, &shown.json), (200, &made.json));
    }
    let expected = json!({
        "id": id, "slug": "garden", "name": "My garden", "description": "waters", "cors": null,
        "default": false, "created_at": made.json["created_at"], "updated_at": made.json["updated_at"],
    });
    assert_eq!(made.json, expected);

    let changed = owner.patch(&format!("{APPS}/garden"), json!({"name": "Ours", "description": null})).await;
    assert_eq!((changed.status, &changed.json["name"]), (200, &json!("Ours")));
    assert_eq!((&changed.json["description"], &changed.json["slug"]), (&json!(null), &json!("garden")));
    assert_eq!(slugs(&owner).await, ["default", "garden"]);
    let first = owner.get(&format!("{APPS}?limit=1")).await;
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    let second = owner.get(&format!("{APPS}?limit=1&cursor={cursor}")).await;
    assert_eq!(second.json["items"][0]["slug"], "garden");
    assert_eq!(second.json["next_cursor"], json!(null));
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let test = TestApp::start_with(&[("own_names", "cloud.local")]).await;
    let owner = test.owner().await;
    for (body, field) in [
        (json!({"name": "x"}), "slug"),
        (json!({"slug": "x"}), "name"),
        (json!({"slug": "No", "name": "x"}), "slug"),
        (json!({"slug": "0198c0de-0000-7000-8000-000000000000", "name": "x"}), "slug"),
        (json!({"slug": "localhost", "name": "this machine"}), "slug"),
        (json!({"slug": "testpi", "name": "this machine"}), "slug"),
        (json!({"slug": "cloud", "name": "this machine"}), "slug"),
        (json!({"slug": "x", "name": " "}), "name"),
        (json!({"slug": "x", "name": "a\u{0}"}), "name"),
        (json!({"slug": "x", "name": "x", "description": "a\u{0}"}), "description"),
        (json!({"slug": "x", "name": "x", "takeover": true}), "takeover"),
    ] {
        assert_eq!(owner.post(APPS, body).await.fields(), [field]);
    }
    owner.app("x").await;
    for (body, field) in [
        (json!({"slug": "testpi"}), "slug"),
        (json!({"slug": null}), "slug"),
        (json!({"name": null}), "name"),
        (json!({"take_over": true}), "take_over"),
        (json!({"default": true}), "default"),
    ] {
        assert_eq!(owner.patch(&format!("{APPS}/x"), body).await.fields(), [field]);
    }
    assert_eq!(owner.get(&format!("{APPS}?limit=0")).await.fields(), ["limit"]);
    assert_eq!(owner.get(&format!("{APPS}?cursor=x")).await.fields(), ["cursor"]);
    assert_eq!(owner.get(&format!("{APPS}?page=2")).await.fields(), ["page"]);
    owner.get(&format!("{APPS}/%00")).await.problem(404);
}

#[tokio::test]
async fn a_renamed_app_redirects_until_another_takes_its_slug_over() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let id = owner.app("old").await;
    assert_eq!(owner.patch(&format!("{APPS}/old"), json!({"slug": "new"})).await.status, 200);
    let moved = owner.get(&format!("{APPS}/old/scripts?limit=7")).await;
    assert_eq!((moved.status, moved.header("location")), (308, "/api/v1/admin/apps/new/scripts?limit=7"));

    owner.post(APPS, json!({"slug": "new", "name": "x"})).await.problem(409);
    let refused = owner.post(APPS, json!({"slug": "old", "name": "x"})).await;
    assert!(refused.problem(409).contains("take_over"));
    owner.app("third").await;
    owner.patch(&format!("{APPS}/third"), json!({"slug": "old"})).await.problem(409);
    let taken = owner.post(APPS, json!({"slug": "old", "name": "x", "take_over": true})).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(owner.get(&format!("{APPS}/old")).await.id(), taken.id());
    assert_eq!(owner.get(&format!("{APPS}/new")).await.id(), id);
    owner.patch(&format!("{APPS}/new"), json!({"slug": "old"})).await.problem(409);
}

#[tokio::test]
async fn an_app_may_claim_its_local_name_when_it_is_made() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let made = owner.post(APPS, json!({"slug": "garden", "name": "x", "local_name": true})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let domains = owner.get(&format!("{APPS}/garden/domains")).await;
    assert_eq!(domains.json["items"][0]["pattern"], "garden.local");

    assert_eq!(owner.patch(&format!("{APPS}/garden"), json!({"slug": "yard"})).await.status, 200);
    let other = json!({"slug": "garden", "name": "x", "take_over": true, "local_name": true});
    owner.post(APPS, other).await.problem(409);
    assert_eq!(slugs(&owner).await, ["default", "yard"], "what could not be made whole was not made");
}

#[tokio::test]
async fn an_app_is_deleted_by_who_says_its_name() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let id = owner.app("garden").await;
    let script = owner.script("garden", "one", "1").await;
    owner.script("garden", "two", "2").await;
    owner.route(&script, "/one").await;
    assert_eq!(owner.post(&format!("/api/v1/execute/{script}"), json!({})).await.status, 200);
    for path in [format!("{APPS}/garden"), format!("{APPS}/garden?confirm=other")] {
        let unsure = owner.delete(&path).await;
        assert_eq!(unsure.fields(), ["confirm"]);
        let counts = "2 scripts, 1 route, 0 domains and 1 execution";
        assert!(unsure.problem(422).contains(counts), "{unsure:?}");
    }
    assert_eq!(owner.delete(&format!("{APPS}/garden?confirm=garden")).await.status, 204);
    owner.get(&format!("{APPS}/garden")).await.problem(404);
    owner.get(&format!("{APPS}/{id}")).await.problem(404);
    owner.get(&format!("/api/v1/admin/scripts/{script}")).await.problem(404);
    owner.delete(&format!("{APPS}/garden?confirm=garden")).await.problem(404);
    owner.app("garden").await;
    // What it owned is swept behind.
    eventually("the app's row is gone", || async {
        let rows: i64 = sqlx::query_scalar("select count(*) from apps where deleted_at is not null")
            .fetch_one(test.pool())
            .await
            .ok()?;
        (rows == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_default_app_stays() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    assert_eq!(owner.get(&format!("{APPS}/default")).await.json["default"], json!(true));
    owner.delete(&format!("{APPS}/default?confirm=default")).await.problem(409);
    let scripts = owner.get(&format!("{APPS}/default/scripts")).await;
    assert_eq!(scripts.json["items"][0]["name"], "hello");
    let hello = scripts.json["items"][0]["id"].as_str().expect("an id");
    let run = owner.post(&format!("/api/v1/execute/{hello}?name=Ada"), json!({})).await;
    assert_eq!(run.json["body"], json!({"message": "Hello, Ada!", "from": "default"}), "{run:?}");
}

#[tokio::test]
async fn apps_are_for_those_who_hold_a_role() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    let (nobody, stranger) = (test.nobody(), test.stranger().await);
    nobody.get(APPS).await.problem(401);
    nobody.post(APPS, json!({"slug": "x", "name": "x"})).await.problem(401);
    assert!(slugs(&stranger).await.is_empty());
    stranger.post(APPS, json!({"slug": "x", "name": "x"})).await.problem(403);
    stranger.send(APPS, "text/plain", "x").await.problem(403);
    stranger.get(&format!("{APPS}/garden")).await.problem(404);
    stranger.patch(&format!("{APPS}/garden"), json!({"name": "x"})).await.problem(404);
    stranger.delete(&format!("{APPS}/garden?confirm=garden")).await.problem(404);
    owner.send(APPS, "text/plain", "x").await.problem(415);
    owner.send(APPS, "application/json", "{").await.problem(400);
}
