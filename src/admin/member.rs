//! Giving people roles in an app.

use serde_json::{Value, json};

use crate::{
    access::{AppRole, Caller},
    base::{Error, Result, id::UserId},
    store::{
        app::App,
        audit::{self, Action, Entry},
        member::{self, Member},
    },
    web::State,
};

/// Gives a user a role in an app, in place of the one they may have.
pub async fn set(
    state: &State,
    caller: &Caller,
    app: &App,
    (user, role): (UserId, AppRole),
) -> Result<Member> {
    state.disk.check()?;
    let mut tx = state.begin(caller).await?;
    let member = member::set(&mut tx, app.id, user, role).await?;
    let details = json!({"username": member.username, "role": role});
    audit::append(&mut tx, entry(caller, Action::MemberSet, (app, user), details)).await?;
    tx.commit().await?;
    Ok(member)
}

/// Ends a membership.
pub async fn remove(state: &State, caller: &Caller, app: &App, user: UserId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    if !member::remove(&mut *tx, app.id, user).await? {
        return Err(Error::NotFound("member".to_owned()));
    }
    audit::append(&mut tx, entry(caller, Action::MemberDelete, (app, user), json!({}))).await?;
    tx.commit().await?;
    Ok(())
}

fn entry(caller: &Caller, action: Action, (app, user): (&App, UserId), details: Value) -> Entry {
    Entry { actor: caller.actor(), action, target: Some(user.to_string()), app: Some(app.id), details }
}
