//! The one state every handler sees.

use std::{ops::Deref, sync::Arc, time::Instant};

use sqlx::PgPool;

use super::origin::OwnNames;
use crate::{
    access::password::Cost, base::Result, config::Config, routing::Routes, system::metrics::Metrics,
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
    /// Which route answers.
    pub routes: Arc<Routes>,
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

    /// After a change that routing depends on: this node serves the new table when it returns.
    pub async fn routes_changed(&self) -> Result<()> {
        self.routes.reload(&self.db).await
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
