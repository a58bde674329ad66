//! The audit log: who changed what, when and from where.
//!
//! Entries are only ever added, in the transaction of the change they tell of,
//! so that there is neither a change without its entry nor an entry without
//! its change. Each carries the hash of the one before it, and `audit_head` the
//! newest's number and hash: one that was changed, taken out or put in shows.
//! What an entry tells of are names and numbers, never a secret, a script's
//! source or the body of a request.

mod action;
mod chain;
mod read;
mod verify;

pub use action::Action;
pub use read::{Filter, Told, list};
pub use verify::{Broken, Verified, verify};

use serde_json::{Map, Value};
use sqlx::PgConnection;

use self::chain::{Hash, Link};
use crate::{
    access::Actor,
    base::{
        Result,
        id::{AppId, AuditId},
        name::storable,
        time::Timestamp,
    },
};

/// What is to be written down.
#[derive(Debug)]
pub struct Entry {
    /// Who did it, and from where.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what: an id, or a name where there is none.
    pub target: Option<String>,
    /// The app it belongs to.
    pub app: Option<AppId>,
    /// What else one wants to know: an object of names and numbers.
    pub details: Value,
}

/// Adds an entry. It belongs at the end of a transaction: from here to the
/// commit nobody else can add one, and nothing else is locked after it.
pub async fn append(tx: &mut PgConnection, entry: Entry) -> Result<()> {
    let (last, previous): (i64, Hash) =
        sqlx::query_as("select seq, hash from audit_head for update").fetch_one(&mut *tx).await?;
    let link = link(last + 1, previous, entry);
    let hash = link.hash();
    sqlx::query(
        "with head as (update audit_head set seq = $1, hash = $11)
         insert into audit (seq, id, at, actor_id, actor, address, action, target, app_id, details, previous, hash)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $12, $11)",
    )
    .bind(link.seq)
    .bind(link.id)
    .bind(link.at)
    .bind(link.actor_id)
    .bind(&link.actor)
    .bind(&link.address)
    .bind(&link.action)
    .bind(&link.target)
    .bind(link.app_id)
    .bind(&link.details)
    .bind(&hash)
    .bind(&link.previous)
    .execute(tx)
    .await?;
    Ok(())
}

fn link(seq: i64, previous: Hash, entry: Entry) -> Link {
    let actor = entry.actor;
    let mut details = match entry.details {
        Value::Object(details) => details,
        _ => Map::new(),
    };
    if let Some(key) = actor.key {
        details.insert("api_key".to_owned(), key.into());
    }
    Link {
        seq,
        id: AuditId::new(),
        // The database keeps microseconds, and what is hashed is what is kept.
        at: Timestamp::now().in_microseconds(),
        actor_id: actor.user,
        actor: storable(actor.name),
        address: actor.address.map(|address| address.to_canonical().to_string()),
        action: entry.action.as_str().to_owned(),
        target: entry.target.map(storable),
        app_id: entry.app,
        details: Value::Object(details).to_string(),
        previous,
    }
}
