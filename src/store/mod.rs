//! Floor 4: the platform's nouns: row types, their SQL, and the rule that
//! belongs to the statement.
//!
//! Free functions that take an executor; callers compose several in one
//! transaction. SQL is checked when it runs, and every statement is run by a
//! test against the server PiCloud itself starts.

pub mod abandoned;
pub mod api_key;
pub mod app;
pub mod audit;
mod batch;
pub mod domain;
pub mod execution;
pub mod instance;
pub mod member;
pub mod node;
pub mod outbox;
pub mod route;
pub mod script;
pub mod session;
pub mod setting;
pub mod sign_in;
pub mod user;
