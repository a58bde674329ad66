//! What the compiled route table is made of.

use sqlx::{PgExecutor, types::Json};

use super::{DispatchMode, Route, unreadable};
use crate::{
    base::{
        Result,
        id::{AppId, RouteId, ScriptId},
        name::{ScriptName, Slug},
        pattern::{HostKind, PathKind, RouteRule, RuleText},
    },
    store::{app::Cors, script::Sandbox},
};

/// A route that answers, with what a run of its script needs.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Active {
    /// The route's id.
    pub id: RouteId,
    /// Its app.
    pub app_id: AppId,
    /// Its app's slug.
    pub app_slug: Slug,
    /// The script that answers.
    pub script_id: ScriptId,
    /// The script's name.
    pub script_name: ScriptName,
    /// The script's version that runs.
    pub script_version: i32,
    /// How long one run may take.
    pub timeout_seconds: i32,
    /// Where the script departs from the instance's limits.
    pub sandbox: Json<Sandbox>,
    /// Whether the caller waits.
    pub dispatch_mode: DispatchMode,
    host_kind: HostKind,
    host: Option<String>,
    host_param_name: Option<String>,
    path_kind: PathKind,
    path: String,
    method: Option<String>,
}

impl Active {
    /// Which requests it answers.
    pub fn rule(&self) -> Result<RouteRule> {
        let text = RuleText {
            host_kind: self.host_kind,
            host: self.host.as_deref(),
            host_param_name: self.host_param_name.as_deref(),
            path_kind: self.path_kind,
            path: &self.path,
            method: self.method.as_deref(),
        };
        RouteRule::parse(text).map_err(|errors| unreadable(self.id, errors))
    }
}

/// All routes of living apps that are enabled and whose scripts are.
pub async fn active(db: impl PgExecutor<'_>) -> Result<Vec<Active>> {
    let rows = sqlx::query_as(
        "select routes.id, routes.app_id, slug as app_slug, script_id, scripts.name as script_name,
                scripts.version as script_version, timeout_seconds, sandbox, dispatch_mode,
                host_kind, host, host_param_name, path_kind, path, method
         from routes
         join scripts on scripts.id = script_id
         join apps on apps.id = routes.app_id
         where routes.enabled and scripts.enabled and deleted_at is null",
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// The routes of an app that do not answer because they or their scripts are disabled.
pub async fn disabled(db: impl PgExecutor<'_>, app: AppId) -> Result<Vec<Route>> {
    let rows = sqlx::query_as(
        "select routes.id, routes.app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                dispatch_mode, routes.enabled, routes.created_at, routes.updated_at
         from routes
         join scripts on scripts.id = script_id
         where routes.app_id = $1 and not (routes.enabled and scripts.enabled)
         order by routes.id",
    )
    .bind(app)
    .fetch_all(db)
    .await?;
    Ok(rows)
}

/// An app, as far as routing needs it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AppRow {
    /// Its id.
    pub id: AppId,
    /// Its slug.
    pub slug: Slug,
    /// Whether it is the default app.
    pub is_default: bool,
    /// What pages of other origins may ask of its routes.
    pub cors: Option<Json<Cors>>,
}

/// All living apps.
pub async fn apps(db: impl PgExecutor<'_>) -> Result<Vec<AppRow>> {
    let rows = sqlx::query_as("select id, slug, is_default, cors from apps where deleted_at is null")
        .fetch_all(db)
        .await?;
    Ok(rows)
}

/// The slugs living apps had before.
pub async fn old_slugs(db: impl PgExecutor<'_>) -> Result<Vec<(Slug, AppId)>> {
    let rows = sqlx::query_as(
        "select app_old_slugs.slug, app_id
         from app_old_slugs
         join apps on apps.id = app_id
         where deleted_at is null",
    )
    .fetch_all(db)
    .await?;
    Ok(rows)
}
