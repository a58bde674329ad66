//! Users: the people of the instance.

use sqlx::{PgConnection, PgExecutor};

use crate::{
    access::InstanceRole,
    base::{
        Error, OnConstraint as _, Result,
        cursor::{self, Page},
        id::UserId,
        name::{DisplayName, Email, Username},
        patch::Patch,
        time::Timestamp,
    },
};

/// A person as stored, without the password hash.
#[derive(Clone, Debug, sqlx::FromRow, serde::Serialize, schemars::JsonSchema)]
pub struct User {
    /// The person's id.
    pub id: UserId,
    /// The name the person signs in with.
    pub username: Username,
    /// The name to show.
    pub display_name: Option<DisplayName>,
    /// Where to write to.
    pub email: Option<Email>,
    /// What the person may do in the instance.
    pub instance_role: InstanceRole,
    /// Whether the person may sign in.
    pub active: bool,
    /// When the person last signed in.
    pub last_login_at: Option<Timestamp>,
    /// When the person was added.
    pub created_at: Timestamp,
    /// When the person was last changed.
    pub updated_at: Timestamp,
}

/// What makes a user.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name to sign in with.
    pub username: &'a Username,
    /// The name to show.
    pub display_name: Option<&'a DisplayName>,
    /// Where to write to.
    pub email: Option<&'a Email>,
    /// The argon2id hash of the password.
    pub password_hash: &'a str,
    /// What the person may do in the instance.
    pub instance_role: InstanceRole,
}

/// Adds a user.
pub async fn create(db: impl PgExecutor<'_>, new: NewUser<'_>) -> Result<User> {
    sqlx::query_as(
        "insert into users (id, username, display_name, email, password_hash, instance_role)
         values ($1, $2, $3, $4, $5, $6)
         returning id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at",
    )
    .bind(UserId::new())
    .bind(new.username)
    .bind(new.display_name)
    .bind(new.email)
    .bind(new.password_hash)
    .bind(new.instance_role)
    .fetch_one(db)
    .await
    .on_constraint("users_username_key", || Error::Conflict(format!("the user name {} is taken", new.username)))
}

/// Who signs in as `username`, if active, with the password hash to verify.
pub async fn sign_in_of(db: impl PgExecutor<'_>, username: &Username) -> Result<Option<(UserId, String)>> {
    Ok(sqlx::query_as("select id, password_hash from users where username = $1 and active")
        .bind(username)
        .fetch_optional(db)
        .await?)
}

/// Notes that a user signed in by the password behind `hash`; nothing if the
/// user was deactivated meanwhile, or given another password.
pub async fn signed_in(db: impl PgExecutor<'_>, id: UserId, hash: &str) -> Result<Option<User>> {
    Ok(sqlx::query_as(
        "update users set last_login_at = now() where id = $1 and active and password_hash = $2
         returning id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at",
    )
    .bind(id)
    .bind(hash)
    .fetch_optional(db)
    .await?)
}

/// One user by id.
pub async fn get(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<User>> {
    Ok(sqlx::query_as(
        "select id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at
         from users where id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await?)
}

/// One user by user name.
pub async fn by_name(db: impl PgExecutor<'_>, username: &Username) -> Result<Option<User>> {
    Ok(sqlx::query_as(
        "select id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at
         from users where username = $1",
    )
    .bind(username)
    .fetch_optional(db)
    .await?)
}

/// One page of the users, by user name.
pub async fn list(db: impl PgExecutor<'_>, cursor: Option<&str>, limit: u32) -> Result<Page<User>> {
    let after: Option<String> = cursor::decode(cursor)?;
    let rows = sqlx::query_as(
        "select id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at
         from users
         where $1::text is null or username > $1
         order by username
         limit $2",
    )
    .bind(after)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |user: &User| user.username.to_string()))
}

/// What changes of a user.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// A new name to show, or none.
    pub display_name: Patch<DisplayName>,
    /// A new address to write to, or none.
    pub email: Patch<Email>,
    /// Another role in the instance.
    pub instance_role: Option<InstanceRole>,
    /// Whether they may sign in.
    pub active: Option<bool>,
}

