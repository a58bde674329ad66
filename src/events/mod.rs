//! Floor 6: from "something happened" to "a script ran".

pub mod dispatcher;
pub mod inbox;
pub mod node;
mod recorder;
pub mod settle;

pub use dispatcher::{Cause, Dispatcher, What, Work};
pub use inbox::Inbox;
pub use node::Node;
pub use recorder::{Recorder, Written};
