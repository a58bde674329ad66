//! The limits of a script as the API shows and takes them.

use std::num::{NonZeroU32, NonZeroU64};

use crate::store::script::Sandbox;

/// Where a script departs from the instance's limits; each ends at its ceiling.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Sandbox")]
#[expect(clippy::struct_field_names, reason = "these are the API's names")]
pub(super) struct SandboxFields {
    /// The operations one run may take.
    max_operations: Option<NonZeroU64>,
    /// How deep calls may nest.
    max_call_depth: Option<NonZeroU32>,
    /// The log lines one run may write.
    max_log_lines: Option<u32>,
    /// The bytes of memory one run may hold.
    max_memory_bytes: Option<NonZeroU64>,
}

impl From<SandboxFields> for Sandbox {
    fn from(asked: SandboxFields) -> Self {
        Self {
            max_operations: asked.max_operations.map(NonZeroU64::get),
            max_call_depth: asked.max_call_depth.map(NonZeroU32::get),
            max_log_lines: asked.max_log_lines,
            max_memory_bytes: asked.max_memory_bytes.map(NonZeroU64::get),
        }
    }
}

impl From<Sandbox> for SandboxFields {
    fn from(stored: Sandbox) -> Self {
        Self {
            max_operations: stored.max_operations.and_then(NonZeroU64::new),
            max_call_depth: stored.max_call_depth.and_then(NonZeroU32::new),
            max_log_lines: stored.max_log_lines,
            max_memory_bytes: stored.max_memory_bytes.and_then(NonZeroU64::new),
        }
    }
}
