//! The execution log: one row for each attempt that ended.
//!
//! Rows are written in batches by `events::Recorder`; `seq`, the order of
//! recording, is what pages, live streams and their resumption go by.

mod filter;
mod overflow;
mod read;
mod record;

pub use filter::{Filter, StatusFilter};
pub use overflow::{add_overflow, not_stored_lately};
pub use read::{Attempt, AttemptLogs, count_between, get, list, newest_seq, tail};
pub use record::{AttemptError, LogLine, NewAttempt, insert};
