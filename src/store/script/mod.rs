//! Scripts: what an app runs, and every version of it.
//!
//! A script's row lock orders its changes: whoever saves second makes the
//! version after, so concurrent saves lose nothing and the last one runs.

mod change;
mod list;
mod removal;
mod sandbox;
mod timeout;
mod version;

pub use change::{DEFAULT_TIMEOUT_SECONDS, NewScript, ScriptChange, create, update};
pub use list::list;
pub use removal::{delete, delete_cascade};
pub use sandbox::{Ceilings, Sandbox};
pub use timeout::Timeout;
pub use version::{Version, source, version, versions};

use std::time::Duration;

use sqlx::{PgExecutor, types::Json};

use crate::base::{
    Result,
    id::{AppId, ScriptId},
    name::{Description, ScriptName},
    time::Timestamp,
};

/// A script, with the source of the version that runs.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Script {
    /// Its id.
    pub id: ScriptId,
    /// The app it belongs to.
    pub app_id: AppId,
    /// Its name, unique in the app.
    pub name: ScriptName,
    /// The source of the version that runs.
    pub source: String,
    /// What it is for.
    pub description: Option<Description>,
    /// The version that runs: always the highest.
    pub version: i32,
    /// Whether it runs at all.
    pub enabled: bool,
    /// How long one run may take.
    pub timeout_seconds: i32,
    /// Where it departs from the instance's limits.
    pub sandbox: Json<Sandbox>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Script {
    /// How long one run may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.timeout_seconds).unwrap_or(1))
    }
}

/// The script of this id, unless its app was deleted.
pub async fn get(db: impl PgExecutor<'_>, id: ScriptId) -> Result<Option<Script>> {
    let script = sqlx::query_as(
        "select scripts.id, scripts.app_id, scripts.name, source, scripts.description, scripts.version, enabled,
                timeout_seconds, sandbox, scripts.created_at, scripts.updated_at
         from scripts
         join script_versions on script_versions.script_id = scripts.id
              and script_versions.version = scripts.version
         join apps on apps.id = scripts.app_id
         where scripts.id = $1 and apps.deleted_at is null",
    )
    .bind(id)
    .fetch_optional(db)
    .await?;
    Ok(script)
}
