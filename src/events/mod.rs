//! Floor 6: from "something happened" to "a script ran".

pub mod inbox;
mod recorder;

pub use recorder::{Recorder, Written};
