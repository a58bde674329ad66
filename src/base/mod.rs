//! Floor 0: the words every room uses. No I/O, no async, nothing of ours below.

pub mod backoff;
pub mod cursor;
pub mod error;
pub mod id;
pub mod name;
pub mod patch;
pub mod pattern;
pub mod redacted;
pub mod time;

pub use error::{Error, FieldError, OnConstraint, Result};
