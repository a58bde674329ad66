//! Apps.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::{
        Caller,
        capability::needs::{AppAdmin, AppRead, InstanceCreateApp},
    },
    base::{
        Error, Result,
        cursor::Page,
        id::AppId,
        name::{AppName, Description, Slug},
        patch::{self, Patch},
        pattern::HostPattern,
        time::Timestamp,
    },
    store::{
        app::{self, App, AppChange, NewApp},
        domain,
    },
    web::{Body, Created, InApp, InInstance, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps",
            get_with(list, |op| op.id("list_apps").tag("apps").summary("The apps one may read, by name"))
                .post_with(create, |op| op.id("create_app").tag("apps").summary("Make an app")),
        )
        .api_route(
            "/apps/{app}",
            get_with(get, |op| op.id("get_app").tag("apps").summary("One app"))
                .patch_with(change, |op| op.id("change_app").tag("apps").summary("Change an app"))
                .delete_with(delete, |op| {
                    op.id("delete_app").tag("apps").summary("Delete an app and all it owns")
                }),
        )
}

/// An app.
#[derive(serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "App")]
struct AppView {
    id: AppId,
    /// Its short name in addresses.
    slug: Slug,
    name: AppName,
    description: Option<Description>,
    /// Always null: the app's own routes answer OPTIONS.
    cors: (),
    /// Whether hosts that no app claims belong to it.
    default: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<App> for AppView {
    fn from(app: App) -> Self {
        Self {
            id: app.id,
            slug: app.slug,
            name: app.name,
            description: app.description,
            cors: (),
            default: app.is_default,
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

async fn list(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<AppView>>> {
    let page = app::list(&state.db, &caller, paging.cursor(), paging.limit()?).await?;
    Ok(Json(page.map(AppView::from)))
}

/// What an app is made with.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewApp")]
struct AppToCreate {
    slug: Slug,
    name: AppName,
    description: Option<Description>,
    /// Take the slug even if it redirects to an app that was renamed.
    #[serde(default)]
    take_over: bool,
    /// Claim `<slug>.local` as the app's first domain.
    #[serde(default)]
    local_name: bool,
}

async fn create(
    AxumState(state): AxumState<State>,
    _: InInstance<InstanceCreateApp>,
    Body(asked): Body<AppToCreate>,
) -> Result<Created<AppView>> {
    app::refuse_own_name(&asked.slug, state.own_names.iter())?;
    let new = NewApp {
        slug: asked.slug,
        name: asked.name,
        description: asked.description,
        take_over: asked.take_over,
    };
    let mut tx = state.db.begin().await?;
    let app = app::create(&mut tx, &new).await?;
    if asked.local_name {
        let pattern: HostPattern =
            format!("{}.local", app.slug).parse().map_err(|why| Error::invalid("slug", why))?;
        domain::claim(&mut tx, app.id, &pattern).await?;
    }
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(Created(app.into()))
}

async fn get(on: InApp<AppRead>) -> Json<AppView> {
    Json(on.app.into())
}

/// What changes of an app; a slug it gives up redirects to it.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppPatch {
    #[serde(default, deserialize_with = "patch::not_null")]
    slug: Option<Slug>,
    #[serde(default, deserialize_with = "patch::not_null")]
    name: Option<AppName>,
    #[serde(default)]
    description: Patch<Description>,
}

async fn change(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    Body(asked): Body<AppPatch>,
) -> Result<Json<AppView>> {
    if let Some(slug) = &asked.slug {
        app::refuse_own_name(slug, state.own_names.iter())?;
    }
    let change = AppChange { slug: asked.slug, name: asked.name, description: asked.description };
    let mut tx = state.db.begin().await?;
    let app = app::update(&mut tx, on.app.id, change).await?;
    tx.commit().await?;
    state.routes_changed().await?;
    Ok(Json(app.into()))
}

/// That one knows what one deletes.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The app's slug; without it the answer says what would go with the app.
    confirm: Option<String>,
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    Query(asked): Query<Confirmation>,
) -> Result<NoContent> {
    if asked.confirm.as_deref() != Some(on.app.slug.as_str()) {
        let counts = app::counts(&state.db, on.app.id).await?;
        let why = format!("must be `{}`: with the app go {counts}", on.app.slug);
        return Err(Error::invalid("confirm", why));
    }
    let mut tx = state.db.begin().await?;
    app::delete(&mut tx, on.app.id).await?;
    tx.commit().await?;
    state.upkeep.nudge();
    state.routes_changed().await?;
    Ok(NoContent)
}
