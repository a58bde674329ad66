//! From a path to a resource of an app: the only way, and it checks.
//!
//! Nothing else in a door makes an [`AppId`], so a
//! handler cannot forget to authorise. A resource of an app in which the
//! caller holds no role is not found; one whose role falls short is forbidden.

use std::{future::Future, marker::PhantomData};

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams};
use http::request::Parts;

mod user;

pub use user::{Changes, ChangesAccount, OnUser, Reads, ReadsAccount};

use super::{caller::document_needs, state::State};
use crate::{
    access::{Caller, Capability, capability::needs::Needs},
    base::{
        Error, Result,
        id::{AppId, OutboxId},
    },
    store::{
        app::{self, App, Reached},
        domain::{self, Domain},
        member, outbox,
        route::{self, Route},
        script::{self, Script},
    },
};

/// The app a path names by id or slug, for a caller who holds `C` in it.
#[derive(Debug)]
pub struct InApp<C> {
    /// The app.
    pub app: App,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// A caller who holds `C` in the instance, for calls that are about no app yet.
#[derive(Debug)]
pub struct InInstance<C> {
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// The script a path names, for a caller who holds `C` in its app.
#[derive(Debug)]
pub struct OnScript<C> {
    /// The script.
    pub script: Script,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// The domain of an app that a path names, for a caller who holds `C` in that app.
#[derive(Debug)]
pub struct OnDomain<C> {
    /// The app.
    pub app: App,
    /// The domain.
    pub domain: Domain,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// The durable row of an app's outbox that a path names, for a caller who holds `C` in that app.
#[derive(Debug)]
pub struct OnOutbox<C> {
    /// The app.
    pub app: App,
    /// The row, which may be gone by the time something is done to it.
    pub row: OutboxId,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

/// The route a path names, for a caller who holds `C` in its app.
#[derive(Debug)]
pub struct OnRoute<C> {
    /// The route.
    pub route: Route,
    /// Who calls.
    pub caller: Caller,
    capability: PhantomData<C>,
}

impl<C: Needs> FromRequestParts<State> for InApp<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let (caller, app) = reached(parts, state).await?;
        caller.require(C::CAPABILITY)?;
        Ok(Self { app, caller, capability: PhantomData })
    }
}

/// Authenticates, and loads the app for one who has a role in it: a stranger
/// learns no more of an app that is there than of one that is not.
async fn reached(parts: &mut Parts, state: &State) -> Result<(Caller, App)> {
    let caller = Caller::from_request_parts(parts, state).await?;
    let name = path_param(parts, "app").await?;
    let reached = app::named(&state.db, &name, caller.user.id).await?;
    let Reached { app, role, renamed } = reached.ok_or_else(|| not_found("app"))?;
    let caller = caller.in_app(app.id, role).ok_or_else(|| not_found("app"))?;
    if renamed {
        return Err(Error::Moved(with_slug(parts, app.slug.as_str())));
    }
    Ok((caller, app))
}

impl<C: Needs> FromRequestParts<State> for OnDomain<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let (caller, app) = reached(parts, state).await?;
        let found = match path_param(parts, "domain").await?.parse() {
            Ok(id) => domain::get(&state.db, app.id, id).await?,
            Err(_) => None,
        };
        let domain = found.ok_or_else(|| not_found("domain"))?;
        caller.require(C::CAPABILITY)?;
        Ok(Self { app, domain, caller, capability: PhantomData })
    }
}

impl<C: Needs> FromRequestParts<State> for OnOutbox<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let (caller, app) = reached(parts, state).await?;
        let id: Option<OutboxId> = path_param(parts, "row").await?.parse().ok();
        let row = match id {
            Some(id) if outbox::exists(&state.db, app.id, id).await? => id,
            _ => return Err(not_found("outbox row")),
        };
        caller.require(C::CAPABILITY)?;
        Ok(Self { app, row, caller, capability: PhantomData })
    }
}

