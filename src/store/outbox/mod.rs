//! The outbox: runs that are to be made, and those under way.
//!
//! A durable row waits until it has run to its end. A node claims it for its
//! epoch; what is written about a row afterwards names that epoch, and changes
//! nothing if the row is no longer held under it.

mod behind;
mod claim;
mod put;
mod read;
mod settle;

use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize};

pub use behind::{SyncRow, erase, erase_all, record};
pub use claim::{BOUNDED, LARGEST_CLAIM, Next, bound_waits, claim, claim_suspect, next};
pub use put::{Depth, depth, put, waiting};
pub use read::{Waiting, WaitingState, delete, exists, list, retry_now};
pub use settle::{Failed, acknowledge, bury, free, free_all_but, give_back, retry};

use crate::base::{
    backoff::Backoff,
    id::{AppId, CauseId, EventId, ExecutionId, OutboxId, ScriptId, UserId},
    time::Timestamp,
};

/// From how many losses on a row runs alone.
///
/// In statements it stands as a literal: two partial indexes divide the rows by
/// it, and a parameter tells the planner nothing of which of them to use.
pub const ALONE_FROM: i32 = 2;

/// With how many losses a row is not run again.
pub const LOST_TOO_OFTEN: i32 = 5;

/// A row's retry policy, as it was when the row was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Runs, the first included.
    pub max_attempts: i32,
    /// How the wait grows.
    pub backoff: Backoff,
    /// The wait it grows from, in milliseconds.
    pub base_ms: i32,
}

/// A durable row to be put.
#[derive(Clone, Debug)]
pub struct NewRow {
    /// The row's id.
    pub id: OutboxId,
    /// The event it comes from.
    pub event_id: EventId,
    /// The app it belongs to.
    pub app_id: AppId,
    /// Which kind of source the event has.
    pub source_kind: &'static str,
    /// What happened: a method for http, `insert` and the like for data.
    pub op: Cow<'static, str>,
    /// The trigger, or the route.
    pub cause: Option<CauseId>,
    /// The script to run.
    pub script_id: ScriptId,
    /// What the source keeps of the event, as JSON text.
    pub payload: String,
    /// Bytes beside it.
    pub body: Option<bytes::Bytes>,
    /// On whose behalf it runs.
    pub principal: Option<UserId>,
    /// How many events lie between the root and this one.
    pub trigger_depth: i32,
    /// The execution that began the chain.
    pub root_execution_id: ExecutionId,
    /// The execution it will be.
    pub execution_id: ExecutionId,
    /// How often it is tried.
    pub policy: RetryPolicy,
}

impl NewRow {
    /// About how many bytes it holds while it waits to be written.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.payload.len() + self.body.as_ref().map_or(0, bytes::Bytes::len)
    }
}

/// A row that was claimed: everything a run of it needs.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The row's id.
    pub id: OutboxId,
    /// The epoch that holds it.
    pub epoch: i64,
    /// The event it comes from.
    pub event_id: EventId,
    /// The app it belongs to.
    pub app_id: AppId,
    /// Which kind of source the event has.
    pub source_kind: String,
    /// What happened.
    pub op: String,
    /// The trigger, or the route.
    pub cause: Option<CauseId>,
    /// The script to run.
    pub script_id: ScriptId,
    /// What the source keeps of the event, as JSON text.
    pub payload: String,
    /// Bytes beside it.
    pub body: Option<Vec<u8>>,
    /// On whose behalf it runs.
    pub principal: Option<Origin>,
    /// How many events lie between the root and this one.
    pub trigger_depth: i32,
    /// The execution that began the chain.
    pub root_execution_id: ExecutionId,
    /// The execution it is.
    pub execution_id: ExecutionId,
    /// How often it is tried.
    pub policy: RetryPolicy,
    /// The number of this run, from 1.
    pub attempt: i32,
    /// How many runs failed before.
    pub attempt_count: i32,
    /// How often its process ended under it since its last outcome, this claim included.
    pub lost_count: i32,
    /// The errors of the failed runs.
    pub errors: Vec<RunError>,
}

/// The user on whose behalf a row runs, as things are now.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The user's id.
    pub id: UserId,
    /// The user, if there is one of this id.
    pub user: Option<OriginUser>,
}

/// What is known of that user.
#[derive(Clone, Debug)]
pub struct OriginUser {
    /// The user's name.
    pub username: String,
    /// The role in the instance.
    pub role: String,
    /// Whether the user may sign in.
    pub active: bool,
}

/// What went wrong in one failed run of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RunError {
    /// The number of the run.
    pub attempt: i32,
    /// When it ended.
    pub at: Timestamp,
    /// Which of the known ways to fail it was.
    pub kind: String,
    /// What a person reads.
    pub message: String,
}

/// Milliseconds as their column holds them.
fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
