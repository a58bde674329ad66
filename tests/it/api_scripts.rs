//! Scripts and their versions over HTTP.

use serde_json::json;

use crate::support::{app::TestApp, http::Person};

const SCRIPTS: &str = "/api/v1/admin/apps/garden/scripts";

async fn garden(test: &TestApp) -> Person {
    let owner = test.owner().await;
    owner.app("garden").await;
    owner
}

fn at(id: &str) -> String {
    format!("/api/v1/admin/scripts/{id}")
}

#[tokio::test]
async fn a_script_is_made_shown_and_listed() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let made = owner.post(SCRIPTS, json!({"name": "water", "source": "1 + 1"})).await;
    assert_eq!(made.status, 201, "{made:?}");
    let app = owner.get("/api/v1/admin/apps/garden").await.id();
    let expected = json!({
        "id": made.id(), "app_id": app, "name": "water", "source": "1 + 1", "description": null,
        "version": 1, "enabled": true, "timeout_seconds": 30,
        "sandbox": {
            "max_operations": null, "max_call_depth": null, "max_log_lines": null, "max_memory_bytes": null,
        },
        "created_at": made.json["created_at"], "updated_at": made.json["updated_at"],
    });
    assert_eq!(made.json, expected);
    assert_eq!(owner.get(&at(&made.id())).await.json, expected);
    owner.script("garden", "alarm", "2").await;
    let listed = owner.get(SCRIPTS).await;
    assert_eq!((&listed.json["items"][0]["name"], &listed.json["items"][1]), (&json!("alarm"), &expected));
    let again = owner.post(SCRIPTS, json!({"name": "water", "source": "3"})).await;
    assert!(again.problem(409).contains("water"));
}

#[tokio::test]
async fn what_does_not_compile_is_not_saved() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let broken = "let a = 1;\nlet b = 2;\nlet = 3;\n";
    let refused = owner.post(SCRIPTS, json!({"name": "x", "source": broken})).await;
    assert_eq!(refused.fields(), ["source"]);
    let message = refused.json["errors"][0]["message"].as_str().expect("a message");
    assert!(message.starts_with("line 3, column 5: "), "{message}");

    let id = owner.script("garden", "x", "1").await;
    assert_eq!(owner.patch(&at(&id), json!({"source": broken})).await.fields(), ["source"]);
    let reserved = owner.patch(&at(&id), json!({"source": "let ctx = 1; ctx"})).await;
    assert_eq!(reserved.fields(), ["source"]);
    assert_eq!(owner.get(&at(&id)).await.json["version"], 1);

    let check = format!("{SCRIPTS}/check");
    let verdict = owner.post(&check, json!({"source": broken})).await;
    assert_eq!((verdict.status, &verdict.json["ok"]), (200, &json!(false)), "{verdict:?}");
    assert_eq!(
        (&verdict.json["errors"][0]["line"], &verdict.json["errors"][0]["column"]),
        (&json!(3), &json!(5))
    );
    let verdict = owner.post(&check, json!({"source": "ctx.app.slug"})).await;
    assert_eq!((verdict.status, &verdict.json), (200, &json!({"ok": true, "errors": []})));
}

#[tokio::test]
async fn wrong_fields_are_named() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let id = owner.script("garden", "x", "1").await;
    for (name, value, field) in [
        ("name", json!(""), "name"),
        ("name", json!("a\nb"), "name"),
        ("source", json!("a\u{0}"), "source"),
        ("source", json!("/".repeat(256 * 1024 + 1)), "source"),
        ("timeout_seconds", json!(0), "timeout_seconds"),
        ("timeout_seconds", json!(301), "timeout_seconds"),
        ("timeout_seconds", json!(1.5), "timeout_seconds"),
        ("sandbox", json!({"max_operations": 0}), "sandbox.max_operations"),
        ("sandbox", json!({"max_log_lines": -1}), "sandbox.max_log_lines"),
        ("sandbox", json!({"max_petals": 1}), "sandbox.max_petals"),
        ("enabled", json!("yes"), "enabled"),
        ("vresion", json!(1), "vresion"),
        ("version", json!(9), "version"),
    ] {
        let mut body = json!({"name": "y", "source": "1"});
        body[name] = value.clone();
        assert_eq!(owner.post(SCRIPTS, body).await.fields(), [field]);
        assert_eq!(owner.patch(&at(&id), json!({name: value})).await.fields(), [field]);
    }
    for field in ["name", "source", "enabled"] {
        assert_eq!(owner.patch(&at(&id), json!({field: null})).await.fields(), [field]);
    }
    let longest = json!({"name": "long", "source": "/".repeat(256 * 1024)});
    assert_eq!(owner.post(SCRIPTS, longest).await.status, 201);
}

