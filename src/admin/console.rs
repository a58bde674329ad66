//! What somebody does who has a shell on the machine: the way back in.
//!
//! It needs the database alone, so that it works whether PiCloud runs or not.

use serde_json::json;
use sqlx::PgPool;

use crate::{
    access::{Actor, InstanceRole},
    base::{Error, Result, name::Username},
    store::{
        audit::{self, Action, Entry},
        instance, session, sign_in,
        user::{self, NewUser, User},
    },
};

/// Adds a user. While nobody owns the machine it has to be an owner, who claims it with that.
pub async fn add_user(db: &PgPool, new: NewUser<'_>) -> Result<User> {
    let mut tx = db.begin().await?;
    if new.instance_role == InstanceRole::Owner {
        instance::claim(&mut *tx).await?;
    } else if !instance::is_claimed(&mut *tx).await? {
        let why = "nobody owns this machine yet: add an owner first, or claim it with a browser";
        return Err(Error::Conflict(why.to_owned()));
    }
    let user = user::create(&mut *tx, new).await?;
    let details = json!({"username": user.username, "instance_role": user.instance_role});
    audit::append(&mut tx, entry(Action::UserCreate, &user, details)).await?;
    tx.commit().await?;
    Ok(user)
}

/// Gives a user another password, ends their sessions, and forgets what failed
/// to sign in. Says how many sessions that were.
pub async fn reset_password(db: &PgPool, username: &Username, hash: &str) -> Result<(User, u64)> {
    let mut tx = db.begin().await?;
    let user = user::by_name(&mut *tx, username).await?;
    let user = user.ok_or_else(|| Error::NotFound(format!("the user {username}")))?;
    user::set_password(&mut *tx, user.id, None, hash).await?;
    let sessions = session::close_all(&mut *tx, user.id, None).await?;
    sign_in::forget(&mut *tx, username).await?;
    let details = json!({"username": username, "sessions": sessions});
    audit::append(&mut tx, entry(Action::UserSetPassword, &user, details)).await?;
    tx.commit().await?;
    Ok((user, sessions))
}

fn entry(action: Action, user: &User, details: serde_json::Value) -> Entry {
    Entry { actor: Actor::console(), action, target: Some(user.id.to_string()), app: None, details }
}
