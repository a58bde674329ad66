//! Who changes something, as the audit log names them.

use std::net::IpAddr;

use crate::base::{id::UserId, name::Username};

/// What the audit log calls somebody who works on the machine itself.
pub const CONSOLE: &str = "console";

/// Who changes something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The person; none at the console.
    pub user: Option<UserId>,
    /// The person's user name at that time.
    pub name: String,
    /// The prefix of the API key that was used, if it was one.
    pub key: Option<String>,
    /// The address the call came from; none at the console.
    pub address: Option<IpAddr>,
}

impl Actor {
    /// A person with a session, or about to have one.
    pub fn person(id: UserId, username: &Username, address: Option<IpAddr>) -> Self {
        Self { user: Some(id), name: username.to_string(), key: None, address }
    }

    /// Somebody with a shell on the machine.
    pub fn console() -> Self {
        Self { user: None, name: CONSOLE.to_owned(), key: None, address: None }
    }
}
