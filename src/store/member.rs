//! Members: who has which role in an app.

use sqlx::{PgConnection, PgExecutor};

use crate::{
    access::AppRole,
    base::{
        Error, OnConstraint as _, Result,
        cursor::{self, Page},
        id::{AppId, UserId},
        name::{Slug, Username},
        time::Timestamp,
    },
};

/// Somebody's role in an app.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, sqlx::FromRow)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// The name they sign in with.
    pub username: Username,
    /// What they may do in the app.
    pub role: AppRole,
    /// When they became a member.
    pub created_at: Timestamp,
    /// When the role was last changed.
    pub updated_at: Timestamp,
}

/// One's role in one app.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema, sqlx::FromRow)]
pub struct Membership {
    /// The app.
    pub app: AppId,
    /// Its slug.
    pub slug: Slug,
    /// The role in it.
    pub role: AppRole,
}

/// The role a user was given in an app that lives.
pub async fn role(db: impl PgExecutor<'_>, app: AppId, user: UserId) -> Result<Option<AppRole>> {
    let role = sqlx::query_scalar(
        "select role from members join apps on apps.id = app_id
         where app_id = $1 and user_id = $2 and deleted_at is null",
    )
    .bind(app)
    .bind(user)
    .fetch_optional(db)
    .await?;
    Ok(role)
}

/// One page of an app's members, by user name.
pub async fn list(
    db: impl PgExecutor<'_>,
    app: AppId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Member>> {
    let after: Option<String> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(
        "select user_id, username, role, members.created_at, members.updated_at
         from members join users on users.id = user_id
         where app_id = $1 and ($2::text is null or username > $2)
         order by username
         limit $3",
    )
    .bind(app)
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |member: &Member| member.username.to_string()))
}

/// The memberships of a user by slug; with `only`, the one in that app.
pub async fn of_user(db: impl PgExecutor<'_>, user: UserId, only: Option<AppId>) -> Result<Vec<Membership>> {
    let all = sqlx::query_as(
        "select app_id as app, slug, role
         from members join apps on apps.id = app_id
         where user_id = $1 and deleted_at is null and ($2::uuid is null or app_id = $2)
         order by slug",
    )
    .bind(user)
    .bind(only)
    .fetch_all(db)
    .await?;
    Ok(all)
}

/// Gives a user a role in an app, in place of the one they may have.
pub async fn set(conn: &mut PgConnection, app: AppId, user: UserId, role: AppRole) -> Result<Member> {
    // Locked, so that no member is added to an app that is being deleted.
    let alive = sqlx::query("select from apps where id = $1 and deleted_at is null for key share")
        .bind(app)
        .fetch_optional(&mut *conn)
        .await?;
    if alive.is_none() {
        return Err(Error::NotFound("app".to_owned()));
    }
    let member = sqlx::query_as(
        "with given as (
             insert into members (app_id, user_id, role) values ($1, $2, $3)
             on conflict (app_id, user_id) do update set role = excluded.role, updated_at = now()
             returning *
         )
         select user_id, username, role, given.created_at, given.updated_at
         from given join users on users.id = user_id",
    )
    .bind(app)
    .bind(user)
    .bind(role)
    .fetch_optional(conn)
    .await
    .on_constraint("members_user_id_fkey", || Error::NotFound("user".to_owned()))?;
    member.ok_or_else(|| Error::NotFound("user".to_owned()))
}

/// Ends a membership; false if there was none.
pub async fn remove(db: impl PgExecutor<'_>, app: AppId, user: UserId) -> Result<bool> {
    let done = sqlx::query("delete from members where app_id = $1 and user_id = $2")
        .bind(app)
        .bind(user)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}
