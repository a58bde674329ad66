//! The table in service, and how it follows the database.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::{ArcSwap, Guard};
use sqlx::PgPool;
use tokio::sync::{Mutex, Notify, watch};

use super::{Entry, Script, Source, Table};
use crate::{
    base::{Error, Result},
    store::{domain, route},
};

/// The pause before reading a table again that could not be read.
const PAUSE: Duration = Duration::from_millis(500);

/// The table in service.
#[derive(Debug, Default)]
pub struct Routes {
    table: ArcSwap<Table>,
    /// How many changes have asked for a new table.
    asked: AtomicU64,
    /// How many of them the table in service has; held while one is made.
    served: Mutex<u64>,
    /// Told when a table could not be made: [`Self::follow`] tries again.
    stale: Notify,
}

impl Routes {
    /// Puts the table of what is stored now in service.
    pub async fn load(db: &PgPool) -> Result<Self> {
        let routes = Self::default();
        routes.reload(db).await?;
        Ok(routes)
    }

    /// The table in service.
    pub fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Returns when a table is in service that was read after this call began.
    /// Calls that wait for one another share a table.
    pub async fn reload(&self, db: &PgPool) -> Result<()> {
        let mine = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let mut served = self.served.lock().await;
        if *served >= mine {
            return Ok(());
        }
        let all = self.asked.load(Ordering::Acquire);
        let table = make(db).await.inspect_err(|_| self.stale.notify_one())?;
        self.table.store(Arc::new(table));
        *served = all;
        Ok(())
    }

    /// Follows the changes of other nodes, for ever: reloads at each nudge, and
    /// after a reload that failed, until it succeeds.
    pub async fn follow(&self, db: &PgPool, mut nudges: watch::Receiver<()>) {
        loop {
            tokio::select! {
                changed = nudges.changed() => if changed.is_err() { return },
                () = self.stale.notified() => {}
            }
            while let Err(error) = self.reload(db).await {
                tracing::debug!(%error, "could not reload the route table; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// The table of what is stored now.
async fn make(db: &PgPool) -> Result<Table> {
    let source = read(db).await?;
    // Thousands of routes take long enough on a small machine to hold up other requests.
    let table = tokio::task::spawn_blocking(|| Table::new(source)).await;
    table.map_err(|e| Error::internal_from("could not compile the route table", e))
}

/// Reads what a table is made of as it was at one moment.
async fn read(db: &PgPool) -> Result<Source> {
    let mut tx = db.begin_with("begin isolation level repeatable read read only").await?;
    let mut source = Source {
        apps: route::apps(&mut *tx).await?,
        old_slugs: route::old_slugs(&mut *tx).await?,
        domains: domain::all(&mut *tx).await?,
        entries: Vec::new(),
    };
    let active = route::active(&mut *tx).await?;
    tx.commit().await?;
    source.entries = active.into_iter().filter_map(entry).collect();
    Ok(source)
}

/// A route that cannot be read (a newer release may have written it) answers
/// nothing, and keeps no other from answering.
fn entry(row: route::Active) -> Option<Entry> {
    let rule = match row.rule() {
        Ok(rule) => rule,
        Err(error) => {
            tracing::error!(route.id = %row.id, %error, "a stored route cannot be read and answers nothing");
            return None;
        }
    };
    let seconds = u64::try_from(row.timeout_seconds).unwrap_or(1);
    Some(Entry {
        id: row.id,
        app_id: row.app_id,
        app_slug: row.app_slug,
        script: Script {
            id: row.script_id,
            name: row.script_name,
            version: row.script_version,
            timeout: Duration::from_secs(seconds),
            sandbox: row.sandbox.0,
        },
        rule,
        dispatch_mode: row.dispatch_mode,
    })
}
