//! Giving people roles in an app.

use crate::{
    access::{AppRole, Caller},
    base::{Error, Result, id::UserId},
    store::{
        app::App,
        member::{self, Member},
    },
    web::State,
};

/// Gives a user a role in an app, in place of the one they may have.
pub async fn set(state: &State, _: &Caller, app: &App, (user, role): (UserId, AppRole)) -> Result<Member> {
    state.disk.check()?;
    let mut tx = state.db.begin().await?;
    let member = member::set(&mut tx, app.id, user, role).await?;
    tx.commit().await?;
    Ok(member)
}

/// Ends a membership.
pub async fn remove(state: &State, _: &Caller, app: &App, user: UserId) -> Result<()> {
    let mut tx = state.db.begin().await?;
    if !member::remove(&mut *tx, app.id, user).await? {
        return Err(Error::NotFound("member".to_owned()));
    }
    tx.commit().await?;
    Ok(())
}
