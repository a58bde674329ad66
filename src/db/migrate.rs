//! The schema: migrations are embedded, go forward only, and run under a lock.

use sqlx::{Connection, PgConnection, PgPool, migrate::Migrator};

use crate::base::{Error, Result};

/// The migrations this program brings. One it does not know was made by a newer
/// program: each can run under the release before it, so it is left alone.
static MIGRATIONS: Migrator = Migrator { ignore_missing: true, ..sqlx::migrate!() };

/// Brings the schema up to date and returns its version, which may be newer
/// than what this program brings.
///
/// Two that migrate at once take turns. A connection of its own is used and
/// closed, so that neither the lock nor the settings outlive a failure.
pub async fn migrate(db: &PgPool) -> Result<i64> {
    let mut connection = db.acquire().await?.detach();
    let migrated = run(&mut connection).await;
    let _ = connection.close().await;
    migrated
}

async fn run(connection: &mut PgConnection) -> Result<i64> {
    // A migration takes as long as it takes, and so does waiting for another's.
    sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut *connection).await?;
    MIGRATIONS.run_direct(&mut *connection).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => error.into(),
        error => Error::internal_from("could not migrate the database", error),
    })?;
    version(connection).await?.ok_or_else(|| Error::internal("there is no migration"))
}

/// The version this program brings a database to.
pub fn newest_schema() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// The version a database is at; none if it was never migrated.
pub async fn schema_version(connection: &mut PgConnection) -> Result<Option<i64>> {
    let known = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null");
    if !known.fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    version(connection).await
}

async fn version(connection: &mut PgConnection) -> Result<Option<i64>> {
    let version = sqlx::query_scalar("select max(version) from _sqlx_migrations where success");
    Ok(version.fetch_one(connection).await?)
}
