//! Sessions: who is signed in from where.

use sqlx::PgExecutor;

use crate::{
    access::{By, Caller, InstanceRole, User, token},
    base::{
        Error, Result,
        cursor::{self, Page},
        id::{SessionId, UserId},
        name::Username,
        time::Timestamp,
    },
};

/// A session as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to within five minutes.
    pub last_used_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// The address it was opened from.
    pub address: String,
    /// The browser it was opened with, as it named itself.
    pub user_agent: Option<String>,
}

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
    /// Whether the clock is known to be right.
    pub clock_is_right: bool,
}

/// Opens a session; it slides for 14 days at a time and ends after 90. Returns its id, and when it ends if unused.
pub async fn open(db: impl PgExecutor<'_>, new: NewSession<'_>) -> Result<(SessionId, Timestamp)> {
    Ok(sqlx::query_as(
        "insert into sessions (id, user_id, token_hash, address, user_agent, clock_was_right, expires_at, ends_at)
         values ($1, $2, $3, $4, $5, $6, now() + interval '14 days', now() + interval '90 days')
         returning id, expires_at",
    )
    .bind(SessionId::new())
    .bind(new.user)
    .bind(token::hash(new.token))
    .bind(new.address)
    .bind(new.user_agent)
    .bind(new.clock_is_right)
    .fetch_one(db)
    .await?)
}

/// What makes a session one that began under a wrong clock: by that of now it
/// has not begun yet, or it began when nobody knew the time and the clock was set since.
macro_rules! is_adrift {
    () => {
        "(s.clock_stepped or s.created_at > now() + interval '5 minutes'
          or (s.expires_at <= now() and not s.clock_was_right))"
    };
}

/// Marks the sessions that began when nobody knew the time: the clock was set.
/// Returns how many that were.
pub async fn clock_stepped(db: impl PgExecutor<'_>) -> Result<u64> {
    let done = sqlx::query(
        "update sessions set clock_stepped = true where not clock_was_right and not clock_stepped",
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Who comes with `token`, if its session and its user are alive. One that began
/// under a wrong clock is refused for that: how old it is nobody knows.
///
/// The expiry slides with use; it is written at most once in five minutes,
/// since every write wears the card.
pub async fn caller_of(db: impl PgExecutor<'_>, token: &str) -> Result<Option<Caller>> {
    let row: Option<(SessionId, UserId, Username, InstanceRole, bool)> = sqlx::query_as(concat!(
        "with found as (
             select s.id, s.last_used_at, u.id as user_id, u.username, u.instance_role, ",
        is_adrift!(),
        " as adrift
             from sessions s join users u on u.id = s.user_id
             where s.token_hash = $1 and u.active and (s.expires_at > now() or ",
        is_adrift!(),
        ")
         ), slide as (
             update sessions set
                 last_used_at = now(),
                 expires_at = least(now() + interval '14 days', ends_at)
             from found
             where sessions.id = found.id and not adrift and found.last_used_at < now() - interval '5 minutes'
         )
         select id, user_id, username, instance_role, adrift from found"
    ))
    .bind(token::hash(token))
    .fetch_optional(db)
    .await?;
    match row {
        None => Ok(None),
        Some((.., true)) => Err(Error::Unauthenticated(
            "clock: this session began while the machine's clock was wrong; sign in again".to_owned(),
        )),
        Some((session, id, username, role, false)) => {
            Ok(Some(Caller::new(User { id, username, role }, By::Session(session))))
        }
    }
}

/// Whose session it is, as things are now, if it is still alive: what a long
/// stream asks from time to time.
pub async fn user_of(db: impl PgExecutor<'_>, id: SessionId) -> Result<Option<User>> {
    let user = sqlx::query_as(concat!(
        "select u.id, u.username, u.instance_role
         from sessions s join users u on u.id = s.user_id
         where s.id = $1 and s.expires_at > now() and u.active and not ",
        is_adrift!()
    ))
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(user)
}

/// One page of a user's living sessions, newest first.
pub async fn list(
    db: impl PgExecutor<'_>,
    user: UserId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<Session>> {
    // Ids are ordered by the time they were made.
    let before: Option<SessionId> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(concat!(
        "select id, created_at, last_used_at, expires_at, address, user_agent
         from sessions s
         where user_id = $1 and expires_at > now() and ($2::uuid is null or id < $2) and not ",
        is_adrift!(),
        " order by id desc limit $3"
    ))
    .bind(user)
    .bind(before)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |session: &Session| session.id))
}

/// Ends a session.
pub async fn close(db: impl PgExecutor<'_>, id: SessionId) -> Result<()> {
    sqlx::query("delete from sessions where id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// Ends one session of a user; false if there was none.
pub async fn close_of(db: impl PgExecutor<'_>, user: UserId, id: SessionId) -> Result<bool> {
    let done = sqlx::query("delete from sessions where id = $1 and user_id = $2")
        .bind(id)
        .bind(user)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends all sessions of a user but `kept`; says how many that were.
pub async fn close_all(db: impl PgExecutor<'_>, user: UserId, kept: Option<SessionId>) -> Result<u64> {
    let done = sqlx::query("delete from sessions where user_id = $1 and id is distinct from $2")
        .bind(user)
        .bind(kept)
        .execute(db)
        .await?;
    Ok(done.rows_affected())
}
