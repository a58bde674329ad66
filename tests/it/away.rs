//! The database is away: what needs it says so, what does not answers, and afterwards all is as before.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{
    app::TestApp,
    cable::Cable,
    eventually,
    http::{Answer, Person},
    postgres::TestDb,
};

const LOG: &str = "/api/v1/admin/apps/garden/executions";

/// PiCloud on a cable, with the app `garden`: `/run` is compiled, `/cold` is not.
async fn garden() -> (TestApp, Cable, Person) {
    let db = TestDb::new().await;
    let (cable, _) = Cable::to(&db).await;
    let url = cable.url(&db);
    let app = TestApp::start_on(db, &[("database_url", &url), ("log_budget_per_second", "10000")]).await;
    let owner = app.owner().await;
    assert_eq!(owner.run("garden", "ctx.request.query.n ?? \"none\"").await.text, "\"none\"");
    let cold = owner.script("garden", "cold", "\"cold\"").await;
    owner.route(&cold, "/cold").await;
    (app, cable, owner)
}

/// Cuts the cable, and waits until that has come through.
async fn cut(cable: &mut Cable, person: &Person) {
    cable.cut();
    eventually("the database is away", || async {
        (person.get("/readyz").await.status == 503).then_some(())
    })
    .await;
}

async fn mend(cable: &mut Cable, person: &Person) {
    cable.mend();
    eventually("the database is back", || async {
        (person.get("/readyz").await.status == 200).then_some(())
    })
    .await;
}

fn assert_away(answer: &Answer) {
    answer.problem(503);
    let seconds: u32 = answer.header("retry-after").parse().expect("a number of seconds");
    assert!(seconds >= 1, "{answer:?}");
    let tells = ["PGSQL", "sqlx", "socket", "os error"].iter().any(|word| answer.text.contains(word));
    assert!(!tells, "the cause is for the log: {answer:?}");
}

#[tokio::test]
async fn what_needs_the_database_is_503_and_a_cached_script_answers() {
    let (app, mut cable, owner) = garden().await;
    let someone = app.nobody();
    cut(&mut cable, &someone).await;

    assert_away(&owner.get("/api/v1/admin/apps").await);
    assert_away(&owner.get(LOG).await);
    assert_away(&owner.post("/api/v1/admin/apps", json!({"slug": "other", "name": "Other"})).await);
    let who = json!({"username": "ada", "password": crate::support::app::PASSWORD});
    assert_away(&someone.post("/api/v1/auth/login", who).await);
    someone.get("/api/v1/admin/apps").await.problem(401);

    let cached = someone.get("/~garden/run?n=7").await;
    assert_eq!((cached.status, cached.text.as_str()), (200, "\"7\""));
    let cold = someone.get("/~garden/cold").await;
    assert_away(&cold);
    assert!(!cold.headers.contains_key("x-execution-id"), "nothing was executed: {cold:?}");
    assert_away(&owner.get("/~garden/run").await);
    assert_eq!(someone.with_token("theirs").get("/~garden/run?n=8").await.text, "\"8\"");
    someone.get("/~garden/nowhere").await.problem(404);
}

#[tokio::test]
async fn once_the_database_is_back_everything_answers_without_a_restart() {
    let (app, mut cable, owner) = garden().await;
    let someone = app.nobody();
    for round in ["first", "second"] {
        cut(&mut cable, &someone).await;
        assert_away(&owner.get("/api/v1/admin/apps").await);
        mend(&mut cable, &someone).await;
        assert_eq!(owner.get("/api/v1/admin/apps").await.status, 200, "{round}");
        assert_eq!(someone.get("/~garden/cold").await.text, "\"cold\"", "{round}");
        assert_eq!(owner.get("/~garden/run?n=9").await.text, "\"9\"", "{round}");
        let script = owner.script("garden", round, "\"new\"").await;
        owner.route(&script, &format!("/{round}")).await;
        assert_eq!(someone.get(&format!("/~garden/{round}")).await.text, "\"new\"", "{round}");
    }
}

#[tokio::test]
async fn what_ran_meanwhile_is_in_the_log_afterwards() {
    let (app, mut cable, owner) = garden().await;
    let someone = app.nobody();
    cut(&mut cable, &someone).await;
    let mut ran = Vec::new();
    // Longer than records wait for company, so that writing them has failed at least once.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        let answer = someone.get("/~garden/run").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        ran.push(answer.header("x-execution-id").to_owned());
    }
    someone.get("/~garden/cold").await.problem(503);
    mend(&mut cable, &someone).await;

    let recorded = eventually("all that ran is recorded", || async {
        let ids: Vec<String> = sqlx::query_scalar("select execution_id::text from executions")
            .fetch_all(app.pool())
            .await
            .ok()?;
        (ids.len() > ran.len()).then_some(ids)
    });
    let recorded = recorded.await;
    assert_eq!(
        recorded.len(),
        ran.len() + 1,
        "each once, besides the run before; what did not run is not there"
    );
    assert!(ran.iter().all(|id| recorded.contains(id)));
    let last = ran.last().expect("some ran");
    assert_eq!(owner.get(&format!("{LOG}/{last}")).await.json["status"], 200);
    let log = owner.get(LOG).await;
    assert_eq!((&log.json["items"][0]["execution_id"], &log.json["not_stored"]), (&json!(last), &json!(0)));
}
