//! The route table in service follows what is stored.

use picloud::{
    base::{Error, Result, id::AppId, patch::Patch, pattern::RequestPath},
    routing::{Answer, Asked, Routes},
    store::{
        app::{self, AppChange},
        route::{self, RouteChange},
        script::{self, Script, ScriptChange},
    },
};
use sqlx::PgPool;

use crate::{
    store_routes::{app_with_script, claim, create, new_route},
    support::{eventually, postgres::TestDb},
};

/// What becomes of `GET host path`: the script's name and version, or a status.
fn answer(routes: &Routes, host: &str, path: &str) -> String {
    let path = RequestPath::parse(path).expect("a good path");
    match routes.table().look_up(Asked { host, is_own: false, method: "GET", path: &path }) {
        Answer::Route(found, _) => format!("{} {}", found.entry.script.name, found.entry.script.version),
        Answer::MethodNotAllowed(_) => "405".to_owned(),
        Answer::Renamed(slug) => format!("308 {slug}"),
        Answer::Nothing => "404".to_owned(),
    }
}

/// An app `one` with the domain `one.local` and the route `GET /a`.
async fn served(db: &PgPool) -> Result<(Script, Routes)> {
    let script = app_with_script(db, "one").await?;
    claim(db, script.app_id, "one.local").await?;
    create(db, &new_route(&script, "GET - /a")).await?;
    Ok((script, Routes::load(db).await?))
}

async fn change_script(db: &PgPool, script: &Script, change: ScriptChange) -> Result<()> {
    let mut tx = db.begin().await?;
    script::update(&mut tx, script.id, change).await?;
    tx.commit().await?;
    Ok(())
}

async fn rename(db: &PgPool, app: AppId, slug: &str) -> Result<()> {
    let slug = Some(slug.parse().map_err(Error::internal)?);
    let mut tx = db.begin().await?;
    app::update(&mut tx, app, AppChange { slug, ..AppChange::default() }).await?;
    tx.commit().await?;
    Ok(())
}

#[tokio::test]
async fn a_stored_route_answers_by_host_and_by_slug() -> Result<()> {
    let db = TestDb::new().await;
    let (_, routes) = served(&db.pool).await?;
    assert_eq!(answer(&routes, "one.local", "/a"), "answer 1");
    assert_eq!(answer(&routes, "elsewhere", "/~one/a"), "answer 1");
    assert_eq!(answer(&routes, "elsewhere", "/a"), "404");
    Ok(())
}

#[tokio::test]
async fn a_reload_serves_what_changed() -> Result<()> {
    let db = TestDb::new().await;
    let (script, routes) = served(&db.pool).await?;
    let change = ScriptChange { enabled: Some(false), ..ScriptChange::default() };
    change_script(&db.pool, &script, change).await?;
    assert_eq!(answer(&routes, "one.local", "/a"), "answer 1", "the table is swapped as a whole, when told");
    routes.reload(&db.pool).await?;
    assert_eq!(answer(&routes, "one.local", "/a"), "404", "a disabled script answers nothing");
    let disabled = route::disabled(&db.pool, script.app_id).await?;
    assert_eq!(disabled.len(), 1);
    rename(&db.pool, script.app_id, "two").await?;
    routes.reload(&db.pool).await?;
    assert_eq!(answer(&routes, "x", "/~one/a"), "308 two");
    let mut tx = db.pool.begin().await?;
    app::delete(&mut tx, script.app_id).await?;
    tx.commit().await?;
    routes.reload(&db.pool).await?;
    assert_eq!(
        (answer(&routes, "x", "/~one/a"), answer(&routes, "x", "/~two/a")),
        ("404".into(), "404".into())
    );
    Ok(())
}

#[tokio::test]
async fn a_disabled_route_answers_nothing() -> Result<()> {
    let db = TestDb::new().await;
    let (script, routes) = served(&db.pool).await?;
    let route = create(&db.pool, &new_route(&script, "GET - /b")).await?;
    let change = RouteChange { enabled: Some(false), method: Patch::Keep, ..RouteChange::default() };
    let mut tx = db.pool.begin().await?;
    route::update(&mut tx, route.id, change).await?;
    tx.commit().await?;
    routes.reload(&db.pool).await?;
    assert_eq!(
        (answer(&routes, "one.local", "/a").as_str(), answer(&routes, "one.local", "/b").as_str()),
        ("answer 1", "404")
    );
    Ok(())
}

#[tokio::test]
async fn a_route_that_cannot_be_read_keeps_no_other_from_answering() -> Result<()> {
    let db = TestDb::new().await;
    let (script, routes) = served(&db.pool).await?;
    let strange = create(&db.pool, &new_route(&script, "GET - /b")).await?;
    sqlx::query("update routes set path = 'strange' where id = $1")
        .bind(strange.id)
        .execute(&db.pool)
        .await?;
    routes.reload(&db.pool).await?;
    assert_eq!(answer(&routes, "one.local", "/a"), "answer 1");
    assert!(matches!(
        route::get(&db.pool, strange.id).await?.map(|route| route.rule()),
        Some(Err(Error::Internal { .. }))
    ));
    Ok(())
}

#[tokio::test]
async fn many_changes_at_once_are_all_served() -> Result<()> {
    let db = TestDb::new().await;
    let (script, routes) = served(&db.pool).await?;
    let changes = (0..20).map(|n| {
        let new = new_route(&script, &format!("GET - /many/{n}"));
        let (db, routes) = (&db.pool, &routes);
        async move {
            create(db, &new).await?;
            routes.reload(db).await?;
            Ok::<_, Error>(answer(routes, "one.local", &format!("/many/{n}")))
        }
    });
    for served in futures_util::future::join_all(changes).await {
        assert_eq!(served?, "answer 1");
    }
    Ok(())
}

#[tokio::test]
async fn another_node_follows() -> Result<()> {
    let db = TestDb::new().await;
    let (script, routes) = served(&db.pool).await?;
    let (sender, nudges) = tokio::sync::watch::channel(());
    let follow = routes.follow(&db.pool, nudges);
    let act = async {
        create(&db.pool, &new_route(&script, "GET - /b")).await?;
        sender.send_replace(());
        eventually("the table follows", async || (answer(&routes, "one.local", "/b") != "404").then_some(()))
            .await;
        Ok::<_, Error>(())
    };
    tokio::select! { () = follow => panic!("it follows for ever"), done = act => done }
}
