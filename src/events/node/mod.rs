//! This node among others: its epoch, whether it holds it, and who else is there.
//!
//! The epoch's lock lies on a connection of its own, kept by `keeper`. While
//! that connection is away there is no epoch, so nothing is claimed; when it is
//! back the same epoch goes on if nobody has declared it dead, or a new one
//! begins. `watch` looks for epochs that are dead and takes over what they left.

mod keeper;
mod watch;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::{
    sync::{Notify, watch as value},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use self::{keeper::Keeper, watch::Watch};
pub use crate::store::node::CHANGED;
use crate::{
    base::{Result, id::AppId},
    store::node::Heir,
    system::{
        clock,
        metrics::Metrics,
        tasks::{OnFailure, Tasks},
    },
};

/// The longest that leaving may take while the database does not answer.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// This node; clones share it.
#[derive(Clone)]
pub struct Node(Arc<Shared>);

/// What a node is made of.
pub struct Parts {
    /// Where nodes and rows are.
    pub db: PgPool,
    /// How to connect to it once more.
    pub options: PgConnectOptions,
    /// The name of this machine.
    pub name: String,
    /// Where abandoned runs are counted.
    pub metrics: Metrics,
    /// How often it looks and beats.
    pub pace: Pace,
}

/// How often a node looks and beats, and how long it waits for others.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at others while there are some.
    pub look: Duration,
    /// Between two beats while there are others.
    pub beat: Duration,
    /// The longest that another's beat may stand still.
    pub silence: Duration,
    /// How long one who has lost its connection may need to connect again. After a loss of our own nobody is declared
    /// dead for as long.
    pub grace: Duration,
    /// How long a lock of ours that the server still takes for held is waited for.
    pub patience: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            look: Duration::from_millis(250),
            beat: Duration::from_secs(20),
            silence: Duration::from_secs(60),
            grace: Duration::from_millis(400),
            patience: Duration::from_secs(3),
        }
    }
}

/// What the handles and the tasks share.
struct Shared {
    db: PgPool,
    options: PgConnectOptions,
    name: String,
    boot_id: String,
    metrics: Metrics,
    pace: Pace,
    epoch: value::Sender<Option<i64>>,
    /// Every epoch this process has had.
    own: Mutex<Vec<i64>>,
    has_peers: AtomicBool,
    freed: Arc<Notify>,
    /// Wakes the watch: somebody came or went.
    look: Notify,
    /// Wakes the keeper: somebody has declared our epoch dead.
    declared_dead: Notify,
    /// When the connection was there again after a loss.
    back_since: Mutex<Option<Instant>>,
    leaving: CancellationToken,
    left: CancellationToken,
}

impl Node {
    /// Takes an epoch, and looks once for dead ones. The lock is given up by
    /// [`Self::leave`], not when the tasks are told to stop.
    ///
    /// Fails behind a connection pooler in transaction mode.
    pub async fn register(parts: Parts, tasks: &Tasks) -> Result<Self> {
        let Parts { db, options, name, metrics, pace } = parts;
        let shared = Arc::new(Shared {
            db,
            options,
            name,
            boot_id: clock::boot_id(),
            metrics,
            pace,
            epoch: value::Sender::default(),
            own: Mutex::default(),
            has_peers: AtomicBool::new(false),
            freed: Arc::default(),
            look: Notify::new(),
            declared_dead: Notify::new(),
            back_since: Mutex::default(),
            leaving: CancellationToken::new(),
            left: CancellationToken::new(),
        });
        let keeper = Keeper::register(shared.clone()).await?;
        let mut watch = Watch::new(shared.clone());
        watch.look().await;
        shared.tell_others().await;
        tasks.spawn("node", OnFailure::Shutdown, keeper.run());
        tasks.spawn("nodes", OnFailure::Shutdown, watch.run(tasks.token()));
        Ok(Self(shared))
    }

    /// The epoch, while it is held.
    pub fn epoch(&self) -> Option<i64> {
        *self.0.epoch.borrow()
    }

    /// Follows the epoch.
    pub fn watch(&self) -> value::Receiver<Option<i64>> {
        self.0.epoch.subscribe()
    }

    /// Whether another node is registered.
    pub fn has_peers(&self) -> bool {
        self.0.has_peers.load(Ordering::Relaxed)
    }

    /// Told when rows were freed.
    pub fn freed(&self) -> Arc<Notify> {
        self.0.freed.clone()
    }

    /// Has dead epochs looked for soon.
    pub fn look(&self) {
        self.0.look.notify_one();
    }

    /// Ends the epoch in good order: what is still claimed is freed, and others hear of it.
    pub async fn leave(&self) {
        self.0.leaving.cancel();
        if tokio::time::timeout(LEAVE_WITHIN, self.0.left.cancelled()).await.is_err() {
            tracing::warn!(
                "the node could not say that it left: it is found out when its connection is closed"
            );
        }
    }
}

impl Shared {
    fn epoch(&self) -> Option<i64> {
        *self.epoch.borrow()
    }

    /// The epochs of this process. A panic while it was held would have left it whole.
    fn own(&self) -> MutexGuard<'_, Vec<i64>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn back_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.back_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heir(&self) -> Heir<'_> {
        Heir { name: &self.name, boot_id: &self.boot_id }
    }

    /// Counts what was found in the hands of an epoch, and says that rows were freed.
    fn count(&self, abandoned: &[AppId]) {
        for app in abandoned {
            self.metrics.abandoned.with_label_values(&[&app.to_string()]).inc();
        }
        // Also if it held none: nobody else knows when those are due that it would have run.
        self.freed.notify_one();
    }

    /// Says that a node came or went, to those who are there to hear it.
    async fn tell_others(&self) {
        if !self.has_peers.load(Ordering::Relaxed) {
            return;
        }
        // One who does not hear it finds out by looking.
        if let Err(error) = crate::db::notify(&self.db, CHANGED).await {
            tracing::debug!(%error, "could not tell the other nodes");
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Node").field(&self.epoch()).finish()
    }
}
