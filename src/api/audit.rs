//! Who changed what, when and from where.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState};

use crate::{
    access::{Caller, capability::needs::InstanceManageSettings},
    base::{
        Error, Result,
        cursor::{self, Page},
        id::AppId,
    },
    store::{
        app,
        audit::{self, Action, Filter, Told},
    },
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
    if wanted.actor.as_ref().is_some_and(|actor| actor.contains('\0')) {
        return Err(Error::invalid("actor", "must not contain U+0000"));
    }
    if wanted.action.as_deref().is_some_and(|action| !is_known(action)) {
        return Err(Error::invalid("action", "must be an action such as app.create, or a noun such as app"));
    }
    let app = match &wanted.app {
        Some(app) => Some(app_of(&state, &on.caller, app).await?),
        None => None,
    };
    let filter = Filter { actor: wanted.actor, action: wanted.action, app };
    Ok(Json(audit::list(&state.db, &filter, wanted.cursor.as_deref(), limit).await?))
}

/// Whether this is an action, or the noun of one.
fn is_known(asked: &str) -> bool {
    Action::ALL
        .iter()
        .map(|action| action.as_str())
        .any(|action| action == asked || action.split_once('.').is_some_and(|(noun, _)| noun == asked))
}

async fn app_of(state: &State, caller: &Caller, asked: &str) -> Result<AppId> {
    // The id of an app that was deleted is one as well.
    if let Ok(id) = asked.parse() {
        return Ok(id);
    }
    let reached = app::named(&state.db, asked, caller.user.id).await?;
    let unknown = || Error::invalid("app", "is the slug of no app; one that was deleted has its id");
    Ok(reached.ok_or_else(unknown)?.app.id)
}
