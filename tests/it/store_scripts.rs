//! Scripts at the database: versions under concurrent saves, and deletion.

use std::collections::BTreeSet;

use picloud::{
    base::{
        Error, Result,
        id::{AppId, RouteId, ScriptId},
        name::MAX_SOURCE,
        patch::Patch,
    },
    store::{
        app::{self, NewApp},
        script::{self, NewScript, Sandbox, Script, ScriptChange},
    },
};
use sqlx::PgPool;

use crate::support::postgres::TestDb;

fn parsed<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(Error::internal)
}

async fn an_app(db: &PgPool) -> Result<AppId> {
    let slug = format!("app-{}", AppId::new().to_string().replace('-', "x"));
    let new = NewApp { slug: parsed(&slug)?, name: parsed("App")?, description: None, take_over: false };
    Ok(app::create(&mut *db.acquire().await?, &new).await?.id)
}

async fn create(db: &PgPool, app_id: AppId, name: &str, source: &str) -> Result<Script> {
    let new = NewScript {
        app_id,
        name: parsed(name)?,
        source: parsed(source)?,
        description: None,
        timeout_seconds: script::DEFAULT_TIMEOUT_SECONDS,
        sandbox: Sandbox::default(),
        enabled: true,
        author: Some("ada".to_owned()),
    };
    script::create(db, &new).await
}

async fn save(db: &PgPool, id: ScriptId, source: &str, author: &str) -> Result<Script> {
    let change = ScriptChange {
        source: Some(parsed(source)?),
        author: Some(author.to_owned()),
        ..ScriptChange::default()
    };
    let mut tx = db.begin().await?;
    let script = script::update(&mut tx, id, change).await?;
    tx.commit().await?;
    Ok(script)
}

async fn route_to(db: &PgPool, script: &Script, path: &str) -> Result<RouteId> {
    let id = RouteId::new();
    sqlx::query(
        "insert into routes (id, app_id, script_id, host_kind, path_kind, path, path_shape, method)
         values ($1, $2, $3, 'any', 'exact', $4, $4, 'GET')",
    )
    .bind(id)
    .bind(script.app_id)
    .bind(script.id)
    .bind(path)
    .execute(db)
    .await?;
    Ok(id)
}

#[tokio::test]
async fn saves_at_once_lose_no_version() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let script = create(&db, an_app(&db).await?, "busy", "0").await?;
    let saves = (1..=20).map(|n| {
        let db = db.clone();
        async move { save(&db, script.id, &n.to_string(), "ada").await.map(|saved| saved.version) }
    });
    let made: Result<BTreeSet<i32>> = futures_util::future::join_all(saves).await.into_iter().collect();
    assert_eq!(made?, (2..=21).collect());

    let all = script::versions(&mut *db.acquire().await?, script.id, None, 50).await?;
    assert_eq!(all.items.iter().map(|v| v.version).collect::<Vec<_>>(), (1..=21).rev().collect::<Vec<_>>());
    let sources: BTreeSet<String> = all.items.iter().map(|v| v.source.clone()).collect();
    assert_eq!(sources, (0..=20).map(|n| n.to_string()).collect());
    let Some(now) = script::get(&db, script.id).await? else { panic!("the script is gone") };
    assert_eq!((now.version, &now.source), (21, &all.items[0].source), "the last one runs");
    Ok(())
}

#[tokio::test]
async fn a_save_of_the_same_source_makes_no_version() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let script = create(&db, an_app(&db).await?, "same", "1").await?;
    assert_eq!(save(&db, script.id, "1", "ada").await?.version, 1);
    assert_eq!(save(&db, script.id, "2", "bob").await?.version, 2);
    let mut conn = db.acquire().await?;
    let other = ScriptChange {
        name: Some(parsed("renamed")?),
        description: Patch::Set(parsed("note")?),
        timeout_seconds: Some(7),
        sandbox: Some(Sandbox { max_log_lines: Some(3), ..Sandbox::default() }),
        enabled: Some(false),
        ..ScriptChange::default()
    };
    let changed = script::update(&mut conn, script.id, other).await?;
    assert_eq!((changed.version, changed.source.as_str(), changed.enabled), (2, "2", false));
    assert_eq!((changed.name.as_str(), changed.timeout_seconds), ("renamed", 7));
    assert_eq!(changed.sandbox.max_log_lines, Some(3));
    assert_eq!(script::get(&db, script.id).await?, Some(changed));
    Ok(())
}

