//! Scripts, but not their versions.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use super::script_fields::{SandboxFields, Timeout, checked, problems};
use crate::{
    access::capability::needs::{AppRead, AppWriteScript},
    base::{
        Result,
        cursor::Page,
        id::{AppId, ScriptId},
        name::{Description, ScriptName, Source},
        patch::{self, Patch},
        time::Timestamp,
    },
    store::script::{self, NewScript, Script, ScriptChange},
    web::{Body, Created, InApp, OnScript, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/scripts",
            get_with(list, |op| op.id("list_scripts").tag("scripts").summary("An app's scripts, by name"))
                .post_with(create, |op| op.id("create_script").tag("scripts").summary("Make a script")),
        )
        .api_route(
            "/apps/{app}/scripts/check",
            post_with(check, |op| {
                op.id("check_script").tag("scripts").summary("Say what keeps a source from being saved")
            }),
        )
        .api_route(
            "/scripts/{script}",
            get_with(get, |op| op.id("get_script").tag("scripts").summary("One script"))
                .patch_with(change, |op| op.id("change_script").tag("scripts").summary("Change a script"))
                .delete_with(delete, |op| op.id("delete_script").tag("scripts").summary("Delete a script")),
        )
}

/// A script.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "Script")]
pub(super) struct ScriptView {
    id: ScriptId,
    app_id: AppId,
    name: ScriptName,
    /// The source of the version that runs.
    source: String,
    description: Option<Description>,
    /// The version that runs: always the highest.
    version: i32,
    enabled: bool,
    timeout_seconds: i32,
    /// Where it departs from the instance's limits, as it was clamped.
    sandbox: SandboxFields,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<Script> for ScriptView {
    fn from(script: Script) -> Self {
        Self {
            id: script.id,
            app_id: script.app_id,
            name: script.name,
            source: script.source,
            description: script.description,
            version: script.version,
            enabled: script.enabled,
            timeout_seconds: script.timeout_seconds,
            sandbox: script.sandbox.0.into(),
            created_at: script.created_at,
            updated_at: script.updated_at,
        }
    }
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppRead>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<ScriptView>>> {
    let limit = paging.limit()?;
    let page = script::list(&mut *state.db.acquire().await?, on.app.id, paging.cursor(), limit).await?;
    Ok(Json(page.map(ScriptView::from)))
}

/// What a script is made with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewScript")]
struct ScriptToCreate {
    name: ScriptName,
    source: Source,
    description: Option<Description>,
    timeout_seconds: Option<Timeout>,
    sandbox: Option<SandboxFields>,
    enabled: Option<bool>,
}

async fn create(
    AxumState(state): AxumState<State>,
    on: InApp<AppWriteScript>,
    Body(asked): Body<ScriptToCreate>,
) -> Result<Created<ScriptView>> {
    let new = NewScript {
        app_id: on.app.id,
        name: asked.name,
        source: checked(&state, asked.source).await?,
        description: asked.description,
        timeout_seconds: asked.timeout_seconds.unwrap_or_default().0,
        sandbox: asked.sandbox.unwrap_or_default().clamped(&state.config),
        enabled: asked.enabled.unwrap_or(true),
        author: Some(on.caller.user.username.to_string()),
    };
    Ok(Created(script::create(&state.db, &new).await?.into()))
}

/// A source to look at.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    source: Source,
}

/// What a look at a source found.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Verdict {
    /// Whether it can be saved.
    ok: bool,
    errors: Vec<Flaw>,
}

/// What keeps a source from being saved.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Flaw {
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

async fn check(
    AxumState(state): AxumState<State>,
    _: InApp<AppRead>,
    Body(draft): Body<Draft>,
) -> Result<Json<Verdict>> {
    let (_, problems) = problems(&state, draft.source).await?;
    let flaw = |p: crate::engine::Problem| Flaw { line: p.line, column: p.column, message: p.message };
    Ok(Json(Verdict { ok: problems.is_empty(), errors: problems.into_iter().map(flaw).collect() }))
}

async fn get(on: OnScript<AppRead>) -> Json<ScriptView> {
    Json(on.script.into())
}

/// What changes of a script; `null` brings a default back.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScriptPatch {
    #[serde(default, deserialize_with = "patch::not_null")]
    name: Option<ScriptName>,
    /// Another source is another version.
    #[serde(default, deserialize_with = "patch::not_null")]
    source: Option<Source>,
    #[serde(default)]
    description: Patch<Description>,
    #[serde(default)]
    timeout_seconds: Patch<Timeout>,
    /// All of the script's own limits: what is left out is as the instance has it.
    #[serde(default)]
    sandbox: Patch<SandboxFields>,
    #[serde(default, deserialize_with = "patch::not_null")]
    enabled: Option<bool>,
}

async fn change(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteScript>,
    Body(asked): Body<ScriptPatch>,
) -> Result<Json<ScriptView>> {
    let source = match asked.source {
        Some(source) => Some(checked(&state, source).await?),
        None => None,
    };
    let change = ScriptChange {
        name: asked.name,
        source,
        description: asked.description,
        timeout_seconds: asked.timeout_seconds.or_default().map(|timeout: Timeout| timeout.0),
        sandbox: asked.sandbox.or_default().map(|fields| fields.clamped(&state.config)),
        enabled: asked.enabled,
        author: Some(on.caller.user.username.to_string()),
    };
    let mut tx = state.db.begin().await?;
    let script = script::update(&mut tx, on.script.id, change).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(Json(script.into()))
}

/// What goes with a script.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cascade {
    /// Delete the routes that lead to it too.
    #[serde(default)]
    cascade: bool,
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteScript>,
    Query(asked): Query<Cascade>,
) -> Result<NoContent> {
    let mut tx = state.db.begin().await?;
    if asked.cascade {
        script::delete_cascade(&mut tx, on.script.id).await?;
    } else {
        script::delete(&mut tx, on.script.id).await?;
    }
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(NoContent)
}
