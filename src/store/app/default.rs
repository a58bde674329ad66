//! The app a new instance begins with.

use sqlx::PgConnection;

use crate::{
    base::{Error, Result, id::AppId, id::RouteId, name::Source},
    store::script::{self, NewScript},
};

/// The slug the default app is made with; it may be renamed.
pub const DEFAULT_SLUG: &str = "default";

/// What the script `hello` is made with.
const HELLO: &str = include_str!("hello.rhai");

/// Makes the default app with its script `hello` and the route `/hello`, once
/// in the life of an instance, and says whether it did.
///
/// The default app cannot be deleted, so its row tells that it was made; what
/// the user changed or deleted in it since is theirs. Of two nodes that start
/// at once the second waits at the unique index and then does nothing.
pub async fn ensure_default(conn: &mut PgConnection) -> Result<bool> {
    let app: Option<AppId> = sqlx::query_scalar(
        "insert into apps (id, slug, name, description, is_default)
         values ($1, $2, 'Default', 'Answers on every host that no other app claims', true)
         on conflict (is_default) where is_default and deleted_at is null do nothing
         returning id",
    )
    .bind(AppId::new())
    .bind(DEFAULT_SLUG)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(app) = app else { return Ok(false) };
    let hello = NewScript {
        app_id: app,
        name: constant("hello")?,
        source: constant::<Source>(HELLO)?,
        description: Some(constant("A first script: change it, or delete it")?),
        timeout_seconds: script::DEFAULT_TIMEOUT_SECONDS,
        sandbox: script::Sandbox::default(),
        enabled: true,
        author: None,
    };
    let script = script::create(&mut *conn, &hello).await?;
    sqlx::query(
        "insert into routes (id, app_id, script_id, host_kind, path_kind, path, path_shape)
         values ($1, $2, $3, 'any', 'exact', '/hello', '/hello')",
    )
    .bind(RouteId::new())
    .bind(app)
    .bind(script.id)
    .execute(conn)
    .await?;
    Ok(true)
}

fn constant<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(|why| Error::internal(format!("a constant of the default app {why}")))
}