#[tokio::test]
async fn limits_end_at_the_instances_ceilings() {
    let test =
        TestApp::start_with(&[("max_operations_ceiling", "20000000"), ("max_memory_bytes_ceiling", "64MiB")])
            .await;
    let owner = garden(&test).await;
    let greedy = json!({
        "max_operations": 1_000_000_000_000_u64, "max_call_depth": 1000, "max_log_lines": 7,
        "max_memory_bytes": 1_u64 << 40,
    });
    let clamped = json!({
        "max_operations": 20_000_000, "max_call_depth": 128, "max_log_lines": 7,
        "max_memory_bytes": 64 << 20,
    });
    let made = owner.post(SCRIPTS, json!({"name": "x", "source": "1", "sandbox": greedy})).await;
    assert_eq!((made.status, &made.json["sandbox"]), (201, &clamped));
    let id = made.id();
    let fewer =
        owner.patch(&at(&id), json!({"sandbox": {"max_call_depth": 500}, "timeout_seconds": 300})).await;
    let expected = json!({
        "max_operations": null, "max_call_depth": 128, "max_log_lines": null, "max_memory_bytes": null,
    });
    assert_eq!((&fewer.json["sandbox"], &fewer.json["timeout_seconds"]), (&expected, &json!(300)));
    let cleared = owner.patch(&at(&id), json!({"sandbox": null, "timeout_seconds": null})).await;
    assert_eq!(cleared.json["sandbox"]["max_call_depth"], json!(null));
    assert_eq!((&cleared.json["timeout_seconds"], &cleared.json["version"]), (&json!(30), &json!(1)));
}

#[tokio::test]
async fn every_save_that_changes_the_source_is_a_version() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let id = owner.script("garden", "x", "1").await;
    let versions = format!("{}/versions", at(&id));
    for (source, version) in [("1", 1), ("2", 2), ("2", 2), ("3", 3)] {
        let saved = owner.patch(&at(&id), json!({"source": source})).await;
        assert_eq!(
            (saved.status, &saved.json["version"], &saved.json["source"]),
            (200, &json!(version), &json!(source))
        );
    }
    let restored = owner.call("POST", &format!("{versions}/1/restore")).await;
    assert_eq!(
        (restored.status, &restored.json["version"], &restored.json["source"]),
        (200, &json!(4), &json!("1"))
    );
    assert_eq!(restored.json["id"], json!(id));

    let listed = owner.get(&format!("{versions}?limit=3")).await;
    let numbers: Vec<_> =
        listed.json["items"].as_array().expect("items").iter().map(|v| &v["version"]).collect();
    assert_eq!(numbers, [4, 3, 2]);
    let cursor = listed.json["next_cursor"].as_str().expect("a second page");
    let rest = owner.get(&format!("{versions}?cursor={cursor}")).await;
    assert_eq!(
        (rest.json["items"].as_array().map(Vec::len), &rest.json["next_cursor"]),
        (Some(1), &json!(null))
    );
    let second = owner.get(&format!("{versions}/2")).await;
    let expected =
        json!({"version": 2, "source": "2", "author": "ada", "created_at": second.json["created_at"]});
    assert_eq!((second.status, &second.json), (200, &expected));
    for missing in ["9", "0", "-1", "x", "99999999999"] {
        owner.get(&format!("{versions}/{missing}")).await.problem(404);
        owner.call("POST", &format!("{versions}/{missing}/restore")).await.problem(404);
    }
}

#[tokio::test]
async fn a_script_with_routes_is_deleted_with_them_or_not_at_all() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let id = owner.script("garden", "x", "1").await;
    let route = owner.route(&id, "/x").await;
    let refused = owner.delete(&at(&id)).await;
    assert!(refused.problem(409).contains(&route), "{refused:?}");
    assert_eq!(owner.delete(&format!("{}?cascade=maybe", at(&id))).await.fields(), ["cascade"]);
    assert_eq!(owner.delete(&format!("{}?cascade=true", at(&id))).await.status, 204);
    owner.get(&at(&id)).await.problem(404);
    owner.get(&format!("/api/v1/admin/routes/{route}")).await.problem(404);
    let free = owner.script("garden", "x", "1").await;
    assert_eq!(owner.delete(&at(&free)).await.status, 204);
}

#[tokio::test]
async fn scripts_are_for_those_who_hold_a_role() {
    let test = TestApp::start().await;
    let owner = garden(&test).await;
    let id = owner.script("garden", "x", "1").await;
    let (nobody, stranger) = (test.nobody(), test.stranger().await);
    for (who, status) in [(nobody, 401), (stranger, 404)] {
        who.get(SCRIPTS).await.problem(status);
        who.post(SCRIPTS, json!({"name": "y", "source": "1"})).await.problem(status);
        who.post(&format!("{SCRIPTS}/check"), json!({"source": "1"})).await.problem(status);
        who.get(&at(&id)).await.problem(status);
        who.patch(&at(&id), json!({"source": "2"})).await.problem(status);
        who.delete(&at(&id)).await.problem(status);
        who.get(&format!("{}/versions", at(&id))).await.problem(status);
        who.get(&format!("{}/versions/1", at(&id))).await.problem(status);
        who.call("POST", &format!("{}/versions/1/restore", at(&id))).await.problem(status);
    }
    owner.get(&at("nothing")).await.problem(404);
    owner.get(&at("0198c0de-0000-7000-8000-000000000000")).await.problem(404);
}
