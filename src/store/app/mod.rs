//! Apps: what everything else belongs to.
//!
//! An app that was deleted is invisible here from that moment; its rows are
//! swept behind (`upkeep`). A slug is held by one living app, or redirects to
//! one: never both. The unique index on living slugs decides every race, since
//! each change first takes the slug there and then looks at the old ones.

mod change;
mod cors;
mod default;
mod reach;
mod removal;

pub use change::{AppChange, NewApp, create, refuse_own_name, update};
pub use cors::Cors;
pub use default::{DEFAULT_SLUG, ensure_default};
pub use reach::{Reached, list, named};
pub use removal::{Counts, counts, delete};

use sqlx::{PgExecutor, types::Json};

use crate::base::{
    Result,
    id::AppId,
    name::{AppName, Description, Slug},
    time::Timestamp,
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
    /// What pages of other origins may ask of its routes; none: its routes say.
    pub cors: Option<Json<Cors>>,
    /// Whether unclaimed hosts belong to it.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The app of this id.
pub async fn by_id(db: impl PgExecutor<'_>, id: AppId) -> Result<Option<App>> {
    let app = sqlx::query_as(
        "select id, slug, name, description, cors, is_default, created_at, updated_at
         from apps
         where id = $1 and deleted_at is null",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(app)
}