impl UserChange {
    /// The names of the fields it mentions.
    pub fn fields(&self) -> Vec<&'static str> {
        let mentioned = [
            ("display_name", self.display_name != Patch::Keep),
            ("email", self.email != Patch::Keep),
            ("instance_role", self.instance_role.is_some()),
            ("active", self.active.is_some()),
        ];
        mentioned.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }

    /// Whether an owner who is changed like this is an active owner no more.
    fn ends_ownership(&self) -> bool {
        self.active == Some(false) || self.instance_role.is_some_and(|role| role != InstanceRole::Owner)
    }
}

/// Locks the active owners until the transaction ends, in one order for all,
/// and returns them: of two who each remove the other, one comes second.
async fn hold_owners(conn: &mut PgConnection) -> Result<Vec<UserId>> {
    Ok(sqlx::query_scalar(
        "select id from users where instance_role = 'owner' and active order by id for update",
    )
    .fetch_all(conn)
    .await?)
}

/// Refuses to take `id` from the owners if nobody else is one.
fn require_another(owners: &[UserId], id: UserId) -> Result<()> {
    if owners.iter().any(|owner| *owner != id) {
        return Ok(());
    }
    Err(Error::Conflict("this is the last active owner; make somebody else an owner first".to_owned()))
}

/// Locks a user until the transaction ends, and returns them as they are.
pub async fn hold(conn: &mut PgConnection, id: UserId) -> Result<User> {
    let user = sqlx::query_as(
        "select id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at
         from users where id = $1 for update",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    user.ok_or_else(|| Error::NotFound("user".to_owned()))
}

/// A change of a user: as they were, and as they are.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Before.
    pub old: User,
    /// Now.
    pub new: User,
}

/// Changes a user `may` change; refused if that leaves no active owner.
pub async fn update(
    conn: &mut PgConnection,
    id: UserId,
    change: UserChange,
    may: impl FnOnce(&User) -> Result<()>,
) -> Result<Changed> {
    let owners = if change.ends_ownership() { hold_owners(&mut *conn).await? } else { Vec::new() };
    let old = hold(&mut *conn, id).await?;
    may(&old)?;
    let is_owner = old.active && old.instance_role == InstanceRole::Owner;
    if is_owner && change.ends_ownership() {
        require_another(&owners, id)?;
    }
    let new = sqlx::query_as(
        "update users
         set display_name = $2, email = $3, instance_role = $4, active = $5, updated_at = now()
         where id = $1
         returning id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at",
    )
    .bind(id)
    .bind(change.display_name.apply(old.display_name.clone()))
    .bind(change.email.apply(old.email.clone()))
    .bind(change.instance_role.unwrap_or(old.instance_role))
    .bind(change.active.unwrap_or(old.active))
    .fetch_one(conn)
    .await?;
    Ok(Changed { old, new })
}

/// Deletes a user `may` delete, with their sessions, keys and memberships;
/// refused if that leaves no active owner.
pub async fn delete(
    conn: &mut PgConnection,
    id: UserId,
    may: impl FnOnce(&User) -> Result<()>,
) -> Result<User> {
    let owners = hold_owners(&mut *conn).await?;
    let user = hold(&mut *conn, id).await?;
    may(&user)?;
    if user.active && user.instance_role == InstanceRole::Owner {
        require_another(&owners, id)?;
    }
    sqlx::query("delete from users where id = $1").bind(id).execute(conn).await?;
    Ok(user)
}

/// What goes with a user who is deleted.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Belongings {
    /// Where they are signed in.
    pub sessions: i64,
    /// Their API keys.
    pub api_keys: i64,
    /// The apps they are a member of.
    pub memberships: i64,
}

/// Counts what goes with a user who is deleted.
pub async fn belongings(db: impl PgExecutor<'_>, id: UserId) -> Result<Belongings> {
    let counts = sqlx::query_as(
        "select (select count(*) from sessions where user_id = $1) as sessions,
                (select count(*) from api_keys where user_id = $1) as api_keys,
                (select count(*) from members where user_id = $1) as memberships",
    );
    Ok(counts.bind(id).fetch_one(db).await?)
}

/// Gives a user another password; `old`, if given, must still be the hash of the present one.
pub async fn set_password(db: impl PgExecutor<'_>, id: UserId, old: Option<&str>, new: &str) -> Result<bool> {
    let done = sqlx::query(
        "update users set password_hash = $3, updated_at = now()
         where id = $1 and ($2::text is null or password_hash = $2)",
    )
    .bind(id)
    .bind(old)
    .bind(new)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
