//! Signing in and out, and who one is.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::{Caller, Scopes},
    base::{Error, Result, redacted::Redacted, time::Timestamp},
    store::{
        member::{self, Membership},
        user::{self, User},
    },
    web::{Body, Client, NoQuery, SignedIn, State, WithHeader, sign_in},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route("/auth/login", post_with(login, |op| op.id("login").tag("access").summary("Sign in")))
        .api_route("/auth/logout", post_with(logout, |op| op.id("logout").tag("access").summary("Sign out")))
        .api_route("/auth/me", get_with(me, |op| op.id("me").tag("access").summary("Who one is")))
}

/// A session that was just opened.
#[derive(serde::Serialize, schemars::JsonSchema)]
pub(super) struct Session {
    /// Who signed in.
    user: User,
    /// The token, shown this once.
    token: String,
    /// When the session ends if it is not used.
    expires_at: Timestamp,
}

impl From<sign_in::SignedIn> for Session {
    fn from(signed_in: sign_in::SignedIn) -> Self {
        Self { user: signed_in.user, token: signed_in.token, expires_at: signed_in.expires_at }
    }
}

/// What one signs in with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    username: String,
    password: Redacted,
}

async fn login(
    AxumState(state): AxumState<State>,
    client: Client,
    _: NoQuery,
    Body(login): Body<Login>,
) -> Result<WithHeader<Json<Session>>> {
    let password = login.password.expose().to_owned();
    let signed_in = sign_in::login(&state, &login.username, password, &client).await?;
    Ok(WithHeader(
        http::header::SET_COOKIE,
        sign_in::cookie(&signed_in.token, &client),
        Json(signed_in.into()),
    ))
}

async fn logout(
    AxumState(state): AxumState<State>,
    on: SignedIn,
    client: Client,
    _: NoQuery,
) -> Result<WithHeader<NoContent>> {
    sign_in::logout(&state, &on.caller).await?;
    Ok(WithHeader(http::header::SET_COOKIE, sign_in::cookie("", &client), NoContent))
}

/// Who one is.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Me {
    user: User,
    /// The apps one is a member of, as far as one reaches them; those who run the instance need no membership.
    memberships: Vec<Membership>,
    /// `session` or `api_key`.
    authenticated_by: &'static str,
    /// What the key may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes>,
}

async fn me(AxumState(state): AxumState<State>, caller: Caller, _: NoQuery) -> Result<Json<Me>> {
    let user =
        user::get(&state.db, caller.user.id).await?.ok_or_else(|| Error::NotFound("user".to_owned()))?;
    let memberships = member::of_user(&state.db, user.id, caller.bound_to()).await?;
    let scopes = caller.key().map(|key| key.scopes.clone());
    let authenticated_by = if scopes.is_some() { "api_key" } else { "session" };
    Ok(Json(Me { user, memberships, authenticated_by, scopes }))
}
