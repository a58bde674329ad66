//! Making, changing and deleting apps.

use serde_json::json;

use crate::{
    access::Caller,
    base::{Error, Result, id::AppId, pattern::HostPattern},
    store::{
        app::{self, App, AppChange, NewApp},
        audit::{self, Action, Entry},
        domain,
    },
    web::State,
};

/// Makes an app; with `local_name`, one that answers as `<slug>.local`.
pub async fn create(state: &State, caller: &Caller, new: &NewApp, local_name: bool) -> Result<App> {
    state.disk.check()?;
    app::refuse_own_name(&new.slug, state.own_names.iter())?;
    let mut tx = state.begin(caller).await?;
    let app = app::create(&mut tx, new).await?;
    let details = json!({"slug": app.slug, "name": app.name});
    let mut entries = vec![entry(caller, Action::AppCreate, app.id, details)];
    if local_name {
        let pattern = format!("{}.local", app.slug).parse::<HostPattern>();
        let pattern = pattern.map_err(|why| Error::invalid("local_name", why))?;
        state.own_names.refuse("local_name", &pattern)?;
        let claimed = domain::claim(&mut tx, app.id, &pattern).await?;
        entries.push(super::domain::claimed(caller, app.id, &claimed));
    }
    for entry in entries {
        audit::append(&mut tx, entry).await?;
    }
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(app)
}

/// Changes an app; when this returns, this node redirects from the slug it gave up.
pub async fn update(state: &State, caller: &Caller, id: AppId, change: AppChange) -> Result<App> {
    state.disk.check()?;
    if let Some(slug) = &change.slug {
        app::refuse_own_name(slug, state.own_names.iter())?;
    }
    let mut tx = state.begin(caller).await?;
    let changed = change.fields();
    let app = app::update(&mut tx, id, change).await?;
    let details = json!({"slug": app.slug, "changed": changed});
    audit::append(&mut tx, entry(caller, Action::AppUpdate, id, details)).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(app)
}

/// Deletes an app if `confirm` is its slug; else says what would go with it.
/// When this returns, this node reaches it no more.
pub async fn delete(state: &State, caller: &Caller, app: &App, confirm: Option<&str>) -> Result<()> {
    if confirm != Some(app.slug.as_str()) {
        state.recorder.flush().await;
        let counts = app::counts(&state.db, app.id).await?;
        let why = format!("must be `{}`: with the app go {counts}", app.slug);
        return Err(Error::invalid("confirm", why));
    }
    let mut tx = state.begin(caller).await?;
    app::delete(&mut tx, app.id).await?;
    let details = json!({"slug": app.slug, "name": app.name});
    audit::append(&mut tx, entry(caller, Action::AppDelete, app.id, details)).await?;
    tx.commit().await?;
    state.upkeep.nudge();
    state.routes_changed().await
}

fn entry(caller: &Caller, action: Action, id: AppId, details: serde_json::Value) -> Entry {
    Entry { actor: caller.actor(), action, target: Some(id.to_string()), app: Some(id), details }
}
