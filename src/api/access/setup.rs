//! Claiming the machine: how it stands, and making the first owner.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{
    Json,
    extract::{FromRequestParts, State as AxumState},
    http::request::Parts,
};

use super::auth::Session;
use crate::{
    base::{
        Error, Result,
        name::{DisplayName, Username},
        redacted::Redacted,
    },
    web::{
        Body, Client, Created, NoQuery, State, WithHeader,
        claim::{self, Claim},
        sign_in,
    },
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new().api_route(
        "/setup",
        get_with(show, |op| op.id("getSetup").tag("access").summary("Whether the machine is claimed"))
            .post_with(claim, |op| {
                op.id("claim").tag("access").summary("Claim the machine: make its first owner and sign in")
            }),
    )
}

/// How the claim stands.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Setup {
    /// Whether somebody owns the machine.
    claimed: bool,
    /// Whether it can be claimed from the local network now.
    window_open: bool,
    /// How many seconds it stays open.
    window_seconds_left: Option<u64>,
}

async fn show(AxumState(state): AxumState<State>, _: NoQuery) -> Result<Json<Setup>> {
    let window = claim::window(&state).await?;
    Ok(Json(Setup {
        claimed: window.claimed,
        window_open: window.left.is_some(),
        window_seconds_left: window.left.map(|left| left.as_secs()),
    }))
}

/// Who wants to own the machine.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewOwner {
    /// The name to sign in with.
    username: Username,
    /// 10 to 256 characters, not the user name, none of the commonest.
    password: Redacted,
    /// The name to show.
    display_name: Option<DisplayName>,
    /// The code that PiCloud's log shows, where one is asked for.
    claim_code: Option<Redacted>,
}

/// Passed only by one who may claim: refuses before the body is looked at.
struct MayClaim(Client);

impl FromRequestParts<State> for MayClaim {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let client = Client::from_request_parts(parts, state).await?;
        let window = claim::window(state).await?;
        claim::require_may_claim(window, &client)?;
        Ok(Self(client))
    }
}

impl aide::OperationInput for MayClaim {}

async fn claim(
    AxumState(state): AxumState<State>,
    MayClaim(client): MayClaim,
    _: NoQuery,
    Body(new): Body<NewOwner>,
) -> Result<WithHeader<Created<Session>>> {
    let claim = Claim {
        username: new.username,
        password: new.password.expose().to_owned(),
        display_name: new.display_name,
        code: new.claim_code.map(|code| code.expose().to_owned()),
    };
    let signed_in = claim::claim(&state, claim, &client).await?;
    let cookie = sign_in::cookie(&signed_in.token, &client);
    Ok(WithHeader(http::header::SET_COOKIE, cookie, Created(signed_in.into())))
}
