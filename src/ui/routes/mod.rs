//! An app's routes: which address leads to which script.

mod form;
mod test;

pub(super) use test::PAGE as TEST;

use axum::{
    Router,
    extract::State as AxumState,
    response::IntoResponse as _,
    routing::{get, post},
};
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{
    access::{
        Caller, Capability,
        capability::needs::{AppRead, AppWriteRoute},
    },
    admin,
    base::{
        Result,
        cursor::{DEFAULT_LIMIT, MAX_LIMIT},
        pattern::{End, HostRule, PathPattern, Segment},
    },
    page::{
        Form, Notice, Page, Place, RouteInApp, Visit,
        layout::{Answer, Frame},
        noticed, parts,
    },
    store::{
        app::App,
        route::{self, Route, RouteChange},
        script::{self, Script},
    },
    web::{InApp, Query, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/routes",
    place: Place::App("Routes"),
    needs: Some(Capability::AppRead),
    router,
};

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/routes", get(show).post(create))
        .route("/admin/apps/{app}/routes/{route}/enable", post(enable))
        .route("/admin/apps/{app}/routes/{route}/disable", post(disable))
        .route("/admin/apps/{app}/routes/{route}/delete", post(delete))
}

/// Which part of the list to show.
#[derive(Default, serde::Deserialize)]
struct Paging {
    cursor: Option<String>,
}

/// What the page shows beside what is stored.
#[derive(Default)]
pub(super) struct Desk<'a> {
    /// Where the list goes on.
    pub cursor: Option<&'a str>,
    /// The form for a new route.
    pub new: Form,
    /// The form that asks which route answers.
    pub test: Form,
    /// What it was answered.
    pub tested: Option<Markup>,
}

async fn show(
    AxumState(state): AxumState<State>,
    scope: InApp<AppRead>,
    visit: Visit,
    Query(paging): Query<Paging>,
) -> Answer {
    let desk = Desk { cursor: paging.cursor.as_deref(), ..Desk::default() };
    Ok(page(&state, &visit, (&scope.app, &scope.caller), desk).await?.into_response())
}

async fn create(
    AxumState(state): AxumState<State>,
    scope: InApp<AppWriteRoute>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match form::created(&state, &scope, &mut form).await {
        Ok(_) => Ok(noticed(&here(&scope.app), Notice::RouteCreated)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { new: form, ..Desk::default() };
            Ok((status, page(&state, &visit, (&scope.app, &scope.caller), desk).await?).into_response())
        }
    }
}

async fn enable(AxumState(state): AxumState<State>, scope: RouteInApp<AppWriteRoute>, _: Form) -> Answer {
    switch(&state, &scope, true).await?;
    Ok(noticed(&here(&scope.app), Notice::RouteEnabled))
}

async fn disable(AxumState(state): AxumState<State>, scope: RouteInApp<AppWriteRoute>, _: Form) -> Answer {
    switch(&state, &scope, false).await?;
    Ok(noticed(&here(&scope.app), Notice::RouteDisabled))
}

async fn switch(state: &State, scope: &RouteInApp<AppWriteRoute>, on: bool) -> Result<Route> {
    let change = RouteChange { enabled: Some(on), ..RouteChange::default() };
    admin::route::update(state, &scope.caller, scope.route.id, change).await
}

async fn delete(AxumState(state): AxumState<State>, scope: RouteInApp<AppWriteRoute>, _: Form) -> Answer {
    admin::route::delete(&state, &scope.caller, scope.route.id).await?;
    Ok(noticed(&here(&scope.app), Notice::RouteDeleted))
}

fn here(app: &App) -> String {
    format!("/admin/apps/{}/routes", app.slug)
}

/// The whole page.
pub(super) async fn page(
    state: &State,
    visit: &Visit,
    (app, caller): (&App, &Caller),
    desk: Desk<'_>,
) -> Result<Markup> {
    let routes = route::list(&state.db, (app.id, None), desk.cursor, DEFAULT_LIMIT).await?;
    let mut connection = state.db.acquire().await?;
    let scripts = script::list(&mut connection, app.id, None, MAX_LIMIT).await?.items;
    drop(connection);
    let may_write = caller.may(Capability::AppWriteRoute);
    // A conflict names the other route by its id, which nobody can read: the table shows which it is.
    let trouble: String = desk.new.troubles().collect();
    let main = html! {
        @if routes.items.is_empty() {
            (parts::empty("A route leads an address to a script: without one, nobody can call it.", &html! {}))
        } @else {
            (table(visit, app, (&routes.items, &scripts), (may_write, &trouble)))
            (parts::next_page(&here(app), routes.next_cursor.as_deref()))
        }
        div.columns {
            @if may_write { (form::panel(&here(app), &desk.new, &scripts)) }
            (test::panel(visit, app, &desk.test, desk.tested.as_ref()))
        }
    };
    Ok(Frame::new(visit, caller, "Routes").in_app(app).around(&main))
}

