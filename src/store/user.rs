//! Users: the people of the instance.

use sqlx::PgExecutor;

use crate::{
    access::InstanceRole,
    base::{
        Error, OnConstraint as _, Result,
        id::UserId,
        name::{DisplayName, Username},
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
    pub display_name: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
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
    /// The argon2id hash of the password.
    pub password_hash: &'a str,
    /// What the person may do in the instance.
    pub instance_role: InstanceRole,
}

/// Adds a user.
pub async fn create(db: impl PgExecutor<'_>, new: NewUser<'_>) -> Result<User> {
    sqlx::query_as(
        "insert into users (id, username, display_name, password_hash, instance_role)
         values ($1, $2, $3, $4, $5)
         returning id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at",
    )
    .bind(UserId::new())
    .bind(new.username)
    .bind(new.display_name)
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

/// Notes that a user signed in; nothing if the user was deactivated meanwhile.
pub async fn signed_in(db: impl PgExecutor<'_>, id: UserId) -> Result<Option<User>> {
    Ok(sqlx::query_as(
        "update users set last_login_at = now() where id = $1 and active
         returning id, username, display_name, email, instance_role, active, last_login_at, created_at, updated_at",
    )
    .bind(id)
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
