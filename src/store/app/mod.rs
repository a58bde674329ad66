//! Apps: what everything else belongs to.
//!
//! An app that was deleted is invisible here from that moment; its rows are
//! swept behind (`upkeep`). A slug is held by one living app, or redirects to
//! one: never both. The unique index on living slugs decides every race, since
//! each change first takes the slug there and then looks at the old ones.

mod change;
mod default;
mod removal;

pub use change::{AppChange, NewApp, create, refuse_own_name, update};
pub use default::{DEFAULT_SLUG, ensure_default};
pub use removal::{Counts, counts, delete};

use sqlx::PgExecutor;

use crate::{
    access::{Caller, Capability},
    base::{
        Result,
        cursor::{self, Page},
        id::AppId,
        name::{AppName, Description, Slug},
        time::Timestamp,
    },
};

/// An app.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// Its short name in addresses.
    pub slug: Slug,
    /// Its name as people read it.
    pub name: AppName,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether unclaimed hosts belong to it.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// One page of the apps that `reader` may read, by name.
pub async fn list(
    db: impl PgExecutor<'_>,
    reader: &Caller,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<App>> {
    let after: Option<(String, AppId)> = cursor::decode(cursor)?;
    let (name, id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, slug, name, description, is_default, created_at, updated_at
         from apps
         where deleted_at is null and $4 and ($1::text is null or (name, id) > ($1, $2))
         order by name, id
         limit $3",
    )
    .bind(name)
    .bind(id)
    .bind(i64::from(limit) + 1)
    .bind(reader.may(Capability::AppRead))
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |app: &App| (app.name.clone(), app.id)))
}

/// The app of this id.
pub async fn by_id(db: impl PgExecutor<'_>, id: AppId) -> Result<Option<App>> {
    let app = sqlx::query_as(
        "select id, slug, name, description, is_default, created_at, updated_at
         from apps
         where id = $1 and deleted_at is null",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(app)
}

/// The app that has this slug now.
pub async fn by_slug(db: impl PgExecutor<'_>, slug: &str) -> Result<Option<App>> {
    let Ok(slug) = slug.parse::<Slug>() else { return Ok(None) };
    let app = sqlx::query_as(
        "select id, slug, name, description, is_default, created_at, updated_at
         from apps
         where slug = $1 and deleted_at is null",
    )
    .bind(slug)
    .fetch_optional(db)
    .await?;
    Ok(app)
}

/// The app that had this slug before, as it is called now.
pub async fn by_old_slug(db: impl PgExecutor<'_>, slug: &str) -> Result<Option<App>> {
    let Ok(slug) = slug.parse::<Slug>() else { return Ok(None) };
    let app = sqlx::query_as(
        "select apps.id, apps.slug, name, description, is_default, apps.created_at, updated_at
         from app_old_slugs
         join apps on apps.id = app_old_slugs.app_id
         where app_old_slugs.slug = $1 and deleted_at is null",
    )
    .bind(slug)
    .fetch_optional(db)
    .await?;
    Ok(app)
}
