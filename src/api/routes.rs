//! Which script answers which address.

use std::collections::BTreeMap;

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::capability::needs::{AppRead, AppWriteRoute},
    admin::{self, route::Question},
    base::{
        Error, Result,
        cursor::Page,
        patch::Patch,
        pattern::{HostKind, PathKind, RouteRule, RuleText},
    },
    store::route::{self, DispatchMode, NewRoute, Route, RouteChange},
    web::{Body, Created, InApp, NoQuery, OnRoute, OnScript, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/scripts/{script}/routes",
            get_with(of_script, |op| {
                op.id("listScriptRoutes").tag("routes").summary("The routes that lead to a script")
            })
            .post_with(create, |op| {
                op.id("createRoute")
                    .tag("routes")
                    .summary("Lead an address to a script")
                    .description("409, naming it, if another route has the same host, path and method.")
            }),
        )
        .api_route(
            "/routes/{route}",
            get_with(show, |op| op.id("getRoute").tag("routes").summary("A route"))
                .patch_with(update, |op| op.id("updateRoute").tag("routes").summary("Change a route"))
                .delete_with(delete, |op| op.id("deleteRoute").tag("routes").summary("Delete a route")),
        )
        .api_route(
            "/apps/{app}/routes",
            get_with(of_app, |op| op.id("listRoutes").tag("routes").summary("The routes of an app")),
        )
        .api_route(
            "/apps/{app}/routes/match",
            post_with(find, |op| {
                op.id("matchRoute").tag("routes").summary("Which route would answer a request, and why")
            }),
        )
}

async fn of_app(
    AxumState(state): AxumState<State>,
    on: InApp<AppRead>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Route>>> {
    let limit = page.limit()?;
    Ok(Json(route::list(&state.db, (on.app.id, None), page.cursor(), limit).await?))
}

async fn of_script(
    AxumState(state): AxumState<State>,
    on: OnScript<AppRead>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Route>>> {
    let limit = page.limit()?;
    let of = (on.script.app_id, Some(on.script.id));
    Ok(Json(route::list(&state.db, of, page.cursor(), limit).await?))
}

/// What a route is made with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct New {
    /// How `host` is meant.
    host_kind: HostKind,
    /// One host, `garden.local`, or all below a name, `*.garden.local`; a domain of the app covers it.
    host: Option<String>,
    /// The parameter to which the labels before a wildcard are bound.
    host_param_name: Option<String>,
    /// How `path` is meant.
    path_kind: PathKind,
    /// The path, such as `/hello`, `/users/{id}` or `/files/{*rest}`.
    path: String,
    /// The method; without one the route answers every method.
    method: Option<String>,
    /// Whether the caller waits for the script; `sync` if not said.
    dispatch_mode: Option<DispatchMode>,
    /// Whether the route answers at all; true if not said.
    enabled: Option<bool>,
}

impl New {
    fn read(&self) -> Result<(RouteRule, DispatchMode)> {
        let rule = RouteRule::parse(RuleText {
            host_kind: self.host_kind,
            host: self.host.as_deref(),
            host_param_name: self.host_param_name.as_deref(),
            path_kind: self.path_kind,
            path: &self.path,
            method: self.method.as_deref(),
        });
        let rule = rule.map_err(Error::Invalid)?;
        Ok((rule, self.dispatch_mode.unwrap_or_default()))
    }
}

async fn create(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteRoute>,
    _: NoQuery,
    Body(new): Body<New>,
) -> Result<Created<Route>> {
    let (rule, dispatch_mode) = new.read()?;
    let new = NewRoute {
        app_id: on.script.app_id,
        script_id: on.script.id,
        rule,
        dispatch_mode,
        enabled: new.enabled.unwrap_or(true),
    };
    admin::route::create(&state, &on.caller, &new).await.map(Created)
}

async fn show(on: OnRoute<AppRead>, _: NoQuery) -> Json<Route> {
    Json(on.route)
}

/// What changes of a route; `dispatch_mode`, the script and the app stay.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct Change {
    /// How `host` is meant; with `any`, the host goes.
    host_kind: Patch<HostKind>,
    /// One host, `garden.local`, or all below a name, `*.garden.local`.
    host: Patch<String>,
    /// The parameter to which the labels before a wildcard are bound.
    host_param_name: Patch<String>,
    /// How `path` is meant.
    path_kind: Patch<PathKind>,
    /// The path.
    path: Patch<String>,
    /// The method; null answers every method.
    method: Patch<String>,
    /// Whether the route answers at all.
    enabled: Patch<bool>,
}

async fn update(
    AxumState(state): AxumState<State>,
    on: OnRoute<AppWriteRoute>,
    _: NoQuery,
    Body(change): Body<Change>,
) -> Result<Json<Route>> {
    let change = RouteChange {
        host_kind: change.host_kind.not_null("host_kind")?,
        host: change.host,
        host_param_name: change.host_param_name,
        path_kind: change.path_kind.not_null("path_kind")?,
        path: change.path.not_null("path")?,
        method: change.method,
        enabled: change.enabled.not_null("enabled")?,
    };
    admin::route::update(&state, &on.caller, on.route.id, change).await.map(Json)
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: OnRoute<AppWriteRoute>,
    _: NoQuery,
) -> Result<NoContent> {
    admin::route::delete(&state, &on.caller, on.route.id).await?;
    Ok(NoContent)
}

/// A request one would like to know the route of.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The host, as in the header `Host`.
    host: String,
    /// The method.
    method: String,
    /// The path, percent-encoded as in a request.
    path: String,
}

/// Which route answers.
#[derive(Default, serde::Serialize, schemars::JsonSchema)]
struct Found {
    /// Whether one does.
    matched: bool,
    /// The route.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<Route>,
    /// What its script would see as `ctx.request.params`.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<BTreeMap<String, Option<String>>>,
    /// What its script would see as `ctx.request.rest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    rest: Option<String>,
    /// Why none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

async fn find(
    AxumState(state): AxumState<State>,
    on: InApp<AppRead>,
    _: NoQuery,
    Body(asked): Body<Asked>,
) -> Result<Json<Found>> {
    let question = Question::new(&asked.host, &asked.method, &asked.path)?;
    Ok(Json(match admin::route::explain(&state, on.app.id, &question).await? {
        Ok((route, found)) => Found {
            matched: true,
            route: Some(route),
            params: Some(found.params.into_iter().collect()),
            rest: found.rest,
            reason: None,
        },
        Err(reason) => Found { reason: Some(reason), ..Found::default() },
    }))
}
