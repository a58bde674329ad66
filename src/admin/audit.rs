//! Which entries of the audit log somebody asks for.

use crate::{
    access::Caller,
    base::{Error, Result, id::AppId},
    store::{
        app,
        audit::{Action, Filter},
    },
    web::State,
};

/// What one asks for, as it was typed.
#[derive(Debug, Default)]
pub struct Asked {
    /// A person's user name at that time, or their id; `console` for the machine itself.
    pub actor: Option<String>,
    /// An action, or a noun for all that was done to one.
    pub action: Option<String>,
    /// An app's id or slug; of one that was deleted, its id.
    pub app: Option<String>,
}

/// The entries that are meant; what is no actor, action or app is named.
pub async fn wanted(state: &State, caller: &Caller, asked: Asked) -> Result<Filter> {
    let Asked { actor, action, app } = asked;
    if actor.as_ref().is_some_and(|actor| actor.contains('\0')) {
        return Err(Error::invalid("actor", "must not contain U+0000"));
    }
    if action.as_deref().is_some_and(|action| !is_known(action)) {
        return Err(Error::invalid("action", "must be an action such as app.create, or a noun such as app"));
    }
    let app = match &app {
        Some(app) => Some(app_of(state, caller, app).await?),
        None => None,
    };
    Ok(Filter { actor, action, app })
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
