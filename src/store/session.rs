//! Sessions: who is signed in from where.

use sqlx::PgExecutor;

use crate::{
    access::{Caller, InstanceRole, User, token},
    base::{
        Result,
        id::{SessionId, UserId},
        name::Username,
        time::Timestamp,
    },
};

/// What makes a session.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Who signed in.
    pub user: UserId,
    /// The token, which is not stored.
    pub token: &'a str,
    /// The address the person signed in from.
    pub address: String,
    /// The browser, as it names itself.
    pub user_agent: Option<&'a str>,
}

/// Opens a session; it slides for 14 days at a time and ends after 90. Returns when it ends if unused.
pub async fn open(db: impl PgExecutor<'_>, new: NewSession<'_>) -> Result<Timestamp> {
    Ok(sqlx::query_scalar(
        "insert into sessions (id, user_id, token_hash, address, user_agent, expires_at, ends_at)
         values ($1, $2, $3, $4, $5, now() + interval '14 days', now() + interval '90 days')
         returning expires_at",
    )
    .bind(SessionId::new())
    .bind(new.user)
    .bind(token::hash(new.token))
    .bind(new.address)
    .bind(new.user_agent)
    .fetch_one(db)
    .await?)
}

/// Who comes with `token`, if its session and its user are alive.
///
/// The expiry slides with use; it is written at most once in five minutes,
/// since every write wears the card.
pub async fn caller_of(db: impl PgExecutor<'_>, token: &str) -> Result<Option<Caller>> {
    let row: Option<(SessionId, UserId, Username, InstanceRole)> = sqlx::query_as(
        "with found as (
             select s.id, s.last_used_at, u.id as user_id, u.username, u.instance_role
             from sessions s join users u on u.id = s.user_id
             where s.token_hash = $1 and s.expires_at > now() and u.active
         ), slide as (
             update sessions set
                 last_used_at = now(),
                 expires_at = least(now() + interval '14 days', ends_at)
             from found
             where sessions.id = found.id and found.last_used_at < now() - interval '5 minutes'
         )
         select id, user_id, username, instance_role from found",
    )
    .bind(token::hash(token))
    .fetch_optional(db)
    .await?;
    Ok(row.map(|(session, id, username, role)| Caller { user: User { id, username, role }, session }))
}

/// Whether a session is still alive: what a long stream asks from time to time.
pub async fn is_alive(db: impl PgExecutor<'_>, id: SessionId) -> Result<bool> {
    Ok(sqlx::query_scalar(
        "select exists (
             select from sessions s join users u on u.id = s.user_id
             where s.id = $1 and s.expires_at > now() and u.active
         )",
    )
    .bind(id)
    .fetch_one(db)
    .await?)
}

/// Ends a session.
pub async fn close(db: impl PgExecutor<'_>, id: SessionId) -> Result<()> {
    sqlx::query("delete from sessions where id = $1").bind(id).execute(db).await?;
    Ok(())
}
