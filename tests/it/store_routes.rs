//! Domains and routes at the database: what excludes what, races included.

use picloud::{
    base::{
        Error, Result,
        id::{AppId, DomainId},
        name::Slug,
        patch::Patch,
        pattern::{HostKind, HostPattern, PathKind, RouteRule, RuleText},
    },
    store::{
        app::{self, NewApp},
        domain::{self, Domain},
        route::{self, DispatchMode, NewRoute, Route, RouteChange},
        script::{self, NewScript, Script},
    },
};
use sqlx::PgPool;

use crate::support::postgres::TestDb;

fn parsed<T: std::str::FromStr<Err = String>>(text: &str) -> T {
    text.parse().expect(text)
}

/// Makes an app with one script.
pub(crate) async fn app_with_script(db: &PgPool, slug: &str) -> Result<Script> {
    let new =
        NewApp { slug: parsed::<Slug>(slug), name: parsed("An app"), description: None, take_over: false };
    let mut tx = db.begin().await?;
    let app = app::create(&mut tx, &new).await?;
    let new = NewScript {
        app_id: app.id,
        name: parsed("answer"),
        source: parsed("1"),
        description: None,
        timeout_seconds: 30,
        sandbox: script::Sandbox::default(),
        enabled: true,
        author: None,
    };
    let script = script::create(&mut *tx, &new).await?;
    tx.commit().await?;
    Ok(script)
}

pub(crate) async fn claim(db: &PgPool, app: AppId, pattern: &str) -> Result<Domain> {
    let mut tx = db.begin().await?;
    let domain = domain::claim(&mut tx, app, &parsed::<HostPattern>(pattern)).await?;
    tx.commit().await?;
    Ok(domain)
}

async fn release(db: &PgPool, app: AppId, id: DomainId) -> Result<()> {
    let mut tx = db.begin().await?;
    domain::release(&mut tx, app, id).await?;
    tx.commit().await?;
    Ok(())
}

/// A route written as `METHOD host path`, as in `GET *.a.local /users/{id}`; `*` is any method, `-` any host.
pub(crate) fn new_route(script: &Script, text: &str) -> NewRoute {
    let parts: Vec<&str> = text.split(' ').collect();
    let host_kind = match parts[1] {
        "-" => HostKind::Any,
        host if host.starts_with('*') => HostKind::Wildcard,
        _ => HostKind::Exact,
    };
    let text = RuleText {
        host_kind,
        host: Some(parts[1]).filter(|host| *host != "-"),
        host_param_name: None,
        path_kind: if parts[2].contains('{') { PathKind::Param } else { PathKind::Exact },
        path: parts[2],
        method: Some(parts[0]).filter(|method| *method != "*"),
    };
    NewRoute {
        app_id: script.app_id,
        script_id: script.id,
        rule: RouteRule::parse(text).expect("a rule"),
        dispatch_mode: DispatchMode::Sync,
        enabled: true,
    }
}

pub(crate) async fn create(db: &PgPool, new: &NewRoute) -> Result<Route> {
    let mut tx = db.begin().await?;
    let route = route::create(&mut tx, new).await?;
    tx.commit().await?;
    Ok(route)
}

async fn update(db: &PgPool, route: &Route, change: RouteChange) -> Result<Route> {
    let mut tx = db.begin().await?;
    let route = route::update(&mut tx, route.id, change).await?;
    tx.commit().await?;
    Ok(route)
}

/// The words of a conflict.
fn conflict<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Conflict(words)) => words,
        other => panic!("{other:?}"),
    }
}

