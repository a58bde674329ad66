//! Who is calling: the extractor every handler of the administration passes.

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};

use super::{origin, state::State};
use crate::{
    access::{Caller, token},
    base::{Error, Result},
    store::session,
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

/// Who comes with a token of ours; 401 if it is expired, revoked or unknown.
pub async fn caller_of(state: &State, token: &str) -> Result<Caller> {
    let refused = || Error::Unauthenticated("this token is not valid (any more); sign in again".to_owned());
    if !token::is_ours(token) {
        return Err(refused());
    }
    session::caller_of(&state.db, token).await?.ok_or_else(refused)
}

impl FromRequestParts<State> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        if let Some(token) = bearer(&parts.headers) {
            return caller_of(state, token).await;
        }
        let Some(token) = origin::session_cookie(&parts.headers)? else {
            return Err(Error::Unauthenticated("sign in first, or send a bearer token".to_owned()));
        };
        let caller = caller_of(state, token).await?;
        origin::require_same_origin(&parts.method, &parts.headers, &parts.uri)?;
        Ok(caller)
    }
}

impl OperationInput for Caller {
    fn operation_input(_: &mut GenContext, operation: &mut Operation) {
        document(operation);
    }
}

/// Says in the OpenAPI document that a call needs a session, by cookie or bearer.
pub(super) fn document(operation: &mut Operation) {
    operation.security = ["session", "bearer"]
        .into_iter()
        .map(|scheme| std::iter::once((scheme.to_owned(), Vec::new())).collect())
        .collect();
}
