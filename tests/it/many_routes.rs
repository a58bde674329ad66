//! Thousands of routes: written at once, served after one nudge, each found.

use picloud::{base::id::ScriptId, db, routing};

use crate::support::{app::TestApp, eventually};

#[tokio::test]
async fn among_ten_thousand_routes_each_is_found() {
    let app = TestApp::start().await;
    let owner = app.owner().await;
    let source = "#{ path: ctx.request.path, params: ctx.request.params }";
    let before = owner.run("garden", source).await;
    assert_eq!(before.json["path"], "/run");
    let script = owner.get("/api/v1/admin/apps/garden/scripts").await;
    let script: ScriptId = serde_json::from_value(script.json["items"][0]["id"].clone()).expect("an id");
    let many = sqlx::query(
        "insert into routes (id, app_id, script_id, host_kind, path_kind, path, path_shape, method)
         select gen_random_uuid(), app_id, id, 'any', 'exact', '/many/' || n || '/one', '/many/' || n || '/one', 'GET'
         from scripts, generate_series(1, 10000) n where id = $1",
    );
    let made = many.bind(script).execute(app.pool()).await.expect("sql").rows_affected();
    assert_eq!(made, 10_000);
    app.nobody().get("/~garden/many/1/one").await.problem(404);

    db::notify(app.pool(), routing::CHANGED).await.expect("a nudge");
    eventually("the new table is in service", || async {
        let metrics = app.nobody().get("/metrics").await.text;
        // Those two that were there before are the default app's and the script's first.
        metrics.lines().any(|line| line == "picloud_routes 10002").then_some(())
    })
    .await;
    for n in [1, 5_000, 10_000] {
        let path = format!("/many/{n}/one");
        let answer = app.nobody().get(&format!("/~garden{path}")).await;
        assert_eq!((answer.status, &answer.json["path"]), (200, &path.clone().into()), "{answer:?}");
        app.nobody().call("POST", &format!("/~garden{path}")).await.problem(405);
        app.nobody().get(&format!("/~default{path}")).await.problem(404);
    }
    for none in ["/many/0/one", "/many/10001/one", "/many/5000", "/many/5000/two", "/many/05000/one"] {
        app.nobody().get(&format!("/~garden{none}")).await.problem(404);
    }
    assert_eq!(app.nobody().get("/~garden/run").await.json["path"], "/run");
}
