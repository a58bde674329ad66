//! Apps at the database: slugs and who may have them, races included.

use picloud::{
    access::{By, Caller, InstanceRole, User},
    base::{
        Error, Result,
        id::{AppId, SessionId, UserId},
        patch::Patch,
    },
    store::app::{self, App, AppChange, NewApp},
};
use sqlx::PgPool;

use crate::support::postgres::TestDb;

fn parsed<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(Error::internal)
}

async fn create(db: &PgPool, slug: &str, take_over: bool) -> Result<App> {
    let new = NewApp { slug: parsed(slug)?, name: parsed("Garden")?, description: None, take_over };
    let mut tx = db.begin().await?;
    let app = app::create(&mut tx, &new).await?;
    tx.commit().await?;
    Ok(app)
}

async fn rename(db: &PgPool, id: AppId, slug: &str) -> Result<App> {
    let change = AppChange { slug: Some(parsed(slug)?), ..AppChange::default() };
    let mut tx = db.begin().await?;
    let app = app::update(&mut tx, id, change).await?;
    tx.commit().await?;
    Ok(app)
}

async fn delete(db: &PgPool, id: AppId) -> Result<()> {
    let mut tx = db.begin().await?;
    app::delete(&mut tx, id).await?;
    tx.commit().await?;
    Ok(())
}

fn caller(role: InstanceRole) -> Result<Caller> {
    let user = User { id: UserId::new(), username: parsed("ada")?, role };
    Ok(Caller::new(user, By::Session(SessionId::new())))
}

/// Where a slug leads: the app it names, or redirects to.
async fn leads_to(db: &PgPool, slug: &str) -> Result<(Option<AppId>, Option<AppId>)> {
    let found = app::named(db, slug, UserId::new()).await?.map(|found| (found.app.id, found.renamed));
    Ok((
        found.filter(|(_, renamed)| !renamed).map(|(id, _)| id),
        found.filter(|(_, renamed)| *renamed).map(|(id, _)| id),
    ))
}

fn is_conflict<T>(result: &Result<T>) -> bool {
    matches!(result, Err(Error::Conflict(_)))
}

#[tokio::test]
async fn a_renamed_slug_redirects_however_often_the_app_is_renamed() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = create(&db, "one", false).await?;
    rename(&db, app.id, "two").await?;
    rename(&db, app.id, "three").await?;
    assert_eq!(leads_to(&db, "one").await?, (None, Some(app.id)));
    assert_eq!(leads_to(&db, "two").await?, (None, Some(app.id)));
    assert_eq!(leads_to(&db, "three").await?, (Some(app.id), None));
    Ok(())
}

#[tokio::test]
async fn an_app_may_have_its_old_slug_back() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = create(&db, "one", false).await?;
    rename(&db, app.id, "two").await?;
    rename(&db, app.id, "one").await?;
    assert_eq!(leads_to(&db, "one").await?, (Some(app.id), None));
    assert_eq!(leads_to(&db, "two").await?, (None, Some(app.id)));
    Ok(())
}

#[tokio::test]
async fn a_slug_that_redirects_is_taken_over_only_on_request() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let first = create(&db, "one", false).await?;
    rename(&db, first.id, "two").await?;
    assert!(is_conflict(&create(&db, "one", false).await));
    let other = create(&db, "other", false).await?;
    assert!(is_conflict(&rename(&db, other.id, "one").await));
    assert_eq!(leads_to(&db, "one").await?, (None, Some(first.id)));

    let second = create(&db, "one", true).await?;
    assert_eq!(leads_to(&db, "one").await?, (Some(second.id), None));
    assert!(is_conflict(&rename(&db, first.id, "one").await));
    Ok(())
}

#[tokio::test]
async fn a_slug_that_is_held_cannot_even_be_taken_over() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    create(&db, "one", false).await?;
    assert!(is_conflict(&create(&db, "one", true).await));
    Ok(())
}

#[tokio::test]
async fn of_two_apps_renamed_to_one_slug_at_once_one_gets_it() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    for round in 0..10 {
        let a = create(&db, &format!("a{round}"), false).await?;
        let b = create(&db, &format!("b{round}"), false).await?;
        let wanted = format!("wanted{round}");
        let (first, second) = tokio::join!(rename(&db, a.id, &wanted), rename(&db, b.id, &wanted));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        assert!(is_conflict(&first) || is_conflict(&second), "{first:?} {second:?}");
    }
    Ok(())
}

#[tokio::test]
async fn two_renames_of_one_app_at_once_keep_every_slug_it_had() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = create(&db, "start", false).await?;
    let (left, right) = tokio::join!(rename(&db, app.id, "left"), rename(&db, app.id, "right"));
    left.and(right)?;
    let now = app::by_id(&db, app.id).await?.map(|app| app.slug.to_string());
    for slug in ["start", "left", "right"] {
        let (current, redirected) = leads_to(&db, slug).await?;
        assert_eq!(current.or(redirected), Some(app.id), "{slug}");
        assert_eq!(current.is_some(), now.as_deref() == Some(slug), "{slug}");
    }
    Ok(())
}

