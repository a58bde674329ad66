//! Making, changing and deleting routes.

use sqlx::{Acquire as _, PgConnection, PgExecutor};

use super::{DispatchMode, Route};
use crate::{
    base::{
        Error, Result,
        id::{AppId, RouteId, ScriptId},
        patch::Patch,
        pattern::{HostKind, HostRule, Method, PathKind, RouteRule},
    },
    store::domain,
};

/// What a route is made with.
#[derive(Clone, Debug)]
pub struct NewRoute {
    /// The app it belongs to.
    pub app_id: AppId,
    /// The script of that app that answers.
    pub script_id: ScriptId,
    /// Which requests it answers.
    pub rule: RouteRule,
    /// Whether the caller waits for the script.
    pub dispatch_mode: DispatchMode,
    /// Whether it answers at all.
    pub enabled: bool,
}

/// What changes of a route; the app, the script and the dispatch mode stay.
#[derive(Clone, Debug, Default)]
pub struct RouteChange {
    /// How `host` is meant.
    pub host_kind: Option<HostKind>,
    /// The host or wildcard. Where it is not mentioned and the kind becomes
    /// any, it goes, and so does the parameter's name with any but a wildcard.
    pub host: Patch<String>,
    /// The parameter to which the labels before a wildcard are bound.
    pub host_param_name: Patch<String>,
    /// How `path` is meant.
    pub path_kind: Option<PathKind>,
    /// The path.
    pub path: Option<String>,
    /// The method, or every method.
    pub method: Patch<String>,
    /// Whether it answers at all.
    pub enabled: Option<bool>,
}

/// Makes a route.
pub async fn create(conn: &mut PgConnection, new: &NewRoute) -> Result<Route> {
    require_domain(conn, new.app_id, &new.rule.host).await?;
    let id = RouteId::new();
    let mut attempt = conn.begin().await?;
    let made = insert(&mut *attempt, id, new).await;
    if made.is_ok() {
        attempt.commit().await?;
    } else {
        attempt.rollback().await?;
    }
    settled(conn, made, (id, new.app_id, &new.rule)).await
}

async fn insert(db: impl PgExecutor<'_>, id: RouteId, new: &NewRoute) -> Result<Route, sqlx::Error> {
    let rule = &new.rule;
    sqlx::query_as(
        "insert into routes (id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, path_shape,
                             method, dispatch_mode, enabled)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         returning id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                   dispatch_mode, enabled, created_at, updated_at",
    )
    .bind(id)
    .bind(new.app_id)
    .bind(new.script_id)
    .bind(rule.host.kind())
    .bind(host(rule))
    .bind(rule.host.param().map(ToString::to_string))
    .bind(rule.path.kind())
    .bind(rule.path.to_string())
    .bind(rule.path.shape())
    .bind(rule.method.map(Method::as_str))
    .bind(new.dispatch_mode)
    .bind(new.enabled)
    .fetch_one(db)
    .await
}

/// Changes a route.
pub async fn update(conn: &mut PgConnection, id: RouteId, change: RouteChange) -> Result<Route> {
    let mut route: Route = sqlx::query_as(
        "select id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                dispatch_mode, enabled, created_at, updated_at
         from routes
         where id = $1
         for update",
    )
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?
    .ok_or_else(|| Error::NotFound("route".to_owned()))?;
    change.apply(&mut route);
    let rule = RouteRule::parse(route.rule_text()).map_err(Error::Invalid)?;
    require_domain(conn, route.app_id, &rule.host).await?;
    let mut attempt = conn.begin().await?;
    let changed = write(&mut *attempt, id, &rule, route.enabled).await;
    if changed.is_ok() {
        attempt.commit().await?;
    } else {
        attempt.rollback().await?;
    }
    settled(conn, changed, (id, route.app_id, &rule)).await
}

