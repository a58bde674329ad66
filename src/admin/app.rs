//! Making, changing and deleting apps.

use crate::{
    base::{Error, Result, id::AppId, pattern::HostPattern},
    store::{
        app::{self, App, AppChange, NewApp},
        domain,
    },
    web::State,
};

/// Makes an app; with `local_name` it claims `<slug>.local` too.
pub async fn create(state: &State, new: &NewApp, local_name: bool) -> Result<App> {
    app::refuse_own_name(&new.slug, state.own_names.iter())?;
    let mut tx = state.db.begin().await?;
    let app = app::create(&mut tx, new).await?;
    if local_name {
        let pattern: HostPattern =
            format!("{}.local", app.slug).parse().map_err(|why| Error::invalid("slug", why))?;
        domain::claim(&mut tx, app.id, &pattern).await?;
    }
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(app)
}

/// Changes an app; a slug it gives up redirects to it.
pub async fn update(state: &State, id: AppId, change: AppChange) -> Result<App> {
    if let Some(slug) = &change.slug {
        app::refuse_own_name(slug, state.own_names.iter())?;
    }
    let mut tx = state.db.begin().await?;
    let app = app::update(&mut tx, id, change).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(app)
}

/// Deletes an app for one who names it; the refusal says what would go with it.
pub async fn delete(state: &State, app: &App, confirmed: Option<&str>) -> Result<()> {
    if confirmed != Some(app.slug.as_str()) {
        let counts = app::counts(&state.db, app.id).await?;
        return Err(Error::invalid("confirm", format!("must be `{}`: with the app go {counts}", app.slug)));
    }
    let mut tx = state.db.begin().await?;
    app::delete(&mut tx, app.id).await?;
    tx.commit().await?;
    state.upkeep.nudge();
    state.routes_changed().await
}
