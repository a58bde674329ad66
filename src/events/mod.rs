//! Floor 6: from "something happened" to "a script ran".

pub mod dispatcher;
pub mod inbox;
mod recorder;
pub mod settings;
pub mod settle;

pub use dispatcher::{Cause, Dispatcher, What, Work};
pub use inbox::Inbox;
pub use recorder::{Recorder, Written};
pub use settings::Settings;
