//! Runs nobody waited for.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState};

use crate::{
    access::capability::needs::AppDeadLetterManage,
    base::{Result, cursor::Page},
    store::abandoned::{self, Abandoned},
    web::{InApp, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new().api_route(
        "/apps/{app}/abandoned",
        get_with(list, |op| {
            op.id("listAbandoned")
                .tag("dispatch")
                .summary("Runs whose caller had gone, or whose process ended, newest first")
        }),
    )
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InApp<AppDeadLetterManage>,
    Query(page): Query<Paging>,
) -> Result<Json<Page<Abandoned>>> {
    let limit = page.limit()?;
    Ok(Json(abandoned::list(&state.db, on.app.id, page.cursor(), limit).await?))
}
