//! An app at a glance: where it answers, what it has, what ran last, what to do next.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use maud::{Markup, html};

use super::{logs, routes};
use crate::{
    access::{Capability, capability::needs::AppRead},
    base::{Result, pattern::HostPattern},
    page::{
        Page, Place, Visit,
        layout::{Answer, Frame},
        parts,
    },
    store::{
        app::App,
        domain::{self, Domain},
        execution::{self, Attempt, Filter},
        route::{self, Route},
        script::{self, Script},
    },
    web::{InApp, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}",
    place: Place::App("Overview"),
    needs: Some(Capability::AppRead),
    router,
};

/// How many of each thing the overview shows.
const SHOWN: u32 = 10;

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}", get(show))
}

/// What the overview is made of.
struct Overview {
    domains: Vec<Domain>,
    scripts: Vec<Script>,
    routes: Vec<Route>,
    attempts: Option<Vec<Attempt>>,
}

async fn show(AxumState(state): AxumState<State>, scope: InApp<AppRead>, visit: Visit) -> Answer {
    let InApp { app, caller, .. } = scope;
    let overview = look(&state, &app, caller.may(Capability::AppLogRead)).await?;
    let main = html! {
        @if let Some(description) = &app.description { p.lead { (description) } }
        (next_step(&app, &overview))
        (addresses(&visit, &app, &overview.domains))
        div.columns {
            (scripts(&app, &overview.scripts))
            (answers(&visit, &app, &overview))
        }
        @if let Some(attempts) = &overview.attempts { (recent(&app, attempts, &overview.scripts)) }
    };
    Ok(Frame::new(&visit, &caller, app.name.as_str()).in_app(&app).around(&main).into_response())
}

async fn look(state: &State, app: &App, with_log: bool) -> Result<Overview> {
    let domains = domain::list(&state.db, app.id, None, SHOWN).await?.items;
    let mut connection = state.db.acquire().await?;
    let scripts = script::list(&mut connection, app.id, None, SHOWN).await?.items;
    drop(connection);
    let routes = route::list(&state.db, (app.id, None), None, SHOWN).await?.items;
    let attempts = if with_log {
        state.recorder.flush().await;
        Some(execution::list(&state.db, app.id, &Filter::default(), None, SHOWN).await?.items)
    } else {
        None
    };
    Ok(Overview { domains, scripts, routes, attempts })
}

/// What an app without scripts, routes or calls needs next.
fn next_step(app: &App, overview: &Overview) -> Markup {
    let base = format!("/admin/apps/{}", app.slug);
    let never_ran = overview.attempts.as_ref().is_some_and(Vec::is_empty);
    html! {
        @if overview.scripts.is_empty() {
            (parts::empty("This app is empty. A script is what answers: write the first one.",
                &html! { a.button href={ (base) "/scripts" } { "Write a script" } }))
        } @else if overview.routes.is_empty() {
            (parts::empty("No address leads to a script yet. A route gives one to it.",
                &html! { a.button href={ (base) "/routes" } { "Add a route" } }))
        } @else if never_ran {
            (parts::empty("Everything is in place. Call one of the routes below and look here again.",
                &html! {}))
        }
    }
}

fn addresses(visit: &Visit, app: &App, domains: &[Domain]) -> Markup {
    html! {
        section aria-labelledby="addresses" {
            h2 #addresses { "Addresses" }
            ul.plain {
                li { (parts::copyable(&format!("{}/", visit.address(app)))) span.hint { " from everywhere" } }
                @for domain in domains {
                    li {
                        @match &domain.pattern {
                            HostPattern::Exact(name) => (parts::copyable(&visit.address_on(name.as_str()))),
                            HostPattern::Wildcard(_) => code { (domain.pattern) },
                        }
                    }
                }
                @if app.is_default {
                    li { span.hint { "and every host that no other app claims" } }
                }
            }
        }
    }
}

fn scripts(app: &App, scripts: &[Script]) -> Markup {
    let base = format!("/admin/apps/{}/scripts", app.slug);
    html! {
        section aria-labelledby="scripts" {
            h2 #scripts { a href=(base) { "Scripts" } }
            @if scripts.is_empty() { p.hint { "None yet." } }
            ul.plain {
                @for script in scripts {
                    li {
                        a href={ (base) "/" (script.id) } { (script.name) }
                        span.hint { " version " (script.version) }
                        @if !script.enabled { " " (parts::badge("warn", "off")) }
                    }
                }
            }
        }
    }
}

fn answers(visit: &Visit, app: &App, overview: &Overview) -> Markup {
    html! {
        section aria-labelledby="routes" {
            h2 #routes { a href={ "/admin/apps/" (app.slug) "/routes" } { "Routes" } }
            @if overview.routes.is_empty() { p.hint { "None yet." } }
            ul.plain {
                @for route in &overview.routes {
                    li {
                        (routes::method(route)) " " (parts::copyable(&routes::address(visit, app, route)))
                        @if !route.enabled { " " (parts::badge("warn", "off")) }
                    }
                }
            }
        }
    }
}

fn recent(app: &App, attempts: &[Attempt], scripts: &[Script]) -> Markup {
    html! {
        section aria-labelledby="recent" {
            h2 #recent { a href={ "/admin/apps/" (app.slug) "/logs" } { "Recent executions" } }
            @if attempts.is_empty() { p.hint { "Nothing ran yet." } } @else {
                (logs::table(app, attempts, scripts))
            }
        }
    }
}
