//! Deleting apps: what is asked before, and what happens at once.

use std::fmt;

use sqlx::{PgConnection, PgExecutor};

use crate::base::{Error, Result, id::AppId};

/// What goes with an app when it is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// Its scripts.
    pub scripts: i64,
    /// Its routes.
    pub routes: i64,
    /// Its domains.
    pub domains: i64,
    /// Its entries in the execution log.
    pub executions: i64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: i64, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
        write!(
            f,
            "{}, {}, {} and {}",
            count(self.scripts, "script"),
            count(self.routes, "route"),
            count(self.domains, "domain"),
            count(self.executions, "execution")
        )
    }
}

/// Counts what deleting the app would take along.
pub async fn counts(db: impl PgExecutor<'_>, id: AppId) -> Result<Counts> {
    let counts = sqlx::query_as(
        "select (select count(*) from scripts where app_id = $1) as scripts,
                (select count(*) from routes where app_id = $1) as routes,
                (select count(*) from domains where app_id = $1) as domains,
                (select count(*) from executions where app_id = $1) as executions",
    )
    .bind(id)
    .fetch_one(db)
    .await?;
    Ok(counts)
}

/// Makes the app unreachable and frees its slug, its old slugs and its
/// domains; what else it owned is swept in batches behind.
pub async fn delete(conn: &mut PgConnection, id: AppId) -> Result<()> {
    let is_default: Option<bool> =
        sqlx::query_scalar("select is_default from apps where id = $1 and deleted_at is null for update")
            .bind(id)
            .fetch_optional(&mut *conn)
            .await?;
    match is_default {
        None => return Err(Error::NotFound("app".to_owned())),
        Some(true) => {
            return Err(Error::Conflict(
                "the default app cannot be deleted: hosts that no app claims belong to it".to_owned(),
            ));
        }
        Some(false) => {}
    }
    for statement in [
        "update apps set deleted_at = now() where id = $1",
        "delete from app_old_slugs where app_id = $1",
        "delete from domains where app_id = $1",
    ] {
        sqlx::query(statement).bind(id).execute(&mut *conn).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_confirmation_names_what_goes() {
        let counts = Counts { scripts: 1, routes: 2, domains: 0, executions: 1204 };
        assert_eq!(counts.to_string(), "1 script, 2 routes, 0 domains and 1204 executions");
    }
}
