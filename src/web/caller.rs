//! Who is calling: the extractor every handler of the administration passes.

use aide::{
    OperationInput,
    generate::GenContext,
    openapi::{OpenApi, Operation, ReferenceOr},
    util::iter_operations_mut,
};
use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use sqlx::PgConnection;

use super::{Client, origin, state::State};
use crate::{
    access::{By, Caller, token},
    base::{
        Error, Result,
        id::{AppId, SessionId},
    },
    store::{api_key, member, session},
};

/// The bearer token of the `Authorization` header, if there is one.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    bearers(headers).next()
}

/// The bearer tokens of all `Authorization` headers; there should be one at most.
pub fn bearers(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

/// Who comes with a session's token or an API key; 401 if it is expired, revoked or unknown.
pub async fn caller_of(state: &State, token: &str) -> Result<Caller> {
    if token.starts_with(token::KEY_PREFIX) {
        let refused = || Error::Unauthenticated("this API key is not valid (any more)".to_owned());
        return api_key::caller_of(&state.db, token).await?.ok_or_else(refused);
    }
    by_session(state, token).await
}

/// Who comes with a session's token.
async fn by_session(state: &State, token: &str) -> Result<Caller> {
    let refused = || Error::Unauthenticated("this token is not valid (any more); sign in again".to_owned());
    if !token.starts_with(token::SESSION_PREFIX) {
        return Err(refused());
    }
    session::caller_of(&state.db, token).await?.ok_or_else(refused)
}

/// Refuses one who was signed out, deactivated or lost a role since the call began.
pub(super) async fn still_may(conn: &mut PgConnection, caller: &Caller) -> Result<()> {
    let user = match &caller.by {
        By::Session(id) => session::user_of(&mut *conn, *id).await?,
        By::Key(key) => api_key::user_of(&mut *conn, key.id).await?,
    };
    let gone = || Error::Unauthenticated("this sign-in has ended meanwhile; sign in again".to_owned());
    let user = user.ok_or_else(gone)?;
    let lost = || Error::Forbidden("your role has changed meanwhile".to_owned());
    if user.role < caller.user.role {
        return Err(lost());
    }
    let Some((app, role)) = caller.place().filter(|_| !caller.runs_instance()) else { return Ok(()) };
    let now = member::role(&mut *conn, app, user.id).await?;
    if now.is_some_and(|now| now >= role) { Ok(()) } else { Err(lost()) }
}

/// The same caller in the app they are in, as things are now; nobody if the
/// session or key is no good any more, or the app none of their business.
pub async fn again(state: &State, caller: &Caller, app: AppId) -> Result<Option<Caller>> {
    let user = match &caller.by {
        By::Session(id) => session::user_of(&state.db, *id).await?,
        By::Key(key) => api_key::user_of(&state.db, key.id).await?,
    };
    let Some(user) = user else { return Ok(None) };
    let member = member::role(&state.db, app, user.id).await?;
    Ok(Caller::new(user, caller.by.clone()).in_app(app, member))
}

impl FromRequestParts<State> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let address = Client::from_request_parts(parts, state).await?.address;
        if let Some(token) = bearer(&parts.headers) {
            return Ok(caller_of(state, token).await?.calling_from(address));
        }
        let Some(token) = origin::session_cookie(&parts.headers)? else {
            return Err(Error::Unauthenticated("sign in first, or send a bearer token".to_owned()));
        };
        // A key is for programs, which send headers: in a cookie any page could ride on it.
        let caller = by_session(state, token).await?.calling_from(address);
        origin::require_same_origin(parts)?;
        // For what reads the body later: a form must have this person's token.
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// Somebody who is signed in, with no matter which role. A key is no login: it
/// can neither make nor list keys, nor end a session.
#[derive(Debug)]
pub struct SignedIn {
    /// Who calls.
    pub caller: Caller,
    /// The session the call came with.
    pub session: SessionId,
}

impl FromRequestParts<State> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let session = caller.require_login()?;
        Ok(Self { caller, session })
    }
}

impl OperationInput for SignedIn {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document_needs(operation, "Needs a session; an API key will not do.");
    }
}

impl OperationInput for Caller {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document(operation);
    }
}

/// Says in the OpenAPI document that a call needs credentials: a session by cookie, or a session or an API key as bearer.
fn document(operation: &mut Operation) {
    operation.security = ["session", "bearer"]
        .into_iter()
        .map(|scheme| std::iter::once((scheme.to_owned(), Vec::new())).collect())
        .collect();
}

/// Where [`document_needs`] keeps its words until the description is made.
const NEEDS: &str = "x-needs";

/// Says in the OpenAPI document what a call needs of its caller.
pub fn document_needs(operation: &mut Operation, words: impl Into<String>) {
    document(operation);
    operation.extensions.insert(NEEDS.to_owned(), words.into().into());
}

/// Ends each description with what the call needs: only when all has been said
/// of a call, since a description takes the place of the one before.
pub fn describe_needs(document: &mut OpenApi) {
    let items = document.paths.iter_mut().flat_map(|paths| paths.paths.values_mut());
    let items = items.filter_map(|item| match item {
        ReferenceOr::Item(item) => Some(item),
        ReferenceOr::Reference { .. } => None,
    });
    for (_, operation) in items.flat_map(iter_operations_mut) {
        let needs = operation.extensions.shift_remove(NEEDS);
        let needs = needs.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned);
        let said = operation.description.take();
        let both: Vec<String> = said.into_iter().chain(needs).collect();
        operation.description = (!both.is_empty()).then(|| both.join("\n\n"));
    }
}
