//! Apps.

use aide::axum::{ApiRouter, routing::get_with};
use axum::{Json, extract::State as AxumState, response::NoContent};

use crate::{
    access::{
        Caller,
        capability::needs::{AppAdmin, AppRead, InstanceCreateApp},
    },
    admin,
    base::{
        Result,
        cursor::Page,
        id::AppId,
        name::{AppName, Description, Slug},
        patch::Patch,
        time::Timestamp,
    },
    store::app::{self, App, AppChange, Cors, NewApp},
    web::{Body, Created, InApp, InInstance, NoQuery, Paging, Query, State},
};

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/apps",
            get_with(list, |op| op.id("listApps").tag("apps").summary("The apps one may read, by name"))
                .post_with(create, |op| {
                    op.id("createApp")
                        .tag("apps")
                        .summary("Make an app")
                        .description("409 if another app has the slug, or had it and `take_over` is not set.")
                }),
        )
        .api_route(
            "/apps/{app}",
            get_with(show, |op| op.id("getApp").tag("apps").summary("An app"))
                .patch_with(update, |op| {
                    op.id("updateApp")
                        .tag("apps")
                        .summary("Change an app")
                        .description("A slug that is given up redirects until another app takes it over.")
                })
                .delete_with(delete, |op| {
                    op.id("deleteApp")
                        .tag("apps")
                        .summary("Delete an app and all it owns")
                        .description("422, saying what would go with it, unless `confirm` is its slug.")
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
    /// What pages of other origins may ask of its routes; null: its own routes answer OPTIONS.
    cors: Option<Cors>,
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
            cors: app.cors.map(|cors| cors.0),
            default: app.is_default,
            created_at: app.created_at,
            updated_at: app.updated_at,
        }
    }
}

async fn list(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Query(page): Query<Paging>,
) -> Result<Json<Page<AppView>>> {
    let limit = page.limit()?;
    let apps = app::list(&state.db, &caller, page.cursor(), limit).await?;
    Ok(Json(apps.map(AppView::from)))
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
    on: InInstance<InstanceCreateApp>,
    _: NoQuery,
    Body(asked): Body<AppToCreate>,
) -> Result<Created<AppView>> {
    let AppToCreate { slug, name, description, take_over, local_name } = asked;
    let new = NewApp { slug, name, description, take_over };
    let app = admin::app::create(&state, &on.caller, &new, local_name).await?;
    Ok(Created(app.into()))
}

async fn show(on: InApp<AppRead>, _: NoQuery) -> Json<AppView> {
    Json(on.app.into())
}

/// What changes of an app.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppPatch {
    #[serde(default)]
    slug: Patch<Slug>,
    #[serde(default)]
    name: Patch<AppName>,
    #[serde(default)]
    description: Patch<Description>,
    /// What pages of other origins may ask of its routes; null leaves OPTIONS to these.
    #[serde(default)]
    cors: Patch<NewCors>,
}

/// What pages of other origins may ask of an app's routes.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCors {
    /// `*` alone, or origins such as `https://shop.example`.
    origins: Vec<String>,
    /// The methods they may use; absent: those that the app's routes take.
    methods: Option<Vec<String>>,
    /// The headers they may send; absent: whatever they ask for.
    headers: Option<Vec<String>>,
    /// For how many seconds a browser may remember that, 86400 at most.
    max_age: Option<u32>,
    /// Whether they may send cookies and read what is answered to those.
    credentials: Option<bool>,
}

impl NewCors {
    fn checked(self) -> Result<Cors> {
        let Self { origins, methods, headers, max_age, credentials } = self;
        Cors { origins, methods, headers, max_age, credentials }.checked()
    }
}

async fn update(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    _: NoQuery,
    Body(asked): Body<AppPatch>,
) -> Result<Json<AppView>> {
    let change = AppChange {
        slug: asked.slug.not_null("slug")?,
        name: asked.name.not_null("name")?,
        description: asked.description,
        cors: asked.cors.try_map(NewCors::checked)?,
    };
    Ok(Json(admin::app::update(&state, &on.caller, on.app.id, change).await?.into()))
}

/// That one knows what one deletes.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The app's slug.
    confirm: Option<String>,
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: InApp<AppAdmin>,
    Query(asked): Query<Confirmation>,
) -> Result<NoContent> {
    admin::app::delete(&state, &on.caller, &on.app, asked.confirm.as_deref()).await?;
    Ok(NoContent)
}
