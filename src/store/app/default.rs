//! The app a new instance begins with.

use sqlx::PgConnection;

use crate::{
    base::{
        Error, Result,
        id::AppId,
        name::Source,
        pattern::{HostKind, PathKind, RouteRule, RuleText},
    },
    store::{
        route::{self, DispatchMode, NewRoute},
        script::{self, NewScript},
    },
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
    let rule = RuleText {
        host_kind: HostKind::Any,
        host: None,
        host_param_name: None,
        path_kind: PathKind::Exact,
        path: "/hello",
        method: None,
    };
    let hello = NewRoute {
        app_id: app,
        script_id: script.id,
        rule: RouteRule::parse(rule).map_err(Error::Invalid)?,
        dispatch_mode: DispatchMode::Sync,
        enabled: true,
    };
    route::create(conn, &hello).await?;
    Ok(true)
}

fn constant<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(|why| Error::internal(format!("a constant of the default app {why}")))
}
