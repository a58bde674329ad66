//! The one state every handler sees.

use std::{ops::Deref, sync::Arc, time::Instant};

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::origin::OwnNames;
use crate::{
    access::password::Cost, config::Config, engine::Engine, events::Recorder, system::metrics::Metrics,
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
    /// The names that are this machine's own.
    pub own_names: OwnNames,
    /// Compiles and runs scripts.
    pub engine: Engine,
    /// Writes the execution log.
    pub recorder: Recorder,
    /// Sweeps what was deleted.
    pub upkeep: Upkeep,
    /// Cancelled when the server begins to stop: streams that would go on for ever end then.
    pub stopping: CancellationToken,
    /// Counters and gauges.
    pub metrics: Metrics,
    /// When this process started.
    pub started: Instant,
}

impl State {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
