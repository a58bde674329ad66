//! Runs nobody waited for, over HTTP.

use picloud::base::id::AbandonedId;
use serde_json::json;
use sqlx::PgPool;

use crate::support::app::TestApp;

const ABANDONED: &str = "/api/v1/admin/apps/garden/abandoned";

async fn abandon(db: &PgPool, app: &str) -> String {
    let id = AbandonedId::new();
    sqlx::query(
        "insert into abandoned_executions (id, app_id, outbox_id, inbox_id, script_id, execution_id, status, summary)
         values ($1, $2::uuid, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 500,
                 'the process ended')",
    )
    .bind(id)
    .bind(app)
    .execute(db)
    .await
    .expect("sql");
    id.to_string()
}

#[tokio::test]
async fn they_are_listed_newest_first_and_paged() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    let (app, other) = (owner.app("garden").await, owner.app("other").await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(abandon(test.pool(), &app).await);
    }
    abandon(test.pool(), &other).await;
    let first = owner.get(&format!("{ABANDONED}?limit=2")).await;
    let items = first.json["items"].as_array().expect("items");
    assert_eq!((first.status, items.len()), (200, 2), "{first:?}");
    let item = &items[0];
    let expected = json!({
        "id": ids[2], "outbox_id": item["outbox_id"], "inbox_id": item["inbox_id"], "script_id": item["script_id"],
        "execution_id": item["execution_id"], "status": 500, "summary": "the process ended",
        "created_at": item["created_at"],
    });
    assert_eq!(item, &expected);
    assert_eq!(items[1]["id"], json!(ids[1]));
    let cursor = first.json["next_cursor"].as_str().expect("a second page");
    let second = owner.get(&format!("{ABANDONED}?limit=2&cursor={cursor}")).await;
    let items = second.json["items"].as_array().expect("items");
    assert_eq!((items.len(), &items[0]["id"]), (1, &json!(ids[0])));
    assert_eq!(second.json["next_cursor"], json!(null));
    assert_eq!(owner.get(&format!("{ABANDONED}?status=500")).await.fields(), ["status"]);
}

#[tokio::test]
async fn they_are_for_those_who_hold_a_role() {
    let test = TestApp::start().await;
    let owner = test.owner().await;
    owner.app("garden").await;
    test.nobody().get(ABANDONED).await.problem(401);
    test.stranger().await.get(ABANDONED).await.problem(404);
    owner.get("/api/v1/admin/apps/nothing/abandoned").await.problem(404);
}