/// The field that was refused.
fn wrong_field<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(Error::Invalid(errors)) => errors[0].field.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_host_belongs_to_one_app() -> Result<()> {
    let db = TestDb::new().await;
    let (one, two) =
        (app_with_script(&db.pool, "one").await?.app_id, app_with_script(&db.pool, "two").await?.app_id);
    claim(&db.pool, one, "garden.local").await?;
    claim(&db.pool, one, "*.house.local").await?;
    for held in ["garden.local", "*.local", "x.house.local", "*.x.house.local", "*.house.local"] {
        conflict(claim(&db.pool, two, held).await);
    }
    for free in ["x.garden.local", "*.garden.local", "house.local", "yard.local"] {
        claim(&db.pool, two, free).await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_apps_domains_may_overlap_but_not_repeat() -> Result<()> {
    let db = TestDb::new().await;
    let app = app_with_script(&db.pool, "one").await?.app_id;
    claim(&db.pool, app, "*.garden.local").await?;
    claim(&db.pool, app, "a.garden.local").await?;
    assert!(conflict(claim(&db.pool, app, "a.garden.local").await).contains("this app"));
    let page = domain::list(&db.pool, app, None, 1).await?;
    assert_eq!(page.items[0].pattern.to_string(), "*.garden.local");
    let page = domain::list(&db.pool, app, page.next_cursor.as_deref(), 1).await?;
    assert_eq!((page.items[0].pattern.to_string().as_str(), page.next_cursor), ("a.garden.local", None));
    Ok(())
}

#[tokio::test]
async fn of_two_overlapping_claims_at_once_one_wins() -> Result<()> {
    let db = TestDb::new().await;
    let (one, two) =
        (app_with_script(&db.pool, "one").await?.app_id, app_with_script(&db.pool, "two").await?.app_id);
    for round in 0..10 {
        let (wide, narrow) = (format!("*.r{round}.local"), format!("x.r{round}.local"));
        let both = tokio::join!(claim(&db.pool, one, &wide), claim(&db.pool, two, &narrow));
        assert_eq!([both.0.is_ok(), both.1.is_ok()].iter().filter(|won| **won).count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_deleted_app_holds_nothing_and_claims_nothing() -> Result<()> {
    let db = TestDb::new().await;
    let (one, two) =
        (app_with_script(&db.pool, "one").await?.app_id, app_with_script(&db.pool, "two").await?.app_id);
    claim(&db.pool, one, "garden.local").await?;
    let mut tx = db.pool.begin().await?;
    app::delete(&mut tx, one).await?;
    tx.commit().await?;
    claim(&db.pool, two, "garden.local").await?;
    assert!(matches!(claim(&db.pool, one, "yard.local").await, Err(Error::NotFound(_))));
    Ok(())
}

#[tokio::test]
async fn a_route_is_stored_in_canonical_form() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    claim(&db.pool, script.app_id, "*.garden.local").await?;
    let route = create(&db.pool, &new_route(&script, "get *.Garden.Local /%61%20b/{id}")).await?;
    assert_eq!((route.host.as_deref(), route.method.as_deref()), (Some("*.garden.local"), Some("GET")));
    assert_eq!((route.path.as_str(), route.enabled), ("/a b/{id}", true));
    assert_eq!(route::get(&db.pool, route.id).await?.as_ref(), Some(&route));
    Ok(())
}

#[tokio::test]
async fn routes_of_the_same_host_shape_and_method_conflict() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    claim(&db.pool, script.app_id, "garden.local").await?;
    for (first, second) in [
        ("GET - /a", "GET - /%61"),
        ("* - /any", "* - /any"),
        ("GET - /u/{id}", "GET - /u/{name}"),
        ("* - /r/{*a}", "* - /r/{*b}"),
        ("PUT garden.local /a", "PUT garden.local. /a"),
    ] {
        let disabled = NewRoute { enabled: false, ..new_route(&script, first) };
        let other = create(&db.pool, &disabled).await?;
        let words = conflict(create(&db.pool, &new_route(&script, second)).await);
        assert!(words.contains(&other.id.to_string()), "{first}: {words}");
    }
    for different in
        ["POST - /a", "* - /a", "GET - /a/", "GET - /{a}", "GET garden.local /a", "GET - /u/{id}/"]
    {
        create(&db.pool, &new_route(&script, different)).await?;
    }
    let elsewhere = app_with_script(&db.pool, "two").await?;
    create(&db.pool, &new_route(&elsewhere, "GET - /a")).await?;
    Ok(())
}

#[tokio::test]
async fn a_routes_host_is_covered_by_a_domain_of_its_app() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    let other = app_with_script(&db.pool, "two").await?;
    claim(&db.pool, script.app_id, "garden.local").await?;
    claim(&db.pool, script.app_id, "*.house.local").await?;
    claim(&db.pool, other.app_id, "yard.local").await?;
    for covered in ["garden.local", "a.house.local", "*.house.local", "*.a.house.local"] {
        create(&db.pool, &new_route(&script, &format!("* {covered} /"))).await?;
    }
    for foreign in ["yard.local", "house.local", "*.garden.local", "*.local", "nowhere.local"] {
        let refused = create(&db.pool, &new_route(&script, &format!("* {foreign} /"))).await;
        assert_eq!(wrong_field(refused), "host", "{foreign}");
    }
    Ok(())
}

#[tokio::test]
async fn a_domain_that_routes_need_stays() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    let app = script.app_id;
    let wide = claim(&db.pool, app, "*.garden.local").await?;
    let narrow = claim(&db.pool, app, "a.garden.local").await?;
    let route = create(&db.pool, &new_route(&script, "* a.garden.local /x")).await?;
    release(&db.pool, app, wide.id).await?;
    let words = conflict(release(&db.pool, app, narrow.id).await);
    assert!(words.contains(&format!("a.garden.local/x ({})", route.id)), "{words}");
    route::delete(&db.pool, route.id).await?;
    release(&db.pool, app, narrow.id).await?;
    assert!(matches!(release(&db.pool, app, narrow.id).await, Err(Error::NotFound(_))));
    Ok(())
}

#[tokio::test]
async fn a_domain_is_not_released_under_a_route_that_is_being_made() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    for round in 0..10 {
        let host = format!("r{round}.local");
        let domain = claim(&db.pool, script.app_id, &host).await?;
        let new = new_route(&script, &format!("* {host} /"));
        let (made, released) =
            tokio::join!(create(&db.pool, &new), release(&db.pool, script.app_id, domain.id));
        assert!(made.is_ok() != released.is_ok(), "{made:?} {released:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_route_leads_to_a_script_of_its_own_app() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    let other = app_with_script(&db.pool, "two").await?;
    let across = NewRoute { script_id: other.id, ..new_route(&script, "* - /") };
    assert!(matches!(create(&db.pool, &across).await, Err(Error::NotFound(what)) if what == "script"));
    Ok(())
}

#[tokio::test]
async fn a_change_keeps_what_it_does_not_mention() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    claim(&db.pool, script.app_id, "*.garden.local").await?;
    let route = create(&db.pool, &new_route(&script, "GET *.garden.local /a")).await?;
    let named = RouteChange { host_param_name: Patch::Set("sub".to_owned()), ..RouteChange::default() };
    let route = update(&db.pool, &route, named).await?;
    assert_eq!((route.host_param_name.as_deref(), route.path.as_str()), (Some("sub"), "/a"));
    let clash = RouteChange {
        path_kind: Some(PathKind::Param),
        path: Some("/{sub}".to_owned()),
        ..RouteChange::default()
    };
    assert_eq!(wrong_field(update(&db.pool, &route, clash).await), "host_param_name");
    let any = RouteChange { host_kind: Some(HostKind::Any), method: Patch::Clear, ..RouteChange::default() };
    let changed = update(&db.pool, &route, any).await?;
    assert_eq!((changed.host, changed.host_param_name, changed.method), (None, None, None));
    assert!(changed.updated_at > route.updated_at);
    Ok(())
}

#[tokio::test]
async fn a_change_into_another_routes_place_is_a_conflict() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    let first = create(&db.pool, &new_route(&script, "GET - /a")).await?;
    let second = create(&db.pool, &new_route(&script, "GET - /b")).await?;
    let into = RouteChange { path: Some("/a".to_owned()), ..RouteChange::default() };
    assert!(conflict(update(&db.pool, &second, into).await).contains(&first.id.to_string()));
    let same = RouteChange { path: Some("/b".to_owned()), enabled: Some(false), ..RouteChange::default() };
    assert!(!update(&db.pool, &second, same).await?.enabled);
    let foreign = RouteChange {
        host_kind: Some(HostKind::Exact),
        host: Patch::Set("a.local".to_owned()),
        ..RouteChange::default()
    };
    assert_eq!(wrong_field(update(&db.pool, &second, foreign).await), "host");
    Ok(())
}

#[tokio::test]
async fn routes_are_listed_by_path_of_an_app_or_of_a_script() -> Result<()> {
    let db = TestDb::new().await;
    let script = app_with_script(&db.pool, "one").await?;
    for path in ["/c", "/a", "/b"] {
        create(&db.pool, &new_route(&script, &format!("GET - {path}"))).await?;
    }
    let first = route::list(&db.pool, (script.app_id, None), None, 2).await?;
    let second =
        route::list(&db.pool, (script.app_id, Some(script.id)), first.next_cursor.as_deref(), 2).await?;
    let paths: Vec<&str> = first.items.iter().chain(&second.items).map(|route| route.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/b", "/c"]);
    let other = app_with_script(&db.pool, "two").await?;
    assert!(route::list(&db.pool, (script.app_id, Some(other.id)), None, 2).await?.items.is_empty());
    Ok(())
}