impl<C: Needs> FromRequestParts<State> for OnRoute<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let load = async |key: String| match key.parse() {
            Ok(id) => Ok(route::get(&state.db, id).await?.map(|route| (route.app_id, route))),
            Err(_) => Ok(None),
        };
        let (caller, route) = authorised(parts, state, ("route", C::CAPABILITY), load).await?;
        Ok(Self { route, caller, capability: PhantomData })
    }
}

impl<C: Needs> FromRequestParts<State> for InInstance<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.require(C::CAPABILITY)?;
        Ok(Self { caller, capability: PhantomData })
    }
}

impl<C: Needs> FromRequestParts<State> for OnScript<C> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let load = async |key: String| match key.parse() {
            Ok(id) => Ok(script::get(&state.db, id).await?.map(|script| (script.app_id, script))),
            Err(_) => Ok(None),
        };
        let (caller, script) = authorised(parts, state, ("script", C::CAPABILITY), load).await?;
        Ok(Self { script, caller, capability: PhantomData })
    }
}

/// Authenticates, loads what the path parameter `name` says with the app it is of, and authorises, in this order.
async fn authorised<T, F: Future<Output = Result<Option<(AppId, T)>>>>(
    parts: &mut Parts,
    state: &State,
    (name, capability): (&str, Capability),
    load: impl FnOnce(String) -> F,
) -> Result<(Caller, T)> {
    let caller = Caller::from_request_parts(parts, state).await?;
    let key = path_param(parts, name).await?;
    let (app, found) = load(key).await?.ok_or_else(|| not_found(name))?;
    let role = member::role(&state.db, app, caller.user.id).await?;
    let caller = caller.in_app(app, role).ok_or_else(|| not_found(name))?;
    caller.require(capability)?;
    Ok((caller, found))
}

fn not_found(what: &str) -> Error {
    Error::NotFound(what.to_owned())
}

async fn path_param(parts: &mut Parts, name: &str) -> Result<String> {
    let params = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|e| Error::Malformed(format!("the path cannot be read: {e}")))?;
    let value = params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    value.ok_or_else(|| Error::internal(format!("the path of this call has no parameter {name}")))
}

/// The request's own address with the old slug replaced by the present one.
fn with_slug(parts: &Parts, new: &str) -> String {
    // Routers that are nested take their prefix off the address; the original has it.
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let asked = uri.path_and_query().map_or("/", |p| p.as_str());
    let Some((before, after)) = asked.split_once("/apps/") else { return asked.to_owned() };
    // The slug as it was written, percent-encoded or not, ends where its segment does.
    let rest = after.find(['/', '?']).map_or("", |end| &after[end..]);
    format!("{before}/apps/{new}{rest}")
}

/// Documents the path parameter, the capability and the ways to authenticate.
macro_rules! documented {
    ($($extractor:ident: $param:literal, $description:literal;)+) => {$(
        impl<C: Needs> OperationInput for $extractor<C> {
            fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
                crate::web::query::document_path_param(ctx, operation, ($param, $description));
                document_capability::<C>(operation);
            }
        }
    )+};
}

documented! {
    InApp: "app", "The app's id or slug.";
    OnScript: "script", "The script's id.";
    OnRoute: "route", "The route's id.";
}

impl<C: Needs> OperationInput for OnDomain<C> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        InApp::<C>::operation_input(ctx, operation);
        crate::web::query::document_path_param(ctx, operation, ("domain", "The domain's id."));
    }
}

impl<C: Needs> OperationInput for OnOutbox<C> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        InApp::<C>::operation_input(ctx, operation);
        crate::web::query::document_path_param(ctx, operation, ("row", "The row's id."));
    }
}

impl<C: Needs> OperationInput for InInstance<C> {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document_capability::<C>(operation);
    }
}

fn document_capability<C: Needs>(operation: &mut Operation) {
    document_needs(operation, words_for::<C>());
}

fn words_for<C: Needs>() -> String {
    let (name, scope) = (C::CAPABILITY.name(), C::CAPABILITY.scope());
    format!("Needs the capability {name}; an API key needs the scope `{scope}`.")
}