#[tokio::test]
async fn every_version_can_be_looked_at() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let script = create(&db, an_app(&db).await?, "back", "1").await?;
    save(&db, script.id, "2", "bob").await?;
    let second = script::version(&db, script.id, 2).await?;
    assert_eq!(second.and_then(|v| v.author).as_deref(), Some("bob"));
    assert_eq!(script::source(&db, script.id, 1).await?.as_deref(), Some("1"));
    assert_eq!(script::source(&db, script.id, 3).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_name_is_unique_in_its_app_alone() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let (one, two) = (an_app(&db).await?, an_app(&db).await?);
    create(&db, one, "name", "1").await?;
    create(&db, two, "name", "1").await?;
    let again = create(&db, one, "name", "2").await;
    assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    let other = create(&db, one, "other", "1").await?;
    let change = ScriptChange { name: Some(parsed("name")?), ..ScriptChange::default() };
    let renamed = script::update(&mut *db.acquire().await?, other.id, change).await;
    assert!(matches!(renamed, Err(Error::Conflict(_))), "{renamed:?}");
    Ok(())
}

#[tokio::test]
async fn a_deleted_app_has_no_scripts_and_gets_none() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    let script = create(&db, app, "name", "1").await?;
    app::delete(&mut *db.acquire().await?, app).await?;
    assert!(script::get(&db, script.id).await?.is_none());
    assert!(matches!(save(&db, script.id, "2", "ada").await, Err(Error::NotFound(_))));
    assert!(matches!(create(&db, app, "other", "1").await, Err(Error::NotFound(_))));
    Ok(())
}

#[tokio::test]
async fn the_database_refuses_a_reference_across_apps() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let mut script = create(&db, an_app(&db).await?, "mine", "1").await?;
    script.app_id = an_app(&db).await?;
    assert!(route_to(&db, &script, "/theirs").await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_script_that_routes_lead_to_goes_only_with_them() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let script = create(&db, an_app(&db).await?, "led-to", "1").await?;
    let route = route_to(&db, &script, "/a").await?;
    let mut conn = db.acquire().await?;
    let Err(Error::Conflict(why)) = script::delete(&mut conn, script.id).await else { panic!("deleted") };
    assert!(why.contains("GET /a") && why.contains(&route.to_string()), "{why}");
    script::delete_cascade(&mut conn, script.id).await?;
    for table in ["scripts", "script_versions", "routes"] {
        let rows: i64 = sqlx::query_scalar(&format!("select count(*) from {table}")).fetch_one(&db).await?;
        assert_eq!(rows, 0, "{table}");
    }
    assert!(matches!(script::delete(&mut conn, script.id).await, Err(Error::NotFound(_))));
    Ok(())
}

#[tokio::test]
async fn a_refusal_names_some_of_many_routes() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let script = create(&db, an_app(&db).await?, "led-to", "1").await?;
    for n in 10..35 {
        route_to(&db, &script, &format!("/{n}")).await?;
    }
    let Err(Error::Conflict(why)) = script::delete(&mut *db.acquire().await?, script.id).await else {
        panic!("deleted")
    };
    assert!(why.contains("GET /29 ") && !why.contains("GET /30 ") && why.contains("and 5 more"), "{why}");
    Ok(())
}

#[tokio::test]
async fn a_page_of_scripts_ends_where_their_sources_are_long() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = an_app(&db).await?;
    let long = "/".repeat(MAX_SOURCE);
    for n in 0..6 {
        create(&db, app, &format!("s{n}"), &long).await?;
    }
    let mut conn = db.acquire().await?;
    let first = script::list(&mut conn, app, None, 50).await?;
    assert_eq!(first.items.len(), 4, "1 MiB of sources");
    let rest = script::list(&mut conn, app, first.next_cursor.as_deref(), 50).await?;
    let names: Vec<&str> = rest.items.iter().map(|s| s.name.as_str()).collect();
    assert_eq!((names, rest.next_cursor), (vec!["s4", "s5"], None));
    let two = script::list(&mut conn, app, None, 2).await?;
    assert_eq!((two.items.len(), two.next_cursor.is_some()), (2, true));
    Ok(())
}