async fn write(
    db: impl PgExecutor<'_>,
    id: RouteId,
    rule: &RouteRule,
    enabled: bool,
) -> Result<Route, sqlx::Error> {
    sqlx::query_as(
        "update routes
         set host_kind = $2, host = $3, host_param_name = $4, path_kind = $5, path = $6, path_shape = $7,
             method = $8, enabled = $9, updated_at = now()
         where id = $1
         returning id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                   dispatch_mode, enabled, created_at, updated_at",
    )
    .bind(id)
    .bind(rule.host.kind())
    .bind(host(rule))
    .bind(rule.host.param().map(ToString::to_string))
    .bind(rule.path.kind())
    .bind(rule.path.to_string())
    .bind(rule.path.shape())
    .bind(rule.method.map(Method::as_str))
    .bind(enabled)
    .fetch_one(db)
    .await
}

/// Deletes a route and returns it, if it was there.
pub async fn delete(db: impl PgExecutor<'_>, id: RouteId) -> Result<Option<Route>> {
    let route = sqlx::query_as(
        "delete from routes where id = $1
         returning id, app_id, script_id, host_kind, host, host_param_name, path_kind, path, method,
                   dispatch_mode, enabled, created_at, updated_at",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(route)
}

impl RouteChange {
    fn apply(self, route: &mut Route) {
        route.host_kind = self.host_kind.unwrap_or(route.host_kind);
        let old_host = route.host.take().filter(|_| route.host_kind != HostKind::Any);
        let old_param = route.host_param_name.take().filter(|_| route.host_kind == HostKind::Wildcard);
        route.host = self.host.apply(old_host);
        route.host_param_name = self.host_param_name.apply(old_param);
        route.path_kind = self.path_kind.unwrap_or(route.path_kind);
        route.path = self.path.unwrap_or_else(|| std::mem::take(&mut route.path));
        route.method = self.method.apply(route.method.take());
        route.enabled = self.enabled.unwrap_or(route.enabled);
    }
}

fn host(rule: &RouteRule) -> Option<String> {
    rule.host.pattern().map(|pattern| pattern.to_string())
}

/// Refuses a host that no domain of the app covers. The app's domains cannot
/// be given up before the transaction ends.
async fn require_domain(conn: &mut PgConnection, app: AppId, rule: &HostRule) -> Result<()> {
    let Some(host) = rule.pattern() else { return Ok(()) };
    let domains = domain::hold(conn, app).await?;
    if domains.iter().any(|domain| domain.covers(&host)) {
        return Ok(());
    }
    Err(Error::invalid("host", format!("no domain of this app covers {host}: claim it first")))
}

/// Turns the constraints' words into a user's: a conflict names the other route.
async fn settled(
    conn: &mut PgConnection,
    written: Result<Route, sqlx::Error>,
    (id, app, rule): (RouteId, AppId, &RouteRule),
) -> Result<Route> {
    let error = match written {
        Ok(route) => return Ok(route),
        Err(error) => error,
    };
    match error.as_database_error().and_then(sqlx::error::DatabaseError::constraint) {
        Some("routes_shape_key") => {
            let other = twin(conn, (id, app), rule).await?;
            let other = other.map_or_else(|| "another route".to_owned(), |id| format!("route {id}"));
            Err(Error::Conflict(format!("{other} has the same host, path and method")))
        }
        Some("routes_app_id_script_id_fkey") => Err(Error::NotFound("script".to_owned())),
        _ => Err(error.into()),
    }
}

/// Another route of the app with the same host, shape and method.
async fn twin(
    db: impl PgExecutor<'_>,
    (id, app): (RouteId, AppId),
    rule: &RouteRule,
) -> Result<Option<RouteId>> {
    let other = sqlx::query_scalar(
        "select id
         from routes
         where app_id = $1 and host is not distinct from $2 and path_shape = $3
           and method is not distinct from $4 and id <> $5",
    )
    .bind(app)
    .bind(host(rule))
    .bind(rule.path.shape())
    .bind(rule.method.map(Method::as_str))
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(other)
}
