//! A script or a route under the app whose page it is on.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::{
    access::{Caller, capability::needs::Needs},
    base::{Error, Result},
    store::{
        app::App,
        route::{self, Route},
        script::{self, Script},
    },
    web::{InApp, State},
};

/// A script of the app in the path, for a caller who holds `C` there.
#[derive(Debug)]
pub struct ScriptInApp<C> {
    /// The app.
    pub app: App,
    /// Its script.
    pub script: Script,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// A route of the app in the path, for a caller who holds `C` there.
#[derive(Debug)]
pub struct RouteInApp<C> {
    /// The app.
    pub app: App,
    /// Its route.
    pub route: Route,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

impl<C: Needs> FromRequestParts<State> for ScriptInApp<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let InApp { app, caller, .. } = InApp::<C>::from_request_parts(parts, state).await?;
        let id = param(parts, "script").await?.parse().map_err(|_| not_found("script"))?;
        let script = script::get(&state.db, id).await?.filter(|script| script.app_id == app.id);
        let script = script.ok_or_else(|| not_found("script"))?;
        Ok(Self { app, script, caller, capability: PhantomData })
    }
}

impl<C: Needs> FromRequestParts<State> for RouteInApp<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let InApp { app, caller, .. } = InApp::<C>::from_request_parts(parts, state).await?;
        let id = param(parts, "route").await?.parse().map_err(|_| not_found("route"))?;
        let route = route::get(&state.db, id).await?.filter(|route| route.app_id == app.id);
        let route = route.ok_or_else(|| not_found("route"))?;
        Ok(Self { app, route, caller, capability: PhantomData })
    }
}

fn not_found(what: &str) -> Error {
    Error::NotFound(what.to_owned())
}

async fn param(parts: &mut Parts, name: &str) -> Result<String> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|e| Error::Malformed(format!("the path cannot be read: {e}")))?;
    let value = params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    value.ok_or_else(|| Error::internal(format!("the path of this page has no parameter {name}")))
}
