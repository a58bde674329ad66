//! Which apps somebody reaches, and with which role.

use sqlx::PgExecutor;

use super::App;
use crate::{
    access::{AppRole, Caller, Capability},
    base::{
        Result,
        cursor::{self, Page},
        id::{AppId, UserId},
        name::Slug,
    },
};

/// An app that was asked for by name, with the role somebody was given in it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Reached {
    /// The app.
    #[sqlx(flatten)]
    pub app: App,
    /// The role, if they are a member.
    pub role: Option<AppRole>,
    /// Whether it was asked for by a slug it has given up.
    pub renamed: bool,
}

/// The app that has this id or slug, or had this slug before, as `user` reaches it.
pub async fn named(db: impl PgExecutor<'_>, name: &str, user: UserId) -> Result<Option<Reached>> {
    let (id, slug) = (name.parse::<AppId>().ok(), name.parse::<Slug>().ok());
    if id.is_none() && slug.is_none() {
        return Ok(None);
    }
    let found = sqlx::query_as(
        "select apps.id, slug, name, description, cors, is_default, apps.created_at, apps.updated_at, role,
                slug is distinct from coalesce($2, slug) as renamed
         from apps
         left join members on members.app_id = apps.id and user_id = $3
         where deleted_at is null and apps.id = coalesce(
             $1,
             (select id from apps where slug = $2 and deleted_at is null),
             (select app_id from app_old_slugs where slug = $2)
         )",
    )
    .bind(id)
    .bind(slug)
    .bind(user)
    .fetch_optional(db)
    .await?;
    Ok(found)
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
    // The least role that may read is the least there is: any membership will do.
    let rows = sqlx::query_as(
        "select id, slug, name, description, cors, is_default, created_at, updated_at
         from apps
         where deleted_at is null and ($1::text is null or (name, id) > ($1, $2))
           and $4 and ($5::uuid is null or id = $5)
           and ($6 or exists (select from members where app_id = apps.id and user_id = $7))
         order by name, id
         limit $3",
    )
    .bind(name)
    .bind(id)
    .bind(i64::from(limit) + 1)
    .bind(reader.covers(Capability::AppRead))
    .bind(reader.bound_to())
    .bind(reader.runs_instance())
    .bind(reader.user.id)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |app: &App| (app.name.clone(), app.id)))
}
