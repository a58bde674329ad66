//! Deleting scripts, and what stands in the way.

use sqlx::PgConnection;

use super::Script;
use crate::base::{
    Error, Result,
    id::{RouteId, ScriptId},
};

/// How many routes a refusal names; a longer list helps nobody.
const NAMED: usize = 20;

/// Deletes a script and its versions, and returns it as it was; refuses, naming them, while routes lead to it.
pub async fn delete(conn: &mut PgConnection, id: ScriptId) -> Result<Script> {
    // The lock keeps out routes that are being made: their foreign key wants the same row.
    let script = super::change::lock(&mut *conn, id).await?;
    let routes: Vec<(RouteId, String, Option<String>)> =
        sqlx::query_as("select id, path, method from routes where script_id = $1 order by path, method")
            .bind(id)
            .fetch_all(&mut *conn)
            .await?;
    if !routes.is_empty() {
        return Err(Error::Conflict(refusal(&routes)));
    }
    delete_row(conn, id).await?;
    Ok(script)
}

/// Deletes a script, its versions, and the routes that lead to it; returns it, and how many these were.
pub async fn delete_cascade(conn: &mut PgConnection, id: ScriptId) -> Result<(Script, u64)> {
    let script = super::change::lock(&mut *conn, id).await?;
    let routes = sqlx::query("delete from routes where script_id = $1").bind(id).execute(&mut *conn).await?;
    delete_row(conn, id).await?;
    Ok((script, routes.rows_affected()))
}

async fn delete_row(conn: &mut PgConnection, id: ScriptId) -> Result<()> {
    sqlx::query("delete from scripts where id = $1").bind(id).execute(conn).await?;
    Ok(())
}

fn refusal(routes: &[(RouteId, String, Option<String>)]) -> String {
    let mut named: Vec<String> = routes
        .iter()
        .take(NAMED)
        .map(|(id, path, method)| format!("{} {path} ({id})", method.as_deref().unwrap_or("any method")))
        .collect();
    if routes.len() > NAMED {
        named.push(format!("and {} more", routes.len() - NAMED));
    }
    format!(
        "routes lead to this script: {}; delete them first, or ask with ?cascade=true, which deletes them too",
        named.join(", ")
    )
}
