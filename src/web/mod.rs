//! Floor 7: what the front doors share.
//!
//! State, the extractors that authenticate and authorise, the one place that
//! turns an [`Error`](crate::base::Error) into a response, the layers around
//! every request, and the server itself.

pub mod body;
pub mod caller;
pub mod claim;
pub mod client;
pub mod error;
pub mod in_app;
pub mod layers;
pub mod origin;
pub mod query;
pub mod reply;
pub mod script_request;
pub mod server;
pub mod sign_in;
pub mod state;

pub use body::Body;
pub use caller::SignedIn;
pub use client::Client;
pub use in_app::{InApp, InInstance, OnDomain, OnOutbox, OnRoute, OnScript, OnUser};
pub use query::{NoQuery, Paging, Query};
pub use reply::{Created, WithHeader};
pub use state::State;
