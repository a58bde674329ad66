//! Nodes: which are alive, and whose rows are whose.
//!
//! Each start of a node takes a new epoch and holds a session advisory lock on
//! it for its whole life. An epoch that is not in `nodes`, or whose lock is
//! free, is dead: whoever finds it takes its rows over.

mod dead;
mod peers;

use sqlx::{PgConnection, PgExecutor, PgPool};

pub use dead::{Heir, TakenOver, disown, retire, take_over};
pub use peers::{Other, beat, others, silence};

use crate::base::{Error, Result};

/// The class of the advisory locks on epochs: "PICL".
const CLASS: i32 = 0x5049_434C;

/// Told after the commit when a node came or went.
pub const CHANGED: &str = "picloud_nodes";

/// A node as others see it.
#[derive(Clone, Debug)]
pub struct NewNode<'a> {
    /// Its epoch.
    pub epoch: i64,
    /// The name of its machine.
    pub name: &'a str,
    /// The program's version.
    pub version: &'a str,
    /// The kernel's id of this boot; empty where it is not told.
    pub boot_id: &'a str,
}

/// The lock on an epoch, as its session holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What is locked.
    pub epoch: i64,
    /// The server process that holds it.
    pub backend: i32,
}

/// Takes a new epoch.
pub async fn new_epoch(db: impl PgExecutor<'_>) -> Result<i64> {
    Ok(sqlx::query_scalar("select nextval('node_epochs')").fetch_one(db).await?)
}

/// Locks an epoch for the life of this session; none if somebody else holds it.
pub async fn lock(session: &mut PgConnection, epoch: i64) -> Result<Option<Lock>> {
    let (locked, backend) = sqlx::query_as("select pg_try_advisory_lock($1, $2::integer), pg_backend_pid()")
        .bind(CLASS)
        .bind(epoch)
        .fetch_one(session)
        .await?;
    let locked: bool = locked;
    Ok(locked.then_some(Lock { epoch, backend }))
}

/// Gives the lock up.
pub async fn unlock(session: &mut PgConnection, lock: Lock) -> Result<()> {
    sqlx::query("select pg_advisory_unlock($1, $2::integer)")
        .bind(CLASS)
        .bind(lock.epoch)
        .execute(session)
        .await?;
    Ok(())
}

/// Whether the lock is held by whoever it should be held by, seen from a later
/// transaction of the same session while another session has one open.
///
/// Behind a pooler that hands out connections by the transaction it is not:
/// then the other, or the later, has come to the connection the lock is on,
/// which it is not meant to share.
pub async fn is_held_alone(session: &mut PgConnection, db: &PgPool, lock: Lock) -> Result<bool> {
    let mut other = db.begin().await?;
    let beside: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut *other).await?;
    let (now, held) = sqlx::query_as(
        "select pg_backend_pid(),
                exists (select from pg_locks
                        where locktype = 'advisory' and granted and objsubid = 2 and pid = pg_backend_pid()
                          and classid = $1::bigint::oid and objid = $2::oid
                          and database = (select oid from pg_database where datname = current_database()))",
    )
    .bind(i64::from(CLASS))
    .bind(lock.epoch)
    .fetch_one(session)
    .await?;
    other.commit().await?;
    Ok(lock.is_plausible(now, held, beside))
}

impl Lock {
    /// Whether a session that is now served by `now`, which holds the lock if
    /// `held`, is alone on its connection, when another's is `beside`.
    pub fn is_plausible(self, now: i32, held: bool, beside: i32) -> bool {
        held && now == self.backend && beside != self.backend
    }
}

/// What a start says that was made behind such a pooler.
pub fn pooled() -> Error {
    Error::internal(
        "the database is reached through a connection pooler in transaction mode, under which a session's locks mean \
         nothing; set database_url to the PostgreSQL server itself, or the pooler to session mode",
    )
}

/// Makes a node visible to others.
pub async fn register(db: impl PgExecutor<'_>, node: &NewNode<'_>) -> Result<()> {
    sqlx::query("insert into nodes (epoch, name, version, boot_id) values ($1, $2, $3, $4)")
        .bind(node.epoch)
        .bind(node.name)
        .bind(node.version)
        .bind(node.boot_id)
        .execute(db)
        .await?;
    Ok(())
}

/// Whether nobody has declared the epoch dead.
pub async fn is_registered(db: impl PgExecutor<'_>, epoch: i64) -> Result<bool> {
    let registered = sqlx::query_scalar("select exists (select from nodes where epoch = $1)");
    Ok(registered.bind(epoch).fetch_one(db).await?)
}

/// Ends the session that held `lock`, if it still does: one of ours whose end
/// the server has not noticed yet.
pub async fn end_session(db: impl PgExecutor<'_>, lock: Lock) -> Result<bool> {
    peers::terminate(db, lock.epoch, Some(lock.backend)).await
}
