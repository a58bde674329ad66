//! Where somebody is signed in, and ending that.

use aide::axum::{
    ApiRouter,
    routing::{delete_with, get_with},
};
use axum::{
    Json,
    extract::{Path, State as AxumState},
    response::NoContent,
};

use crate::{
    admin::user as act,
    base::{Error, Result, cursor::Page, id::SessionId, time::Timestamp},
    store::session::{self, Session},
    web::{
        NoQuery, OnUser, Paging, Query, State,
        in_app::{ChangesAccount, ReadsAccount},
    },
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/users/{user}/sessions",
            get_with(list, |op| {
                op.id("listSessions").tag("access").summary("Where a user is signed in, newest first")
            })
            .delete_with(end_all, |op| {
                op.id("endSessions")
                    .tag("access")
                    .summary("End all sessions of a user, the one in use included")
            }),
        )
        .api_route(
            "/users/{user}/sessions/{session}",
            delete_with(end, |op| op.id("endSession").tag("access").summary("End a session")),
        )
}

/// A session.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "UserSession")]
struct SessionView {
    id: SessionId,
    created_at: Timestamp,
    /// To within five minutes.
    last_used_at: Timestamp,
    /// When it ends if it is not used.
    expires_at: Timestamp,
    /// Where it was opened from.
    address: String,
    /// The browser, as it named itself.
    user_agent: Option<String>,
    /// Whether it is the one this call came with.
    current: bool,
}

impl SessionView {
    fn new(session: Session, used: Option<SessionId>) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            address: session.address,
            user_agent: session.user_agent,
            current: used == Some(session.id),
        }
    }
}

async fn list(
    AxumState(state): AxumState<State>,
    on: OnUser<ReadsAccount>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<SessionView>>> {
    let limit = page.limit()?;
    let found = session::list(&state.db, on.user.id, page.cursor(), limit).await?;
    let used = on.caller.session();
    Ok(Json(found.map(|session| SessionView::new(session, used))))
}

/// Which session is meant.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Named {
    /// The session's id.
    session: String,
}

async fn end(
    AxumState(state): AxumState<State>,
    on: OnUser<ChangesAccount>,
    Path(named): Path<Named>,
    _: NoQuery,
) -> Result<NoContent> {
    let id = named.session.parse().map_err(|_| Error::NotFound("session".to_owned()))?;
    act::end_session(&state, &on.caller, &on.user, id).await?;
    Ok(NoContent)
}

async fn end_all(
    AxumState(state): AxumState<State>,
    on: OnUser<ChangesAccount>,
    _: NoQuery,
) -> Result<NoContent> {
    act::end_sessions(&state, &on.caller, &on.user).await?;
    Ok(NoContent)
}
