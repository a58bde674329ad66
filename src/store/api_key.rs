//! API keys: what people make for their programs.

use sqlx::{FromRow as _, PgExecutor, Row as _, postgres::PgRow};

use crate::{
    access::{By, Caller, Key, Scopes, User, token},
    base::{
        Error, OnConstraint as _, Result,
        cursor::{self, Page},
        id::{ApiKeyId, AppId, UserId},
        name::KeyName,
        time::Timestamp,
    },
};

/// A key, without its secret, which is nowhere.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ApiKey {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: KeyName,
    /// The part of it that is no secret.
    pub prefix: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// The only app it reaches, if it is bound to one.
    pub app_id: Option<AppId>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within a minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What a key is made with.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// Whose it is.
    pub user: UserId,
    /// What it is for.
    pub name: &'a KeyName,
    /// The key; its hash is stored.
    pub key: &'a token::NewKey,
    /// What it may be used for.
    pub scopes: &'a Scopes,
    /// The app it is bound to.
    pub app: Option<AppId>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl<'r> sqlx::FromRow<'r, PgRow> for ApiKey {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            prefix: row.try_get("prefix")?,
            scopes: row.try_get::<Vec<String>, _>("scopes")?.into(),
            app_id: row.try_get("app_id")?,
            expires_at: row.try_get("expires_at")?,
            last_used_at: row.try_get("last_used_at")?,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}

/// Whether an expiry lies in the past, by the later of now and the last time
/// that was known to be right: a power cut may have set the clock back.
macro_rules! is_over {
    ($expiry:literal) => {
        concat!($expiry, " <= greatest(now(), (select last_good_time from instance))")
    };
}

/// Makes a key; refused if it would be over at once.
pub async fn create(db: impl PgExecutor<'_>, new: NewApiKey<'_>) -> Result<ApiKey> {
    let row = sqlx::query(concat!(
        "insert into api_keys (id, user_id, name, prefix, key_hash, scopes, app_id, expires_at)
         select $1, $2, $3, $4, $5, $6, $7, $8 where ($8::timestamptz is null or not ",
        is_over!("$8"),
        ") returning id, name, prefix, scopes, app_id, expires_at, last_used_at, created_at, updated_at"
    ))
    .bind(ApiKeyId::new())
    .bind(new.user)
    .bind(new.name)
    .bind(&new.key.prefix)
    .bind(token::hash(&new.key.key))
    .bind(new.scopes.names())
    .bind(new.app)
    .bind(new.expires_at)
    .fetch_optional(db)
    .await
    .on_constraint("api_keys_prefix_key", || Error::Conflict("please try again".to_owned()))?;
    let row = row.ok_or_else(|| Error::invalid("expires_at", "must lie in the future"))?;
    Ok(ApiKey::from_row(&row)?)
}

/// One page of a user's keys, by name.
pub async fn list(
    db: impl PgExecutor<'_>,
    user: UserId,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page<ApiKey>> {
    let after: Option<(String, ApiKeyId)> = cursor::decode(cursor)?;
    let (name, id) = after.unzip();
    let rows = sqlx::query_as(
        "select id, name, prefix, scopes, app_id, expires_at, last_used_at, created_at, updated_at
         from api_keys
         where user_id = $1 and ($2::text is null or (name, id) > ($2, $3))
         order by name, id
         limit $4",
    )
    .bind(user)
    .bind(name)
    .bind(id)
    .bind(i64::from(limit) + 1)
    .fetch_all(db)
    .await?;
    Ok(Page::cut(rows, limit, |key: &ApiKey| (key.name.clone(), key.id)))
}

/// Takes a user's key away; the key that was, if there was one.
pub async fn delete(db: impl PgExecutor<'_>, user: UserId, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let gone = sqlx::query_as(
        "delete from api_keys where id = $1 and user_id = $2
         returning id, name, prefix, scopes, app_id, expires_at, last_used_at, created_at, updated_at",
    )
    .bind(id)
    .bind(user)
    .fetch_optional(db)
    .await?;
    Ok(gone)
}

/// What makes a key good for something.
macro_rules! is_alive {
    () => {
        concat!(
            "u.active and (k.expires_at is null or not ",
            is_over!("k.expires_at"),
            ") and (k.app_id is null or exists (
                   select from apps where apps.id = k.app_id and deleted_at is null))"
        )
    };
}

/// Who comes with the key `token`, if it is good for something.
///
/// That it was used is written at most once a minute, since every write wears the card.
pub async fn caller_of(db: impl PgExecutor<'_>, token: &str) -> Result<Option<Caller>> {
    let Some(prefix) = token::visible_part(token) else { return Ok(None) };
    let row = sqlx::query(concat!(
        "with found as (
             select k.id as key_id, k.prefix, k.key_hash, k.scopes, k.app_id, u.id, u.username, u.instance_role
             from api_keys k join users u on u.id = k.user_id
             where k.prefix = $1 and ",
        is_alive!(),
        "), used as (
             update api_keys set last_used_at = now()
             from found
             where api_keys.id = found.key_id and api_keys.key_hash = $2
               and (last_used_at is null or last_used_at not between now() - interval '1 minute' and now())
         )
         select * from found"
    ))
    .bind(prefix)
    .bind(token::hash(token))
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if !token::is_hash_of(token, row.try_get("key_hash")?) {
        return Ok(None);
    }
    let key = Key {
        id: row.try_get("key_id")?,
        prefix: row.try_get("prefix")?,
        scopes: row.try_get::<Vec<String>, _>("scopes")?.into(),
        app: row.try_get("app_id")?,
    };
    Ok(Some(Caller::new(User::from_row(&row)?, By::Key(key))))
}

/// Whose key it is, as things are now, if it is still good for something: what
/// a long stream asks from time to time, and what runs later asks then.
pub async fn user_of(db: impl PgExecutor<'_>, id: ApiKeyId) -> Result<Option<User>> {
    let user = sqlx::query_as(concat!(
        "select u.id, u.username, u.instance_role
         from api_keys k join users u on u.id = k.user_id
         where k.id = $1 and ",
        is_alive!()
    ))
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(user)
}
