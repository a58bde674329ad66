//! What may be done to a row that waits.

use serde_json::json;

use crate::{
    access::Caller,
    base::{
        Result,
        id::{AppId, OutboxId},
    },
    store::{
        audit::{self, Action, Entry},
        outbox,
    },
    web::State,
};

/// Makes a row due now, whatever it waits for.
pub async fn retry_now(state: &State, caller: &Caller, app: AppId, id: OutboxId) -> Result<()> {
    state.disk.check()?;
    let mut tx = state.begin(caller).await?;
    outbox::retry_now(&mut tx, app, id).await?;
    audit::append(&mut tx, entry(caller, Action::OutboxRetryNow, app, id)).await?;
    tx.commit().await?;
    state.durable.wake();
    Ok(())
}

/// Deletes a row, so that it never runs again.
pub async fn delete(state: &State, caller: &Caller, app: AppId, id: OutboxId) -> Result<()> {
    let mut tx = state.begin(caller).await?;
    outbox::delete(&mut tx, app, id).await?;
    audit::append(&mut tx, entry(caller, Action::OutboxDelete, app, id)).await?;
    tx.commit().await?;
    Ok(())
}

fn entry(caller: &Caller, action: Action, app: AppId, id: OutboxId) -> Entry {
    Entry { actor: caller.actor(), action, target: Some(id.to_string()), app: Some(app), details: json!({}) }
}
