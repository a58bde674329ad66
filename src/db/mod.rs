//! Floor 3: the connection we use: the pool, the migrations, the nudges.
//!
//! Wherever the server is, PiCloud's own or somebody's, everything above meets
//! it here. The server may go away at any time and come back: what is asked
//! meanwhile fails with an error that says so, and what is asked afterwards
//! meets no connection of the time before.

mod listen;
mod migrate;
mod session;

use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::{
    Connection, PgConnection, PgExecutor, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

pub use listen::{Nudges, listen};
pub use migrate::{migrate, newest_schema, schema_version};
pub use session::Session;

use crate::base::{Error, Result};

/// How long one caller waits for a connection before it hears that there is none.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that was idle this long is asked whether it still is one.
///
/// A server that died takes longer than this to come back, and a connection
/// that breaks while it is used is not kept. So one that is younger is good
/// once the server is back, and the question, a round trip of some 50 us, is
/// spared exactly where it would cost: under load.
const TRUSTED_IDLE: Duration = Duration::from_millis(50);

/// The longest a statement may take. All of ours are short; one that is not
/// must give its connection back.
const STATEMENT_TIMEOUT: &str = "30s";

/// The longest a statement may wait for a lock, less than it may take, so that
/// the log names the reason.
const LOCK_TIMEOUT: &str = "10s";

/// The longest a transaction may do nothing: nothing but the database is
/// awaited in one.
const IDLE_IN_TRANSACTION_TIMEOUT: &str = "30s";

/// The pause before looking again for a server that is away: 0.1 s, doubled to 2.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connects, waiting without limit for a server that is away or coming up; a
/// server that refuses us is an error at once.
pub async fn connect(options: PgConnectOptions, pool_size: u32) -> Result<PgPool> {
    let options = bounded(options).application_name("picloud");
    wait_for_server(&options).await?;
    Ok(pool(options, pool_size))
}

/// The one connection that works off a queue. Its table is empty now and has a
/// million rows a minute later, long before its statistics say so: whatever
/// they say, each step there is by index.
pub fn queue(options: PgConnectOptions) -> PgPool {
    let off = ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin", "jit"];
    let options = bounded(options)
        .application_name("picloud queue")
        .options(off.map(|what| (what, "off")))
        .options([("plan_cache_mode", "force_generic_plan")]);
    pool(options, 1)
}

/// The bounds of every statement.
fn bounded(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION_TIMEOUT),
        // Notices such as "already exists, skipping" are for people at a prompt.
        ("client_min_messages", "warning"),
    ])
}

fn pool(options: PgConnectOptions, size: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(size)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // Up to 29 % of a short statement's time; `still_connected` asks where it matters.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| still_connected(connection, meta.idle_for))
        .connect_lazy_with(options)
}

/// Waits until the server takes a connection.
async fn wait_for_server(options: &PgConnectOptions) -> Result<()> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match PgConnection::connect_with(options).await {
            Ok(connection) => {
                let _ = connection.close().await;
                return Ok(());
            }
            Err(error) => Error::from(error),
        };
        let Error::Unavailable(error) = error else { return Err(error) };
        tracing::info!(%error, "waiting for the database");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the pool may hand out an idle connection.
fn still_connected(connection: &mut PgConnection, idle_for: Duration) -> BoxFuture<'_, sqlx::Result<bool>> {
    Box::pin(async move { Ok(idle_for < TRUSTED_IDLE || connection.ping().await.is_ok()) })
}

/// Nudges whoever listens to `channel`, in every process.
///
/// It belongs after the commit: inside a transaction it takes a global lock
/// that lets one commit pass at a time.
pub async fn notify(db: impl PgExecutor<'_>, channel: &str) -> Result<()> {
    sqlx::query("select pg_notify($1, '')").bind(channel).execute(db).await?;
    Ok(())
}

/// How many bytes of WAL the server has written since its cluster was made,
/// for whomever: on a card that is what wears it out.
///
/// The position, not `pg_stat_wal`: it is exact at once, and a crash or a
/// restart does not set it back. What the server skips to begin a new segment
/// is counted as if it were written.
pub async fn wal_bytes(db: impl PgExecutor<'_>) -> Result<u64> {
    let position = sqlx::query_scalar("select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint");
    let position: i64 = position.fetch_one(db).await?;
    Ok(position.unsigned_abs())
}

/// Whether the server answers: one round trip.
pub async fn ping(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query("select 1").execute(db).await?;
    Ok(())
}
