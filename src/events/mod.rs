//! Floor 6: from "something happened" to "a script ran".

pub mod accept;
pub mod behind;
pub mod dispatcher;
pub mod durable;
pub mod inbox;
pub mod kind;
pub mod node;
mod recorder;
pub mod settings;
pub mod settle;

pub use accept::Acceptor;
pub use behind::Behind;
pub use dispatcher::{Cause, Dispatcher, What, Work};
pub use durable::Durable;
pub use inbox::Inbox;
pub use kind::{Planned, Refusal, SourceKind};
pub use node::Node;
pub use recorder::{Recorder, Written};
pub use settings::Settings;