#[tokio::test]
async fn a_slug_given_up_at_the_moment_it_is_wanted_is_never_held_twice() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    for round in 0..10 {
        let slug = format!("wanted{round}");
        let old = create(&db, &slug, false).await?;
        let gone = format!("gone{round}");
        let take_over = round % 2 == 0;
        let (renamed, made) = tokio::join!(rename(&db, old.id, &gone), create(&db, &slug, take_over));
        renamed?;
        let expected = match made {
            Ok(made) if take_over => (Some(made.id), None),
            Err(Error::Conflict(_)) => (None, Some(old.id)),
            other => panic!("{other:?}"),
        };
        assert_eq!(leads_to(&db, &slug).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_app_frees_its_slugs_and_domains_at_once() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = create(&db, "one", false).await?;
    rename(&db, app.id, "two").await?;
    sqlx::query("insert into domains (id, app_id, pattern) values (gen_random_uuid(), $1, 'two.local')")
        .bind(app.id)
        .execute(&db)
        .await?;
    assert_eq!(app::counts(&db, app.id).await?.domains, 1);
    delete(&db, app.id).await?;

    assert!(app::by_id(&db, app.id).await?.is_none());
    assert_eq!(leads_to(&db, "one").await?, (None, None));
    assert_eq!(leads_to(&db, "two").await?, (None, None));
    let domains: i64 = sqlx::query_scalar("select count(*) from domains").fetch_one(&db).await?;
    assert_eq!(domains, 0);
    create(&db, "one", false).await?;
    create(&db, "two", false).await?;
    assert!(matches!(delete(&db, app.id).await, Err(Error::NotFound(_))));
    assert!(matches!(rename(&db, app.id, "three").await, Err(Error::NotFound(_))));
    Ok(())
}

#[tokio::test]
async fn apps_are_listed_by_name_a_page_at_a_time() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    for (slug, name) in [("c", "Alarm"), ("a", "Shed"), ("b", "Shed"), ("d", "Zoo")] {
        let app = create(&db, slug, false).await?;
        let change = AppChange { name: Some(parsed(name)?), ..AppChange::default() };
        let mut tx = db.begin().await?;
        app::update(&mut tx, app.id, change).await?;
        tx.commit().await?;
    }
    let owner = caller(InstanceRole::Owner)?;
    let mut slugs = Vec::new();
    let mut cursor = None;
    loop {
        let page = app::list(&db, &owner, cursor.as_deref(), 2).await?;
        slugs.extend(page.items.iter().map(|app| app.slug.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(slugs, ["c", "a", "b", "d"]);
    assert!(matches!(app::list(&db, &owner, Some("made-up"), 2).await, Err(Error::Invalid(_))));
    let none = app::list(&db, &caller(InstanceRole::Member)?, None, 2).await?;
    assert!(none.items.is_empty() && none.next_cursor.is_none(), "a member of no app");
    Ok(())
}

#[tokio::test]
async fn a_change_leaves_alone_what_it_does_not_name() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let app = create(&db, "one", false).await?;
    let mut conn = db.acquire().await?;
    let note = AppChange { description: Patch::Set(parsed("waters")?), ..AppChange::default() };
    let noted = app::update(&mut conn, app.id, note).await?;
    assert_eq!((noted.slug.as_str(), noted.name.as_str()), ("one", "Garden"));
    let kept = app::update(&mut conn, app.id, AppChange::default()).await?;
    assert_eq!(kept.description, noted.description);
    let clear = AppChange { description: Patch::Clear, ..AppChange::default() };
    assert_eq!(app::update(&mut conn, app.id, clear).await?.description, None);
    Ok(())
}

async fn begin(db: &PgPool) -> Result<bool> {
    let mut tx = db.begin().await?;
    let made = app::ensure_default(&mut tx).await?;
    tx.commit().await?;
    Ok(made)
}

#[tokio::test]
async fn a_new_instance_begins_with_hello_once() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    let (one, two) = tokio::join!(begin(&db), begin(&db));
    assert!(one? != two?, "one of two nodes makes it");
    let found: Vec<(String, bool, String, String)> = sqlx::query_as(
        "select apps.slug, is_default, scripts.name, routes.path
         from apps join scripts on scripts.app_id = apps.id join routes on routes.script_id = scripts.id",
    )
    .fetch_all(&db)
    .await?;
    assert_eq!(found, [("default".to_owned(), true, "hello".to_owned(), "/hello".to_owned())]);
    Ok(())
}

#[tokio::test]
async fn what_the_user_changed_in_the_default_app_stays_changed() -> Result<()> {
    let test = TestDb::new().await;
    let db = test.pool.clone();
    begin(&db).await?;
    let (Some(app), None) = leads_to(&db, app::DEFAULT_SLUG).await? else { panic!("no default app") };
    rename(&db, app, "home").await?;
    sqlx::query("delete from routes").execute(&db).await?;
    sqlx::query("delete from scripts").execute(&db).await?;
    assert!(!begin(&db).await?);
    let scripts: i64 = sqlx::query_scalar("select count(*) from scripts").fetch_one(&db).await?;
    assert_eq!((scripts, leads_to(&db, "home").await?), (0, (Some(app), None)));
    assert!(is_conflict(&delete(&db, app).await), "it cannot be deleted");
    Ok(())
}