fn table(
    visit: &Visit,
    app: &App,
    (routes, scripts): (&[Route], &[Script]),
    (may_write, trouble): (bool, &str),
) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "Method" } th { "Address" } th { "Script" } th { "Try it" } th { "" } } }
            tbody {
                @for route in routes {
                    tr {
                        td { (method(route)) }
                        td {
                            code { (shown(app, route)) }
                            @if !route.enabled { " " (parts::badge("warn", "off")) }
                            @if trouble.contains(&route.id.to_string()) { " " (parts::badge("bad", "this one")) }
                        }
                        td { (script_of(app, route, scripts)) }
                        td { (parts::copyable(&curl(visit, app, route))) }
                        td.actions { @if may_write { (actions(app, route)) } }
                    }
                }
            }
        } }
    }
}

fn actions(app: &App, route: &Route) -> Markup {
    let address = format!("{}/{}", here(app), route.id);
    html! {
        @if route.enabled { (parts::post(&format!("{address}/disable"), "Switch off", "quiet")) }
        @else { (parts::post(&format!("{address}/enable"), "Switch on", "quiet")) }
        (parts::danger("Delete …", &html! {
            p { (method(route)) " " code { (shown(app, route)) } }
            (parts::post(&format!("{address}/delete"), "Delete this route", "bad"))
        }))
    }
}

fn script_of(app: &App, route: &Route, scripts: &[Script]) -> Markup {
    let script = scripts.iter().find(|script| script.id == route.script_id);
    html! {
        a href={ "/admin/apps/" (app.slug) "/scripts/" (route.script_id) } {
            @match script {
                Some(script) => (script.name),
                None => "script",
            }
        }
    }
}

/// A route's method as a badge.
pub(super) fn method(route: &Route) -> Markup {
    parts::badge("plain", route.method.as_deref().unwrap_or("any"))
}

/// The address a route answers on, as a person reads it.
fn shown(app: &App, route: &Route) -> String {
    let below = if route.path_kind == crate::base::pattern::PathKind::Prefix { " and below" } else { "" };
    match &route.host {
        Some(host) => format!("{host}{}{below}", route.path),
        None => format!("/~{}{}{below}", app.slug, route.path),
    }
}

/// An address at which a route can be called from here; names stand where values go.
pub(super) fn address(visit: &Visit, app: &App, route: &Route) -> String {
    let Ok(rule) = route.rule() else { return visit.address(app) };
    let base = match &rule.host {
        HostRule::Exact(name) => visit.address_on(name.as_str()),
        // No name server here need know the hosts below a name; by the slug the route answers anyway.
        HostRule::Any | HostRule::Wildcard { .. } => visit.address(app),
    };
    format!("{base}{}", example(&rule.path))
}

/// What a path cannot hold as it is.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'\'')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A path the pattern takes, percent-encoded.
fn example(pattern: &PathPattern) -> String {
    let mut path = String::new();
    for segment in pattern.segments() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.extend(utf8_percent_encode(text, IN_PATH)),
            Segment::Param(name) => path.push_str(name.as_str()),
        }
    }
    if let End::Remainder(name) = pattern.end() {
        path.push('/');
        path.push_str(name.as_str());
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// A command line that calls a route.
fn curl(visit: &Visit, app: &App, route: &Route) -> String {
    let address = address(visit, app, route);
    match route.method.as_deref() {
        None | Some("GET") => format!("curl '{address}'"),
        Some("HEAD") => format!("curl -I '{address}'"),
        Some(method @ ("POST" | "PUT" | "PATCH")) => {
            format!("curl -X {method} --json '{{}}' '{address}'")
        }
        Some(method) => format!("curl -X {method} '{address}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::pattern::PathKind;

    #[test]
    fn an_example_is_a_path_the_route_takes() -> Result<(), String> {
        let called = |kind, path| PathPattern::parse(kind, path).map(|pattern| example(&pattern));
        assert_eq!(called(PathKind::Exact, "/")?, "/");
        assert_eq!(called(PathKind::Exact, "/it's here")?, "/it%27s%20here");
        assert_eq!(called(PathKind::Param, "/users/{id}/{*rest}")?, "/users/id/rest");
        assert_eq!(called(PathKind::Prefix, "/api")?, "/api");
        Ok(())
    }
}
