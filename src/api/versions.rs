//! The versions of a script.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{
    Json,
    extract::{Path, State as AxumState},
};

use super::scripts::ScriptView;
use crate::{
    access::capability::needs::{AppRead, AppWriteScript},
    admin,
    base::{Error, Result, cursor::Page, id::ScriptId},
    store::script::{self, Version},
    web::{NoQuery, OnScript, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/scripts/{script}/versions",
            get_with(list, |op| {
                op.id("listVersions").tag("scripts").summary("A script's versions, newest first")
            }),
        )
        .api_route(
            "/scripts/{script}/versions/{version}",
            get_with(show, |op| op.id("getVersion").tag("scripts").summary("One version")),
        )
        .api_route(
            "/scripts/{script}/versions/{version}/restore",
            post_with(restore, |op| {
                op.id("restoreVersion")
                    .tag("scripts")
                    .summary("Make an old version's source the newest version")
            }),
        )
}

/// Which version of the script is meant.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Numbered {
    /// The version's number.
    version: String,
}

async fn list(
    AxumState(state): AxumState<State>,
    on: OnScript<AppRead>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Version>>> {
    let limit = page.limit()?;
    let mut conn = state.db.acquire().await?;
    Ok(Json(script::versions(&mut conn, on.script.id, page.cursor(), limit).await?))
}

async fn show(
    AxumState(state): AxumState<State>,
    on: OnScript<AppRead>,
    Path(numbered): Path<Numbered>,
    _: NoQuery,
) -> Result<Json<Version>> {
    Ok(Json(find(&state, on.script.id, &numbered).await?))
}

async fn restore(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteScript>,
    Path(numbered): Path<Numbered>,
    _: NoQuery,
) -> Result<Json<ScriptView>> {
    let version = find(&state, on.script.id, &numbered).await?;
    let script = admin::script::restore(&state, &on.caller, on.script.id, version).await?;
    Ok(Json(script.into()))
}

async fn find(state: &State, script: ScriptId, numbered: &Numbered) -> Result<Version> {
    let missing = || Error::NotFound("version".to_owned());
    let number = numbered.version.parse().map_err(|_| missing())?;
    script::version(&state.db, script, number).await?.ok_or_else(missing)
}
