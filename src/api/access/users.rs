//! The people of the instance.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::{InstanceRole, capability::needs::InstanceManageUsers},
    admin::user::{self as act, Person},
    base::{
        Result,
        cursor::Page,
        name::{DisplayName, Email, Username},
        patch::Patch,
        redacted::Redacted,
    },
    store::user::{self, User, UserChange},
    web::{
        Body, Created, InInstance, NoQuery, OnUser, Paging, Query, State,
        in_app::{Changes, ChangesAccount, Reads},
    },
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/users",
            get_with(list, |op| op.id("listUsers").tag("access").summary("The users, by user name"))
                .post_with(create, |op| {
                    op.id("createUser")
                        .tag("access")
                        .summary("Make a user")
                        .description("Only an owner makes owners. 409 if the user name is taken.")
                }),
        )
        .api_route(
            "/users/{user}",
            get_with(show, |op| op.id("getUser").tag("access").summary("A user"))
                .patch_with(update, |op| {
                    op.id("updateUser").tag("access").summary("Change a user").description(
                        "Deactivation and another instance role end the user's other sessions. Only an owner \
                         makes or changes owners. 409 if no active owner would be left.",
                    )
                })
                .delete_with(delete, |op| {
                    op.id("deleteUser")
                        .tag("access")
                        .summary("Delete a user, with their sessions, keys and memberships")
                        .description(
                            "Only an owner deletes owners. 409 if no active owner would be left; 409, naming \
                             them, while triggers run as the user, unless `cascade` is set.",
                        )
                }),
        )
        .api_route(
            "/users/{user}/password",
            post_with(set_password, |op| {
                op.id("setPassword")
                    .tag("access")
                    .summary("Give a user another password; their other sessions end")
            }),
        )
}

async fn list(
    AxumState(state): AxumState<State>,
    _: InInstance<InstanceManageUsers>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<User>>> {
    let limit = page.limit()?;
    Ok(Json(user::list(&state.db, page.cursor(), limit).await?))
}

/// What a user is made with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// The name to sign in with.
    username: Username,
    /// 10 to 256 characters, not the user name, none of the commonest.
    password: Redacted,
    instance_role: InstanceRole,
    /// The name to show.
    display_name: Option<DisplayName>,
    /// Where to write to.
    email: Option<Email>,
}

async fn create(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageUsers>,
    _: NoQuery,
    Body(asked): Body<NewUser>,
) -> Result<Created<User>> {
    let person = Person {
        username: asked.username,
        password: asked.password,
        instance_role: asked.instance_role,
        display_name: asked.display_name,
        email: asked.email,
    };
    Ok(Created(act::create(&state, &on.caller, &person).await?))
}

async fn show(on: OnUser<Reads>, _: NoQuery) -> Json<User> {
    Json(on.user)
}

/// What changes of a user.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct UserPatch {
    #[serde(default)]
    display_name: Patch<DisplayName>,
    #[serde(default)]
    email: Patch<Email>,
    #[serde(default)]
    instance_role: Patch<InstanceRole>,
    /// Whether they may sign in.
    #[serde(default)]
    active: Patch<bool>,
}

async fn update(
    AxumState(state): AxumState<State>,
    on: OnUser<Changes>,
    _: NoQuery,
    Body(asked): Body<UserPatch>,
) -> Result<Json<User>> {
    let change = UserChange {
        display_name: asked.display_name,
        email: asked.email,
        instance_role: asked.instance_role.not_null("instance_role")?,
        active: asked.active.not_null("active")?,
    };
    Ok(Json(act::update(&state, &on.caller, on.user.id, change).await?))
}

/// What goes with a user.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cascade {
    /// Delete the triggers that run as the user too.
    #[serde(default, rename = "cascade")]
    _cascade: bool,
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: OnUser<Changes>,
    Query(_): Query<Cascade>,
) -> Result<NoContent> {
    // Nothing that names a user stands in the way yet: triggers will.
    act::delete(&state, &on.caller, on.user.id).await?;
    Ok(NoContent)
}

/// Another password.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// 10 to 256 characters, not the user name, none of the commonest.
    password: Redacted,
    /// The present one: needed to change one's own.
    current_password: Option<Redacted>,
}

async fn set_password(
    AxumState(state): AxumState<State>,
    on: OnUser<ChangesAccount>,
    _: NoQuery,
    Body(asked): Body<NewPassword>,
) -> Result<NoContent> {
    let current = asked.current_password.as_ref();
    act::set_password(&state, &on.caller, &on.user, (&asked.password, current)).await?;
    Ok(NoContent)
}
