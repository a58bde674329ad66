//! The one state every handler sees.

use std::{
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{PgPool, Postgres, Transaction};
use tokio_util::sync::CancellationToken;

use super::{caller, origin::OwnNames};
use crate::{
    access::{Caller, form_token::FormKey, password::Cost},
    base::Result,
    config::Config,
    db,
    engine::{Bounds, Engine},
    events::{Acceptor, Dispatcher, Durable, Recorder, Settings, settings},
    routing::{self, Routes},
    system::{clock, disk, metrics::Metrics},
    upkeep::Upkeep,
};

/// Shared by all handlers; cheap to clone.
#[derive(Clone)]
pub struct State(Arc<Parts>);

/// What the state is made of.
pub struct Parts {
    /// The resolved configuration.
    pub config: Config,
    /// The database.
    pub db: PgPool,
    /// The highest migration the database has.
    pub schema: i64,
    /// What a password hash costs here.
    pub password_cost: Cost,
    /// What the tokens in forms are made with.
    pub form_key: FormKey,
    /// The machine's host name.
    pub host_name: String,
    /// The names that are this machine's own.
    pub own_names: OwnNames,
    /// What a run gets, and the most a script may ask for.
    pub bounds: Bounds,
    /// Compiles and runs scripts.
    pub engine: Engine,
    /// Hands runs to the engine and their outcomes to who waits.
    pub dispatcher: Dispatcher,
    /// Accepts runs that are made later.
    pub acceptor: Acceptor,
    /// Runs what waits in the outbox.
    pub durable: Durable,
    /// Writes the execution log.
    pub recorder: Recorder,
    /// Whether the clock is right.
    pub clock: clock::Watch,
    /// Whether the disk has room for more.
    pub disk: disk::Watch,
    /// What can be changed without a restart.
    pub settings: Settings,
    /// Which route answers.
    pub routes: Arc<Routes>,
    /// Sweeps what was deleted.
    pub upkeep: Upkeep,
    /// Cancelled when the server begins to stop: streams that would go on for ever end then.
    pub stopping: CancellationToken,
    /// Counters and gauges.
    pub metrics: Metrics,
    /// When this process started.
    pub started: Instant,
    /// When the first one of all did, in time since this power-up; none if it was before.
    pub first_start: Option<Duration>,
}

impl State {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Begins a change that `caller` makes.
    ///
    /// Reading the body and hashing a password take their time: who was signed out,
    /// or lost a role, since the call began may not change anything any more.
    pub async fn begin(&self, caller: &Caller) -> Result<Transaction<'static, Postgres>> {
        let mut tx = self.db.begin().await?;
        caller::still_may(&mut tx, caller).await?;
        Ok(tx)
    }

    /// After a change that routing depends on: this node serves the new table
    /// when it returns, the others within a second.
    ///
    /// The nudge goes out in a statement of its own, after the commit: inside
    /// the writing transaction it would serialise all commits.
    pub async fn routes_changed(&self) -> Result<()> {
        let reloaded = self.routes.reload(&self.db).await;
        let told = db::notify(&self.db, routing::CHANGED).await;
        reloaded.and(told)
    }

    /// After a change of a setting: it is in force on this node when this
    /// returns, on the others within a second. The nudge goes out after the commit.
    pub async fn settings_changed(&self) -> Result<()> {
        let reloaded = self.settings.reload(&self.db).await;
        let told = db::notify(&self.db, settings::CHANGED).await;
        reloaded.and(told)
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
