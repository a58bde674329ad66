//! What waits to run.

use aide::axum::{
    ApiRouter,
    routing::{delete_with, get_with, post_with},
};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::capability::needs::AppDeadLetterManage,
    admin,
    base::{Result, cursor::Page},
    store::outbox::{self, Waiting},
    web::{InApp, NoQuery, OnOutbox, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps/{app}/outbox",
            get_with(list, |op| {
                op.id("listOutbox")
                    .tag("dispatch")
                    .summary("What waits, runs or is tried again, newest first")
            }),
        )
        .api_route(
            "/apps/{app}/outbox/{row}",
            delete_with(delete, |op| {
                op.id("deleteOutboxRow")
                    .tag("dispatch")
                    .summary("Delete a row, so that it never runs")
                    .description("409 while it runs.")
            }),
        )
        .api_route(
            "/apps/{app}/outbox/{row}/retry_now",
            post_with(retry_now, |op| {
                op.id("retryOutboxRow")
                    .tag("dispatch")
                    .summary("Run a row now, whatever it waits for")
                    .description("409 while it runs.")
            }),
        )
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppDeadLetterManage>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Waiting>>> {
    let limit = page.limit()?;
    Ok(Json(outbox::list(&state.db, on.app.id, page.cursor(), limit).await?))
}

async fn retry_now(
    AxumState(state): AxumState<State>,
    on: OnOutbox<AppDeadLetterManage>,
    _: NoQuery,
) -> Result<NoContent> {
    admin::outbox::retry_now(&state, &on.caller, on.app.id, on.row).await?;
    Ok(NoContent)
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: OnOutbox<AppDeadLetterManage>,
    _: NoQuery,
) -> Result<NoContent> {
    admin::outbox::delete(&state, &on.caller, on.app.id, on.row).await?;
    Ok(NoContent)
}
