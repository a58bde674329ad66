//! Floor 7: what the API and the pages both do: acts composed of store,
//! engine and routing. A door reads a request, calls one act, and answers.

pub mod api_key;
pub mod app;
pub mod audit;
pub mod console;
pub mod domain;
pub mod execute;
pub mod member;
pub mod outbox;
pub mod route;
pub mod script;
pub mod setting;
pub mod user;
