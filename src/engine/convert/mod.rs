//! Values across the border: between Rhai's values and JSON text.
//!
//! Both ways are our own walkers, bounded in depth and size: Rhai's, and
//! serde's on Rhai's values, recurse as deep as a value is nested and write a
//! shared value out each time it occurs.

mod read;
mod write;

pub(super) use read::{Unread, check_json, from_json};
pub(super) use write::{Layout, Unfit, to_json, to_json_of_strings, write_json};

/// How deep values that cross a border may be nested.
pub(super) const MAX_DEPTH: usize = 64;
