//! Scripts, but not their versions.

use aide::axum::{
    ApiRouter,
    routing::{get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use super::script_fields::SandboxFields;
use crate::{
    access::capability::needs::{AppRead, AppWriteScript},
    admin,
    base::{
        Result,
        cursor::Page,
        id::{AppId, ScriptId},
        name::{Description, ScriptName, Source},
        patch::Patch,
        time::Timestamp,
    },
    engine::Problem,
    store::script::{self, NewScript, Script, ScriptChange, Timeout},
    web::{Body, Created, InApp, NoQuery, OnScript, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/scripts",
            get_with(list, |op| {
                op.id("listScripts").tag("scripts").summary("The scripts of an app, by name")
            })
            .post_with(create, |op| {
                op.id("createScript")
                    .tag("scripts")
                    .summary("Make a script")
                    .description("422 with line and column if the source does not compile.")
            }),
        )
        .api_route(
            "/apps/{app}/scripts/check",
            post_with(check, |op| {
                op.id("checkScript").tag("scripts").summary("What keeps a source from being saved")
            }),
        )
        .api_route(
            "/scripts/{script}",
            get_with(show, |op| op.id("getScript").tag("scripts").summary("A script"))
                .patch_with(update, |op| {
                    op.id("updateScript")
                        .tag("scripts")
                        .summary("Change a script")
                        .description("A source other than the one that runs is the next version.")
                })
                .delete_with(delete, |op| {
                    op.id("deleteScript")
                        .tag("scripts")
                        .summary("Delete a script")
                        .description("409, naming them, while routes lead to it, unless `cascade` is set.")
                }),
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
    Query(page): Query<Paging>,
) -> Result<Json<Page<ScriptView>>> {
    let limit = page.limit()?;
    let mut conn = state.db.acquire().await?;
    let scripts = script::list(&mut conn, on.app.id, page.cursor(), limit).await?;
    Ok(Json(scripts.map(ScriptView::from)))
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
    _: NoQuery,
    Body(asked): Body<ScriptToCreate>,
) -> Result<Created<ScriptView>> {
    let new = NewScript {
        app_id: on.app.id,
        name: asked.name,
        source: asked.source,
        description: asked.description,
        timeout_seconds: asked.timeout_seconds.unwrap_or_default().seconds(),
        sandbox: asked.sandbox.unwrap_or_default().into(),
        enabled: asked.enabled.unwrap_or(true),
        author: Some(on.caller.user.username.to_string()),
    };
    Ok(Created(admin::script::create(&state, &on.caller, new).await?.into()))
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

/// One thing that keeps a source from being saved.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Flaw {
    line: Option<u32>,
    column: Option<u32>,
    message: String,
}

impl From<Problem> for Flaw {
    fn from(problem: Problem) -> Self {
        Self { line: problem.line, column: problem.column, message: problem.message }
    }
}

async fn check(
    AxumState(state): AxumState<State>,
    _: InApp<AppRead>,
    _: NoQuery,
    Body(draft): Body<Draft>,
) -> Result<Json<Verdict>> {
    let errors: Vec<Flaw> =
        admin::script::problems(&state, draft.source).await?.into_iter().map(Flaw::from).collect();
    Ok(Json(Verdict { ok: errors.is_empty(), errors }))
}

async fn show(on: OnScript<AppRead>, _: NoQuery) -> Json<ScriptView> {
    Json(on.script.into())
}

/// What changes of a script; `null` brings a default back.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScriptPatch {
    #[serde(default)]
    name: Patch<ScriptName>,
    /// Another source is another version.
    #[serde(default)]
    source: Patch<Source>,
    #[serde(default)]
    description: Patch<Description>,
    #[serde(default)]
    timeout_seconds: Patch<Timeout>,
    /// All of the script's own limits: what is left out is as the instance has it.
    #[serde(default)]
    sandbox: Patch<SandboxFields>,
    #[serde(default)]
    enabled: Patch<bool>,
}

async fn update(
    AxumState(state): AxumState<State>,
    on: OnScript<AppWriteScript>,
    _: NoQuery,
    Body(asked): Body<ScriptPatch>,
) -> Result<Json<ScriptView>> {
    let change = ScriptChange {
        name: asked.name.not_null("name")?,
        source: asked.source.not_null("source")?,
        description: asked.description,
        timeout_seconds: asked.timeout_seconds.or_default().map(Timeout::seconds),
        sandbox: asked.sandbox.or_default().map(SandboxFields::into),
        enabled: asked.enabled.not_null("enabled")?,
        author: Some(on.caller.user.username.to_string()),
    };
    Ok(Json(admin::script::update(&state, &on.caller, on.script.id, change).await?.into()))
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
    admin::script::delete(&state, &on.caller, on.script.id, asked.cascade).await?;
    Ok(NoContent)
}
