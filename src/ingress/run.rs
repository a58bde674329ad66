//! The run of a route's script: made for a request at the door, and again for a row that has waited.

use crate::{
    base::id::ExecutionId,
    engine::{AppRef, Bounds, Invocation, Kind, Principal, Request, ScriptRef},
    events::{Cause, What, Work},
    routing::Entry,
};

/// What of a run is not its route's to say.
pub(super) struct Run {
    pub(super) execution_id: ExecutionId,
    /// The execution that began the chain.
    pub(super) root_execution_id: ExecutionId,
    /// The id of the request, as its caller saw it.
    pub(super) request_id: String,
    /// The number of the run, from 1.
    pub(super) attempt: u32,
    pub(super) trigger_depth: u32,
    pub(super) request: Request,
    /// On whose behalf it runs.
    pub(super) principal: Option<Principal>,
}

impl Run {
    /// What is to be done: the run of the route's script as the table has it now.
    pub(super) fn of(self, entry: &Entry, bounds: &Bounds) -> Work {
        let script = &entry.script;
        let invocation = Invocation {
            execution_id: self.execution_id,
            root_execution_id: self.root_execution_id,
            request_id: self.request_id,
            attempt: self.attempt,
            trigger_depth: self.trigger_depth,
            app: AppRef { id: entry.app_id, slug: entry.app_slug.clone() },
            script: ScriptRef { id: script.id, name: script.name.clone(), version: Some(script.version) },
            kind: Kind::Http,
            request: self.request,
            principal: self.principal,
        };
        Work {
            invocation,
            code: What::Version(script.id, script.version),
            limits: bounds.limits(script.sandbox, Some(script.timeout)),
            cause: Cause { route: Some(entry.id) },
        }
    }
}
