//! Who changed what, when and from where.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState};

use crate::{
    access::capability::needs::InstanceManageSettings,
    admin::{self, audit::Asked},
    base::{
        Result,
        cursor::{self, Page},
    },
    store::audit::{self, Told},
    web::{InInstance, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new().api_route(
        "/audit",
        get_with(list, |op| {
            op.id("listAudit").tag("instance").summary("Who changed what, newest first").description(
                "Entries can only be added. Each carries the hash of the one before it; \
                 `picloud doctor` finds one that was changed or taken out.",
            )
        }),
    )
}

/// Which entries are wanted.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// A person's user name at that time, or their id; `console` for the machine itself.
    actor: Option<String>,
    /// An action such as `app.create`, or a noun such as `app` for all that was done to one.
    action: Option<String>,
    /// An app's id or slug; of one that was deleted, its id.
    app: Option<String>,
    /// How many items at most, 1 to 200; 50 if it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

async fn list(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageSettings>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Told>>> {
    let limit = cursor::limit(wanted.limit)?;
    let asked = Asked { actor: wanted.actor, action: wanted.action, app: wanted.app };
    let filter = admin::audit::wanted(&state, &on.caller, asked).await?;
    Ok(Json(audit::list(&state.db, &filter, wanted.cursor.as_deref(), limit).await?))
}
