//! Making and changing scripts.

use sqlx::{PgConnection, PgExecutor, types::Json};

use super::{Sandbox, Script};
use crate::base::{
    Error, OnConstraint, Result,
    id::{AppId, ScriptId},
    name::{Description, ScriptName, Source},
    patch::Patch,
};

/// How long one run of a script may take if nothing else is said.
pub const DEFAULT_TIMEOUT_SECONDS: i32 = 30;

/// What a script is made with.
#[derive(Clone, Debug)]
pub struct NewScript {
    /// The app it belongs to.
    pub app_id: AppId,
    /// Its name, unique in the app.
    pub name: ScriptName,
    /// The source of version 1.
    pub source: Source,
    /// What it is for.
    pub description: Option<Description>,
    /// How long one run may take, 1 to 300.
    pub timeout_seconds: i32,
    /// Where it departs from the instance's limits, already clamped.
    pub sandbox: Sandbox,
    /// Whether it runs at all.
    pub enabled: bool,
    /// The user name of who made it.
    pub author: Option<String>,
}

/// What changes of a script.
#[derive(Clone, Debug, Default)]
pub struct ScriptChange {
    /// A new name.
    pub name: Option<ScriptName>,
    /// A new source: another version, unless it is the one that runs already.
    pub source: Option<Source>,
    /// A new description, or none.
    pub description: Patch<Description>,
    /// How long one run may take, 1 to 300.
    pub timeout_seconds: Option<i32>,
    /// All of its limits, already clamped.
    pub sandbox: Option<Sandbox>,
    /// Whether it runs at all.
    pub enabled: Option<bool>,
    /// The user name of who changes it.
    pub author: Option<String>,
}

impl ScriptChange {
    /// The names of the fields it mentions.
    pub fn fields(&self) -> Vec<&'static str> {
        let mentioned = [
            ("name", self.name.is_some()),
            ("source", self.source.is_some()),
            ("description", self.description != Patch::Keep),
            ("timeout_seconds", self.timeout_seconds.is_some()),
            ("sandbox", self.sandbox.is_some()),
            ("enabled", self.enabled.is_some()),
        ];
        mentioned.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
    }
}

/// Makes a script and its version 1.
pub async fn create(db: impl PgExecutor<'_>, new: &NewScript) -> Result<Script> {
    sqlx::query_as(
        "with script as (
             insert into scripts (id, app_id, name, description, enabled, timeout_seconds, sandbox, version)
             select $1, apps.id, $3, $4, $5, $6, $7, 1
             from apps where apps.id = $2 and deleted_at is null
             returning *
         ), first as (
             insert into script_versions (app_id, script_id, version, source, author)
             select app_id, id, version, $8, $9 from script
             returning source
         )
         select id, app_id, name, source, description, version, enabled, timeout_seconds, sandbox,
                created_at, updated_at
         from script, first",
    )
    .bind(ScriptId::new())
    .bind(new.app_id)
    .bind(&new.name)
    .bind(&new.description)
    .bind(new.enabled)
    .bind(new.timeout_seconds)
    .bind(Json(new.sandbox))
    .bind(&new.source)
    .bind(&new.author)
    .fetch_optional(db)
    .await
    .on_constraint("scripts_app_id_name_key", || name_taken(&new.name))?
    .ok_or_else(|| Error::NotFound("app".to_owned()))
}

/// Changes a script. A source other than the one that runs becomes the next
/// version, by its author.
pub async fn update(conn: &mut PgConnection, id: ScriptId, change: ScriptChange) -> Result<Script> {
    let old = lock(&mut *conn, id).await?;
    let source = change.source.map_or_else(|| old.source.clone(), String::from);
    let version = if source == old.source { old.version } else { old.version + 1 };
    if version > old.version {
        add_version(&mut *conn, &old, &source, change.author.as_deref()).await?;
    }
    let name = change.name.unwrap_or_else(|| old.name.clone());
    sqlx::query_as(
        "update scripts
         set name = $2, description = $3, version = $4, enabled = coalesce($5, enabled),
             timeout_seconds = coalesce($6, timeout_seconds), sandbox = coalesce($7::json, sandbox),
             updated_at = now()
         where id = $1
         returning id, app_id, name, $8 as source, description, version, enabled, timeout_seconds, sandbox,
                   created_at, updated_at",
    )
    .bind(id)
    .bind(&name)
    .bind(change.description.apply(old.description))
    .bind(version)
    .bind(change.enabled)
    .bind(change.timeout_seconds)
    .bind(change.sandbox.map(Json))
    .bind(source)
    .fetch_one(conn)
    .await
    .on_constraint("scripts_app_id_name_key", || name_taken(&name))
}

/// Takes the script's row for this transaction and reads what runs.
///
/// Two statements: a join under `for update` would show the source as it was
/// before the wait, and the version another save has just made would be lost.
pub(super) async fn lock(conn: &mut PgConnection, id: ScriptId) -> Result<Script> {
    sqlx::query("select from scripts where id = $1 for update").bind(id).execute(&mut *conn).await?;
    super::get(conn, id).await?.ok_or_else(|| Error::NotFound("script".to_owned()))
}

async fn add_version(conn: &mut PgConnection, of: &Script, source: &str, author: Option<&str>) -> Result<()> {
    sqlx::query(
        "insert into script_versions (app_id, script_id, version, source, author)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(of.app_id)
    .bind(of.id)
    .bind(of.version + 1)
    .bind(source)
    .bind(author)
    .execute(conn)
    .await?;
    Ok(())
}

fn name_taken(name: &ScriptName) -> Error {
    Error::Conflict(format!("the app has a script named `{name}` already"))
}
