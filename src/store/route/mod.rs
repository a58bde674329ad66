//! Routes: which script of an app answers which requests.
//!
//! A row holds a rule in canonical form and, beside the path, its shape: the
//! unique constraint over host, shape and method decides which routes conflict.

mod change;
mod table;

pub use change::{NewRoute, RouteChange, create, delete, update};
pub use table::{Active, AppRow, active, apps, disabled, old_slugs};

use sqlx::PgExecutor;

use crate::base::{
    Error, Result,
    cursor::{self, Page},
    id::{AppId, RouteId, ScriptId},
    pattern::{HostKind, PathKind, RouteRule, RuleText},
    time::Timestamp,
};

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, sqlx::FromRow)]
pub struct Route {
    /// Its id.
    pub id: RouteId,
    /// The app it belongs to.
    pub app_id: AppId,
    /// The script that answers.
    pub script_id: ScriptId,
    /// How `host` is meant.
    pub host_kind: HostKind,
    /// The host or wildcard it answers on; null for any host of the app.
    pub host: Option<String>,
    /// The parameter to which the labels before a wildcard are bound.
    pub host_param_name: Option<String>,
    /// How `path` is meant.
    pub path_kind: PathKind,
    /// The path, percent-decoded.
    pub path: String,
    /// The method; null for every method.
    pub method: Option<String>,
    /// Whether the caller waits for the script.
    pub dispatch_mode: DispatchMode,
    /// Whether it answers at all.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether the caller of a route waits for its script.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
    sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum DispatchMode {
    /// The caller gets the script's answer.
    #[default]
    Sync,
    /// The caller gets 202, and the script runs later.
    Async,
}

/// A stored rule that cannot be read: somebody wrote it past this code.
fn unreadable(id: RouteId, errors: Vec<crate::base::FieldError>) -> Error {
    Error::internal_from(format!("the rule of route {id}"), Error::Invalid(errors))
}

impl Route {
    /// Which requests it answers.
    pub fn rule(&self) -> Result<RouteRule> {
        RouteRule::parse(self.rule_text()).map_err(|errors| unreadable(self.id, errors))
    }

    fn rule_text(&self) -> RuleText<'_> {
        RuleText {
            host_kind: self.host_kind,
            host: self.host.as_deref(),
            host_param_name: self.host_param_name.as_deref(),
            path_kind: self.path_kind,
            path: &self.path,
            method: self.method.as_deref(),
        }
    }
}

/// The route of this id, unless its app was deleted.
pub async fn get(db: impl PgExecutor<'_>, id: RouteId) -> Result<Option<Route>> {
    let route = sqlx::query_as(
        "select routes.id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                dispatch_mode, enabled, routes.created_at, routes.updated_at
         from routes
         join apps on apps.id = app_id
         where routes.id = $1 and deleted_at is null",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(route)
}

/// One page of an app's routes, or of one script's, by path.
pub async fn list(
    db: impl PgExecutor<'_>,
    (app, script): (AppId, Option<ScriptId>),
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Route>> {
    let after: Option<(String, RouteId)> = cursor::decode(cursor)?;
    let (path, id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                dispatch_mode, enabled, created_at, updated_at
         from routes
         where app_id = $1
           and ($2::uuid is null or script_id = $2)
           and ($3::text is null or (path, id) > ($3, $4))
         order by path, id
         limit $5",
    )
    .bind(app)
    .bind(script)
    .bind(path)
    .bind(id)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |route: &Route| (route.path.clone(), route.id)))
}
