//! Instance settings over HTTP: what is asked, what is in force, and where.

use serde_json::{Value, json};

use crate::support::{app::TestApp, eventually, http::Person};

const SETTINGS: &str = "/api/v1/admin/settings";

/// Value, default and source of `dispatch_paused`.
async fn paused(who: &Person) -> (Value, Value, Value) {
    let answer = who.get(SETTINGS).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let one = &answer.json["dispatch_paused"];
    (one["value"].clone(), one["default"].clone(), one["source"].clone())
}

async fn dispatcher(who: &Person) -> (u16, Value) {
    let answer = who.get("/readyz").await;
    (answer.status, answer.json["checks"]["dispatcher"].clone())
}

#[tokio::test]
async fn a_setting_is_changed_at_once_and_forgotten_with_null() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let shown = owner.get(SETTINGS).await;
    let said = &shown.json["dispatch_paused"]["description"];
    assert!(said.as_str().is_some_and(|words| words.ends_with('.')), "{shown:?}");
    let expected = json!({
        "dispatch_paused": {"value": false, "default": false, "source": "default", "description": said},
    });
    assert_eq!(shown.json, expected);
    assert_eq!(dispatcher(&owner).await, (200, json!("ok")));

    let changed = owner.patch(SETTINGS, json!({"dispatch_paused": true})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let expected = json!({
        "dispatch_paused": {"value": true, "default": false, "source": "setting", "description": said},
    });
    assert_eq!(changed.json, expected);
    assert_eq!(dispatcher(&owner).await, (200, json!("paused")), "paused is no failure");

    let token = owner.token().expect("a token").to_owned();
    let test = TestApp::start_on(test.stop().await, &[]).await;
    let owner = test.nobody().with_token(&token);
    assert_eq!(
        paused(&owner).await,
        (json!(true), json!(false), json!("setting")),
        "it outlives the process"
    );
    let reset = owner.patch(SETTINGS, json!({"dispatch_paused": null})).await;
    assert_eq!(reset.json["dispatch_paused"]["source"], "default", "{reset:?}");
    assert_eq!(dispatcher(&owner).await, (200, json!("ok")));
    assert_eq!(owner.patch(SETTINGS, json!({})).await.status, 200, "nothing asked is nothing wrong");
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_changed() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    for (asked, fields) in [
        (json!({"dispatch_pause": true}), vec!["dispatch_pause"]),
        (json!({"dispatch_paused": true, "colour": "red"}), vec!["colour"]),
        (json!({"dispatch_paused": "true"}), vec!["dispatch_paused"]),
        (json!({"dispatch_paused": 1, "colour": "red"}), vec!["colour", "dispatch_paused"]),
        (json!(["dispatch_paused"]), vec!["body"]),
    ] {
        assert_eq!(owner.patch(SETTINGS, asked).await.fields(), fields);
    }
    owner.send(SETTINGS, "application/json", "{}").await.problem(405);
    assert_eq!(paused(&owner).await.2, "default");
}

#[tokio::test]
async fn a_flag_decides_and_says_so() {
    let test = TestApp::start_with(&[("dispatch_paused", "true")]).await;
    let owner = test.owner().await;
    assert_eq!(paused(&owner).await, (json!(true), json!(false), json!("--dispatch-paused")));
    assert_eq!(dispatcher(&owner).await, (200, json!("paused")));
    for value in [json!(false), json!(true), json!(null)] {
        let refused = owner.patch(SETTINGS, json!({"dispatch_paused": value})).await;
        let why = refused.problem(409);
        assert!(why.contains("dispatch_paused") && why.contains("--dispatch-paused"), "{why}");
    }
    assert_eq!(owner.patch(SETTINGS, json!({"dispatch_paused": 1})).await.fields(), ["dispatch_paused"]);
}

#[tokio::test]
async fn other_nodes_follow() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let sent = sqlx::query("insert into settings (name, value) values ('dispatch_paused', 'true')");
    sent.execute(test.pool()).await.expect("sql");
    // What another node's PATCH ends with.
    let told = sqlx::query("select pg_notify('picloud_settings', '')");
    told.execute(test.pool()).await.expect("sql");
    eventually("this node has heard of it", || async {
        (paused(&owner).await.0 == json!(true)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn other_nodes_are_told() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let mut listener = sqlx::postgres::PgListener::connect_with(test.pool()).await.expect("a connection");
    listener.listen("picloud_settings").await.expect("it listens");
    assert_eq!(owner.patch(SETTINGS, json!({"dispatch_paused": true})).await.status, 200);
    let told = tokio::time::timeout(crate::support::DEADLINE, listener.recv()).await.expect("in time");
    assert_eq!(told.expect("a notification").channel(), "picloud_settings");
}

#[tokio::test]
async fn the_settings_are_for_those_who_run_the_instance() {
    let test = TestApp::start().await;
    test.owner().await;
    for (who, status) in [(test.nobody(), 401), (test.stranger().await, 403)] {
        who.get(SETTINGS).await.problem(status);
        who.patch(SETTINGS, json!({"dispatch_paused": true})).await.problem(status);
        who.patch(SETTINGS, json!({"colour": 1})).await.problem(status);
    }
}
