//! Running a script directly, on behalf of a person.

use crate::{
    access::Caller,
    base::{Result, id::ExecutionId},
    engine::{self, AppRef, Invocation, Kind, Outcome, ScriptRef},
    events::{Cause, What, Work},
    store::{app::App, script::Script},
    web::{State, script_request},
};

/// What is to run, and the request it gets.
pub struct Asked {
    /// The saved text, or another.
    pub what: What,
    /// The version, if it is a saved one.
    pub version: Option<i32>,
    /// What the script sees as its request.
    pub request: engine::Request,
    /// The id of the request that asked for it.
    pub request_id: String,
}

/// Runs a script through the same gate and log as any other run.
pub async fn run(
    state: &State,
    (app, script): (&App, &Script),
    caller: &Caller,
    asked: Asked,
) -> Result<(ExecutionId, Outcome)> {
    let execution_id = ExecutionId::new();
    let invocation = Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: asked.request_id,
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: app.id, slug: app.slug.clone() },
        script: ScriptRef { id: script.id, name: script.name.clone(), version: asked.version },
        kind: Kind::Manual,
        request: asked.request,
        principal: Some(script_request::principal(caller)),
    };
    let limits = state.bounds.limits(script.sandbox.0, Some(script.timeout()));
    let work = Work { invocation, code: asked.what, limits, cause: Cause::default() };
    Ok((execution_id, state.dispatcher.run(work).await?))
}
