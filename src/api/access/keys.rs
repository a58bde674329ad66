//! One's own API keys.

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
    access::Scopes,
    admin::api_key as act,
    base::{Error, Result, cursor::Page, name::KeyName, time::Timestamp},
    store::api_key::{self, ApiKey},
    web::{Body, Created, NoQuery, Paging, Query, SignedIn, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/api-keys",
            get_with(list, |op| op.id("listApiKeys").tag("access").summary("One's own keys, by name"))
                .post_with(create, |op| {
                    op.id("createApiKey").tag("access").summary("Make a key").description(
                        "The answer shows the key, this once. It does what its owner may, as far as one of its \
                         scopes covers it; bound to an app, it reaches nothing else.",
                    )
                }),
        )
        .api_route(
            "/api-keys/{key}",
            delete_with(delete, |op| op.id("deleteApiKey").tag("access").summary("Take a key away")),
        )
}

async fn list(
    AxumState(state): AxumState<State>,
    SignedIn { caller, .. }: SignedIn,
    Query(page): Query<Paging>,
) -> Result<Json<Page<ApiKey>>> {
    let limit = page.limit()?;
    Ok(Json(api_key::list(&state.db, caller.user.id, page.cursor(), limit).await?))
}

/// What a key is made with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewApiKey {
    /// What it is for.
    name: KeyName,
    /// What it may be used for.
    scopes: Scopes,
    /// The id or slug of the only app it reaches.
    app: Option<String>,
    /// From when on it is refused.
    expires_at: Option<Timestamp>,
}

/// A key that was just made.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct CreatedApiKey {
    #[serde(flatten)]
    made: ApiKey,
    /// The key itself, shown this once.
    key: String,
}

async fn create(
    AxumState(state): AxumState<State>,
    SignedIn { caller, .. }: SignedIn,
    _: NoQuery,
    Body(asked): Body<NewApiKey>,
) -> Result<Created<CreatedApiKey>> {
    let asked =
        act::Asked { name: asked.name, scopes: asked.scopes, app: asked.app, expires_at: asked.expires_at };
    let (made, key) = act::create(&state, &caller, &asked).await?;
    Ok(Created(CreatedApiKey { made, key }))
}

/// Which key is meant.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Named {
    /// The key's id.
    key: String,
}

async fn delete(
    AxumState(state): AxumState<State>,
    SignedIn { caller, .. }: SignedIn,
    Path(named): Path<Named>,
    _: NoQuery,
) -> Result<NoContent> {
    let id = named.key.parse().map_err(|_| Error::NotFound("key".to_owned()))?;
    act::delete(&state, &caller, id).await?;
    Ok(NoContent)
}
