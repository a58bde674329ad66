//! Making, changing and deleting users, their passwords and their sessions.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::{
    access::{Caller, InstanceRole, password},
    base::{
        Error, Result,
        id::{SessionId, UserId},
        name::{DisplayName, Email, Username},
        redacted::Redacted,
    },
    store::{
        audit::{self, Action, Entry},
        session, sign_in,
        user::{self, Changed, NewUser, User, UserChange},
    },
    web::{State, sign_in::proof},
};

/// Somebody who shall be a user.
#[derive(Debug)]
pub struct Person {
    /// The name to sign in with.
    pub username: Username,
    /// The password.
    pub password: Redacted,
    /// What they may do in the instance.
    pub instance_role: InstanceRole,
    /// The name to show.
    pub display_name: Option<DisplayName>,
    /// Where to write to.
    pub email: Option<Email>,
}

/// Makes a user.
pub async fn create(state: &State, caller: &Caller, person: &Person) -> Result<User> {
    caller.require_over(person.instance_role)?;
    let password = person.password.expose();
    password::check_strength(password, &person.username)?;
    state.disk.check()?;
    let hash = password::hash(state.password_cost, password.to_owned()).await?;
    let new = NewUser {
        username: &person.username,
        display_name: person.display_name.as_ref(),
        email: person.email.as_ref(),
        password_hash: &hash,
        instance_role: person.instance_role,
    };
    let mut tx = state.begin(caller).await?;
    let user = user::create(&mut *tx, new).await?;
    let details = json!({"username": user.username, "instance_role": user.instance_role});
    audit::append(&mut tx, entry(caller, Action::UserCreate, user.id, details)).await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes a user. Deactivation and another role in the instance end their
/// sessions, but not the one this call came with: roles are judged anew with each call.
pub async fn update(state: &State, caller: &Caller, id: UserId, change: UserChange) -> Result<User> {
    if let Some(role) = change.instance_role {
        caller.require_over(role)?;
    }
    state.disk.check()?;
    let mut tx = state.begin(caller).await?;
    let may = |user: &User| caller.require_over(user.instance_role);
    let changed = change.fields();
    let Changed { old, new } = user::update(&mut tx, id, change, may).await?;
    if !new.active {
        session::close_all(&mut *tx, id, None).await?;
    } else if new.instance_role != old.instance_role {
        session::close_all(&mut *tx, id, caller.session()).await?;
    }
    let details = json!({
        "username": new.username,
        "changed": changed,
        "instance_role": new.instance_role,
        "active": new.active,
    });
    audit::append(&mut tx, entry(caller, Action::UserUpdate, id, details)).await?;
    tx.commit().await?;
    Ok(new)
}

/// Deletes a user.
pub async fn delete(state: &State, caller: &Caller, id: UserId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let user = user::delete(&mut tx, id, |user| caller.require_over(user.instance_role)).await?;
    let details = json!({"username": user.username, "instance_role": user.instance_role});
    audit::append(&mut tx, entry(caller, Action::UserDelete, id, details)).await?;
    tx.commit().await?;
    Ok(())
}

/// Gives a user another password, one's own only with the present one. It ends
/// all sessions but the one this call came with.
///
/// A full disk does not refuse it: who has to shut somebody out must be able to.
pub async fn set_password(
    state: &State,
    caller: &Caller,
    user: &User,
    (new, current): (&Redacted, Option<&Redacted>),
) -> Result<()> {
    password::check_strength(new.expose(), &user.username)?;
    let old = if user.id == caller.user.id { Some(proven(state, caller, current).await?) } else { None };
    let hash = password::hash(state.password_cost, new.expose().to_owned()).await?;
    let mut tx = state.begin(caller).await?;
    let now = user::hold(&mut tx, user.id).await?;
    caller.require_over(now.instance_role)?;
    if !user::set_password(&mut *tx, user.id, old.as_deref(), &hash).await? {
        return Err(Error::Conflict("the password was changed meanwhile".to_owned()));
    }
    session::close_all(&mut *tx, user.id, caller.session()).await?;
    sign_in::forget(&mut *tx, &now.username).await?;
    let details = json!({"username": now.username});
    audit::append(&mut tx, entry(caller, Action::UserSetPassword, user.id, details)).await?;
    tx.commit().await?;
    Ok(())
}

/// The hash of the present password, if `current` is that password.
async fn proven(state: &State, caller: &Caller, current: Option<&Redacted>) -> Result<String> {
    let field = "current_password";
    let current = current.ok_or_else(|| Error::invalid(field, "is needed to change one's own password"))?;
    let address = caller.address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let password = current.expose().to_owned();
    let proven = proof::of(state, caller.user.username.as_str(), password, address).await?;
    let proven = proven.ok_or_else(|| Error::invalid(field, "is not the present password"))?;
    Ok(proven.hash)
}

/// Ends one session of a user.
pub async fn end_session(state: &State, caller: &Caller, user: &User, id: SessionId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    if !session::close_of(&mut *tx, user.id, id).await? {
        return Err(Error::NotFound("session".to_owned()));
    }
    let details = json!({"username": user.username, "session": id});
    audit::append(&mut tx, entry(caller, Action::SessionDelete, user.id, details)).await?;
    tx.commit().await?;
    Ok(())
}

/// Ends all sessions of a user.
pub async fn end_sessions(state: &State, caller: &Caller, user: &User) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let ended = session::close_all(&mut *tx, user.id, None).await?;
    let details = json!({"username": user.username, "sessions": ended});
    audit::append(&mut tx, entry(caller, Action::SessionDelete, user.id, details)).await?;
    tx.commit().await?;
    Ok(())
}

fn entry(caller: &Caller, action: Action, user: UserId, details: Value) -> Entry {
    Entry { actor: caller.actor(), action, target: Some(user.to_string()), app: None, details }
}
