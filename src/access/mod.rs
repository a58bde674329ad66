//! Floor 1: who may do what. Pure tables and checks; no SQL.
//!
//! A door never decides: it names the [`Capability`] it needs and hands over
//! the [`Caller`]; [`Caller::may`] is the one place where the answer is made.

pub mod actor;
pub mod caller;
pub mod capability;
pub mod claim_code;
pub mod form_token;
pub mod password;
pub mod scope;
pub mod throttle;
pub mod token;

pub use actor::Actor;
pub use caller::{By, Caller, Key, User};
pub use capability::{AppRole, Capability, InstanceRole};
pub use scope::{Scope, Scopes};
