//! What may be done to a row that waits.

use crate::{
    base::{
        Result,
        id::{AppId, OutboxId},
    },
    store::outbox,
    web::State,
};

/// Makes a row due now, whatever it waits for.
pub async fn retry_now(state: &State, app: AppId, id: OutboxId) -> Result<()> {
    state.disk.check()?;
    outbox::retry_now(&state.db, app, id).await?;
    state.dispatcher.wake_durable();
    Ok(())
}
