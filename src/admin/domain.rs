//! Claiming and releasing the hosts an app answers on.

use serde_json::json;

use crate::{
    access::Caller,
    base::{
        Result,
        id::{AppId, DomainId},
        pattern::HostPattern,
    },
    store::{
        audit::{self, Action, Entry},
        domain::{self, Domain},
    },
    web::State,
};

/// Claims a host pattern for an app.
pub async fn claim(state: &State, caller: &Caller, app: AppId, pattern: &HostPattern) -> Result<Domain> {
    state.disk.check()?;
    state.own_names.refuse("pattern", pattern)?;
    let mut tx = state.begin(caller).await?;
    let domain = domain::claim(&mut tx, app, pattern).await?;
    audit::append(&mut tx, claimed(caller, app, &domain)).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(domain)
}

/// Gives a host pattern up; refused while routes need it.
pub async fn release(state: &State, caller: &Caller, app: AppId, id: DomainId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    let pattern = domain::release(&mut tx, app, id).await?;
    let entry = Entry {
        actor: caller.actor(),
        action: Action::DomainDelete,
        target: Some(id.to_string()),
        app: Some(app),
        details: json!({"pattern": pattern}),
    };
    audit::append(&mut tx, entry).await?;
    tx.commit().await?;
    state.routes_changed().await
}

/// What is written down of a claim.
pub(super) fn claimed(caller: &Caller, app: AppId, domain: &Domain) -> Entry {
    Entry {
        actor: caller.actor(),
        action: Action::DomainCreate,
        target: Some(domain.id.to_string()),
        app: Some(app),
        details: json!({"pattern": domain.pattern}),
    }
}
