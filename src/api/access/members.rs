//! Who belongs to an app.

use aide::axum::{
    ApiRouter,
    routing::{get_with, put_with},
};
use axum::{
    Json,
    extract::{Path, State as AxumState},
    response::NoContent,
};

use crate::{
    access::{AppRole, capability::needs::AppAdmin},
    admin::member as act,
    base::{Error, Result, cursor::Page, id::UserId},
    store::member::{self, Member},
    web::{Body, InApp, NoQuery, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/members",
            get_with(list, |op| op.id("listMembers").tag("access").summary("An app's members, by user name")),
        )
        .api_route(
            "/apps/{app}/members/{user}",
            put_with(set, |op| {
                op.id("setMember").tag("access").summary("Give a user a role in the app, or another one")
            })
            .delete_with(remove, |op| op.id("removeMember").tag("access").summary("End a membership")),
        )
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Member>>> {
    let limit = page.limit()?;
    Ok(Json(member::list(&state.db, on.app.id, page.cursor(), limit).await?))
}

/// Which user is meant.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Named {
    /// The user's id.
    user: String,
}

impl Named {
    fn id(&self) -> Result<UserId> {
        self.user.parse().map_err(|_| Error::NotFound("user".to_owned()))
    }
}

/// What somebody may do in the app.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Given {
    role: AppRole,
}

async fn set(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    (Path(named), _): (Path<Named>, NoQuery),
    Body(given): Body<Given>,
) -> Result<Json<Member>> {
    Ok(Json(act::set(&state, &on.caller, &on.app, (named.id()?, given.role)).await?))
}

async fn remove(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    Path(named): Path<Named>,
    _: NoQuery,
) -> Result<NoContent> {
    act::remove(&state, &on.caller, &on.app, named.id()?).await?;
    Ok(NoContent)
}
