//! Domains: the hosts an app answers on.
//!
//! A host belongs to one app. Patterns of different apps must not share a
//! host, which no unique index can say, so claims are made one at a time.
//! Patterns of one app may overlap.

use sqlx::{PgConnection, PgExecutor};

use crate::base::{
    Error, OnConstraint, Result,
    cursor::{self, Page},
    id::{AppId, DomainId, RouteId},
    pattern::HostPattern,
    time::Timestamp,
};

/// A host pattern an app claims.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, sqlx::FromRow)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// One host, `garden.local`, or all below a name, `*.garden.local`.
    #[sqlx(try_from = "String")]
    pub pattern: HostPattern,
    /// When it was claimed.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One page of an app's domains, by pattern.
pub async fn list(
    db: impl PgExecutor<'_>,
    app: AppId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Domain>> {
    let after: Option<String> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(
        "select id, pattern, created_at, updated_at
         from domains
         where app_id = $1 and ($2::text is null or pattern > $2)
         order by pattern
         limit $3",
    )
    .bind(app)
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |domain: &Domain| domain.pattern.to_string()))
}

/// The domain of this id, if it is one of this app.
pub async fn get(db: impl PgExecutor<'_>, app: AppId, id: DomainId) -> Result<Option<Domain>> {
    let domain = sqlx::query_as(
        "select id, pattern, created_at, updated_at from domains where app_id = $1 and id = $2",
    )
    .bind(app)
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(domain)
}

/// What hosts all living apps claim.
pub async fn all(db: impl PgExecutor<'_>) -> Result<Vec<(AppId, HostPattern)>> {
    let rows: Vec<(AppId, String)> = sqlx::query_as(
        "select app_id, pattern
         from domains
         join apps on apps.id = app_id
         where deleted_at is null",
    )
    .fetch_all(db)
    .await?;
    // What cannot be read was written by a newer release, and claims nothing here.
    Ok(rows.into_iter().filter_map(|(app, pattern)| Some((app, pattern.parse().ok()?))).collect())
}

/// Claims a pattern for an app; refused if another app holds a host of it.
pub async fn claim(conn: &mut PgConnection, app: AppId, pattern: &HostPattern) -> Result<Domain> {
    // The app's row first: who deletes an app locks in this order too.
    let alive = sqlx::query("select from apps where id = $1 and deleted_at is null for share")
        .bind(app)
        .fetch_optional(&mut *conn)
        .await?;
    if alive.is_none() {
        return Err(Error::NotFound("app".to_owned()));
    }
    sqlx::query("lock table domains in share row exclusive mode").execute(&mut *conn).await?;
    let held = all(&mut *conn).await?;
    if held.iter().any(|(holder, other)| *holder != app && other.overlaps(pattern)) {
        return Err(Error::Conflict(format!("another app holds {pattern} or a part of it")));
    }
    let domain = sqlx::query_as(
        "insert into domains (id, app_id, pattern)
         values ($1, $2, $3)
         returning id, pattern, created_at, updated_at",
    )
    .bind(DomainId::new())
    .bind(app)
    .bind(pattern.to_string())
    .fetch_one(conn)
    .await
    .on_constraint("domains_pattern_key", || Error::Conflict(format!("this app holds {pattern} already")))?;
    Ok(domain)
}

/// The patterns an app claims, locked against deletion until the transaction ends.
pub(super) async fn hold(conn: &mut PgConnection, app: AppId) -> Result<Vec<HostPattern>> {
    let patterns: Vec<String> = sqlx::query_scalar("select pattern from domains where app_id = $1 for share")
        .bind(app)
        .fetch_all(conn)
        .await?;
    Ok(patterns.iter().filter_map(|pattern| pattern.parse().ok()).collect())
}

/// How many routes a refusal names; a longer list helps nobody.
const NAMED: usize = 20;

/// Gives a domain up; refused while routes need it, which it names: they would
/// silently answer nothing, and come back to life with whoever claims it next.
/// Returns what was given up.
pub async fn release(conn: &mut PgConnection, app: AppId, id: DomainId) -> Result<String> {
    // The lock waits for routes that are being made under this domain.
    let pattern: Option<String> =
        sqlx::query_scalar("select pattern from domains where app_id = $1 and id = $2 for update")
            .bind(app)
            .bind(id)
            .fetch_optional(&mut *conn)
            .await?;
    let pattern = pattern.ok_or_else(|| Error::NotFound("domain".to_owned()))?;
    let left: Vec<String> = sqlx::query_scalar("select pattern from domains where app_id = $1 and id <> $2")
        .bind(app)
        .bind(id)
        .fetch_all(&mut *conn)
        .await?;
    let left: Vec<HostPattern> = left.iter().filter_map(|pattern| pattern.parse().ok()).collect();
    let routes: Vec<(RouteId, String, String)> = sqlx::query_as(
        "select id, host, path from routes where app_id = $1 and host is not null order by host, path",
    )
    .bind(app)
    .fetch_all(&mut *conn)
    .await?;
    let in_need: Vec<String> = routes
        .into_iter()
        .filter(|(_, host, _)| !is_covered(host, &left))
        .map(|(id, host, path)| format!("{host}{path} ({id})"))
        .collect();
    if !in_need.is_empty() {
        return Err(Error::Conflict(refusal(&in_need)));
    }
    sqlx::query("delete from domains where id = $1").bind(id).execute(conn).await?;
    Ok(pattern)
}

fn is_covered(host: &str, patterns: &[HostPattern]) -> bool {
    host.parse().is_ok_and(|host: HostPattern| patterns.iter().any(|pattern| pattern.covers(&host)))
}

fn refusal(routes: &[String]) -> String {
    let mut named: Vec<String> = routes.iter().take(NAMED).cloned().collect();
    if routes.len() > NAMED {
        named.push(format!("and {} more", routes.len() - NAMED));
    }
    format!("routes need this domain: {}; change or delete them first", named.join(", "))
}
