//! What becomes of the rows of an epoch that is over.
//!
//! Durable rows are freed, to be run again. Rows with `reply_to` stood for
//! callers who waited: if the process that was to answer them has ended they
//! were abandoned, and if it goes on under another epoch they are its own matter.
//!
//! The node's row goes first and in a statement of its own: rows recorded
//! behind hold it while they are written, so those that come in time are seen
//! by the statements after it, and those that come later are not written.

use sqlx::{PgConnection, PgPool};

use super::CLASS;
use crate::{
    base::{Result, id::AppId},
    store::{
        abandoned::{self, NewAbandoned},
        outbox::ALONE_FROM,
    },
};

/// The node that takes over.
#[derive(Clone, Copy, Debug)]
pub struct Heir<'a> {
    /// The name of its machine.
    pub name: &'a str,
    /// The kernel's id of this boot; empty where it is not told.
    pub boot_id: &'a str,
}

/// What an epoch left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Durable rows that were freed.
    pub freed: u64,
    /// The apps of the runs that were abandoned, one for each.
    pub abandoned: Vec<AppId>,
}

/// The status of a run whose process ended under it.
const PROCESS_ENDED: i16 = 500;

/// How a row's losses are counted when its epoch ends.
#[derive(Clone, Copy)]
enum Loss {
    /// The process ended under it: the claim has counted it already.
    Counted,
    /// The machine ended under the process, or it is not known how the row came
    /// to be there: past [`ALONE_FROM`] losses count against a row, and this one does not.
    Innocent,
    /// Nothing was lost with the process.
    None,
}

/// Takes over what a dead epoch has left; none if the epoch is alive.
///
/// A loss counts against a row only if its process ended while its machine went
/// on. A machine that runs under another boot id now was restarted. Rows of an
/// epoch without a node were claimed after it was declared dead, by a process
/// that lived.
pub async fn take_over(db: &PgPool, epoch: i64, heir: Heir<'_>) -> Result<Option<TakenOver>> {
    let mut tx = db.begin().await?;
    let dead: bool = sqlx::query_scalar("select pg_try_advisory_xact_lock($1, $2::integer)")
        .bind(CLASS)
        .bind(epoch)
        .fetch_one(&mut *tx)
        .await?;
    if !dead {
        return Ok(None);
    }
    let node: Option<(String, String)> =
        sqlx::query_as("delete from nodes where epoch = $1 returning name, boot_id")
            .bind(epoch)
            .fetch_optional(&mut *tx)
            .await?;
    let loss = match &node {
        Some((name, boot_id)) if heir.saw_restart_of(name, boot_id) => Loss::Innocent,
        Some(_) => Loss::Counted,
        None => Loss::Innocent,
    };
    let taken =
        TakenOver { freed: free(&mut tx, epoch, loss).await?, abandoned: abandon(&mut tx, epoch).await? };
    tx.commit().await?;
    Ok(Some(taken))
}

/// Ends an epoch of our own in good order.
pub async fn retire(db: &PgPool, epoch: i64) -> Result<TakenOver> {
    let mut tx = db.begin().await?;
    forget(&mut tx, epoch).await?;
    let taken = TakenOver {
        freed: free(&mut tx, epoch, Loss::None).await?,
        abandoned: abandon(&mut tx, epoch).await?,
    };
    tx.commit().await?;
    Ok(taken)
}

/// Clears away what is left of an epoch that was ours, for we live under
/// another; says how many durable rows were freed.
pub async fn disown(db: &PgPool, epoch: i64) -> Result<u64> {
    let mut tx = db.begin().await?;
    forget(&mut tx, epoch).await?;
    let freed = free(&mut tx, epoch, Loss::None).await?;
    sqlx::query("delete from outbox where claimed_epoch = $1").bind(epoch).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(freed)
}

impl Heir<'_> {
    /// Whether a node of this name and boot ended because our machine was restarted.
    fn saw_restart_of(self, name: &str, boot_id: &str) -> bool {
        let known = !boot_id.is_empty() && !self.boot_id.is_empty();
        known && name == self.name && boot_id != self.boot_id
    }
}

async fn forget(tx: &mut PgConnection, epoch: i64) -> Result<()> {
    sqlx::query("delete from nodes where epoch = $1").bind(epoch).execute(tx).await?;
    Ok(())
}

async fn free(tx: &mut PgConnection, epoch: i64, loss: Loss) -> Result<u64> {
    // A loss that does not count is taken off only where it would count, so
    // that a row that was lost once or twice is still run alone.
    let (spared, of_those_from) = match loss {
        Loss::Counted => (0, 0),
        Loss::Innocent => (1, ALONE_FROM + 1),
        Loss::None => (1, 1),
    };
    let done = sqlx::query(
        "update outbox
         set claimed_epoch = null, next_attempt_at = least(next_attempt_at, now()),
             lost_count = case when lost_count >= $3 then lost_count - $2 else lost_count end
         where claimed_epoch = $1 and reply_to is null",
    )
    .bind(epoch)
    .bind(spared)
    .bind(of_those_from)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}

/// Moves the rows of callers who waited to the abandoned executions.
async fn abandon(tx: &mut PgConnection, epoch: i64) -> Result<Vec<AppId>> {
    let rows: Vec<NewAbandoned> = sqlx::query_as(
        "delete from outbox where claimed_epoch = $1 and reply_to is not null
         returning id as outbox_id, reply_to as inbox_id, app_id, script_id, execution_id, $2::smallint as status,
                   'the process ended' as summary",
    )
    .bind(epoch)
    .bind(PROCESS_ENDED)
    .fetch_all(&mut *tx)
    .await?;
    abandoned::insert(tx, &rows).await
}
