//! A claimed row, for the tests of this folder.

use crate::{
    base::{
        backoff::Backoff,
        id::{AppId, EventId, ExecutionId, OutboxId, ScriptId},
    },
    store::outbox::{Claimed, RetryPolicy},
};

/// A row of `app` that was claimed for the first time, with a body of this many bytes.
pub(super) fn claimed(app: AppId, body: usize) -> Claimed {
    let execution_id = ExecutionId::new();
    Claimed {
        id: OutboxId::new(),
        epoch: 1,
        event_id: EventId::new(),
        app_id: app,
        source_kind: "http".to_owned(),
        op: "POST".to_owned(),
        cause: None,
        script_id: ScriptId::new(),
        payload: "{}".to_owned(),
        body: (body > 0).then(|| vec![b'x'; body]),
        principal: None,
        trigger_depth: 0,
        root_execution_id: execution_id,
        execution_id,
        policy: RetryPolicy { max_attempts: 3, backoff: Backoff::Constant, base_ms: 10 },
        attempt: 1,
        attempt_count: 0,
        lost_count: 1,
        errors: Vec::new(),
    }
}
