//! Abandoned executions: synchronous runs whose caller had gone when they
//! ended, or whose process ended under them.

mod write;

pub use write::{NewAbandoned, insert};
