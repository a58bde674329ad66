//! Making, changing and deleting routes, and asking which one answers.

use serde_json::{Value, json};

use crate::{
    access::Caller,
    base::{
        Error, Result,
        id::{AppId, RouteId},
        pattern::{Method, RequestPath, request_host},
    },
    routing::{Asked, Match},
    store::{
        audit::{self, Action, Entry},
        route::{self, NewRoute, Route, RouteChange},
    },
    web::State,
};

/// Makes a route; when this returns, this node serves it.
pub async fn create(state: &State, caller: &Caller, new: &NewRoute) -> Result<Route> {
    state.disk.check()?;
    let mut tx = state.begin(caller).await?;
    let route = route::create(&mut tx, new).await?;
    audit::append(&mut tx, entry(caller, Action::RouteCreate, &route)).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(route)
}

/// Changes a route; when this returns, this node serves it.
pub async fn update(state: &State, caller: &Caller, id: RouteId, change: RouteChange) -> Result<Route> {
    state.disk.check()?;
    let mut tx = state.begin(caller).await?;
    let route = route::update(&mut tx, id, change).await?;
    audit::append(&mut tx, entry(caller, Action::RouteUpdate, &route)).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(route)
}

/// Deletes a route; when this returns, this node serves it no more.
pub async fn delete(state: &State, caller: &Caller, id: RouteId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let route = route::delete(&mut *tx, id).await?.ok_or_else(|| Error::NotFound("route".to_owned()))?;
    audit::append(&mut tx, entry(caller, Action::RouteDelete, &route)).await?;
    tx.commit().await?;
    state.routes_changed().await
}

fn entry(caller: &Caller, action: Action, route: &Route) -> Entry {
    Entry {
        actor: caller.actor(),
        action,
        target: Some(route.id.to_string()),
        app: Some(route.app_id),
        details: what(route),
    }
}

/// What tells one route from another.
fn what(route: &Route) -> Value {
    json!({
        "script_id": route.script_id,
        "host": route.host,
        "path": route.path,
        "method": route.method,
        "dispatch_mode": route.dispatch_mode,
        "enabled": route.enabled,
    })
}

/// A request one would like to know the route of.
#[derive(Debug)]
pub struct Question {
    host: String,
    method: Method,
    path: RequestPath,
}

impl Question {
    /// Reads the three parts as a request's would be read.
    pub fn new(host: &str, method: &str, path: &str) -> Result<Self> {
        if path.contains(['?', '#']) {
            return Err(Error::invalid("path", "must be a path alone, without a query"));
        }
        Ok(Self {
            host: request_host(host).map_err(|_| Error::invalid("host", "must be a host name or address"))?,
            method: method.parse().map_err(|why: String| Error::invalid("method", why))?,
            path: RequestPath::parse(path).map_err(|why| Error::invalid("path", why))?,
        })
    }
}

/// Which route of an app answers, and what it binds; or the reason why none does.
pub async fn explain(
    state: &State,
    app: AppId,
    question: &Question,
) -> Result<Result<(Route, Match), String>> {
    let asked = Asked {
        host: &question.host,
        is_own: state.own_names.is_own(&question.host),
        method: question.method.as_str(),
        path: &question.path,
    };
    let explained = state.routes.table().explain(app, asked);
    match explained {
        Ok(found) => Ok(match route::get(&state.db, found.entry.id).await? {
            Some(route) => Ok((route, found)),
            None => Err("the route that answered was deleted just now".to_owned()),
        }),
        Err(reason) => {
            let asleep = asleep(state, app, question).await?;
            Ok(Err(asleep.map_or_else(|| reason.clone(), |asleep| format!("{reason}; {asleep}"))))
        }
    }
}

/// Says whether a route that is switched off would have matched.
async fn asleep(state: &State, app: AppId, question: &Question) -> Result<Option<String>> {
    let by_slug = question.path.first_segment().starts_with('~');
    let path = if by_slug { question.path.without_first_segment() } else { question.path.clone() };
    for route in route::disabled(&state.db, app).await? {
        let Ok(rule) = route.rule() else { continue };
        let host_fits = by_slug || rule.host.takes(&question.host);
        let method_fits = rule.method.is_none_or(|method| method == question.method);
        if host_fits && method_fits && rule.path.bind(&path).is_some() {
            let what = if route.enabled { "its script is disabled" } else { "it is disabled" };
            return Ok(Some(format!("the route {} would match, but {what}", route.id)));
        }
    }
    Ok(None)
}
