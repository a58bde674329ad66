//! Claiming and releasing the hosts an app answers on.

use crate::{
    base::{
        Result,
        id::{AppId, DomainId},
        pattern::HostPattern,
    },
    store::domain::{self, Domain},
    web::State,
};

/// Claims a host pattern for an app.
pub async fn claim(state: &State, app: AppId, pattern: &HostPattern) -> Result<Domain> {
    state.disk.check()?;
    state.own_names.refuse("pattern", pattern)?;
    let mut tx = state.db.begin().await?;
    let domain = domain::claim(&mut tx, app, pattern).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(domain)
}

/// Gives a host pattern up; refused while routes need it.
pub async fn release(state: &State, app: AppId, id: DomainId) -> Result<()> {
    let mut tx = state.db.begin().await?;
    domain::release(&mut tx, app, id).await?;
    tx.commit().await?;
    state.routes_changed().await
}
