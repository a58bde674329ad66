//! How many rows of an app may wait.
//!
//! Counting them for each new one would cost more than writing it. So they are
//! counted once, and again when as many have been accepted as were missing to
//! the quota: what has run meanwhile makes room only then.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use sqlx::PgPool;

use crate::{
    base::{Error, Result, id::AppId},
    store::outbox,
};

/// The least time between two counts of one app whose quota is used up.
const BETWEEN_COUNTS: Duration = Duration::from_secs(1);

/// How many apps are remembered.
const REMEMBERED: usize = 4_096;

/// What the apps have left.
pub(super) struct Quotas {
    quota: u32,
    apps: HashMap<AppId, Left>,
}

struct Left {
    rows: u32,
    counted: Instant,
}

impl Quotas {
    /// Every app may have `quota` rows waiting.
    pub(super) fn new(quota: u32) -> Self {
        Self { quota, apps: HashMap::new() }
    }

    /// Takes room for one row of `app`.
    pub(super) async fn take(&mut self, db: &PgPool, app: AppId) -> Result<()> {
        if let Some(left) = self.apps.get_mut(&app) {
            if left.rows > 0 {
                left.rows -= 1;
                return Ok(());
            }
            if left.counted.elapsed() < BETWEEN_COUNTS {
                return Err(self.used_up());
            }
        }
        if self.apps.len() >= REMEMBERED {
            self.apps.clear();
        }
        let waiting = outbox::waiting(db, app, self.quota).await?;
        let rows = self.quota.saturating_sub(waiting);
        self.apps.insert(app, Left { rows: rows.saturating_sub(1), counted: Instant::now() });
        if rows > 0 { Ok(()) } else { Err(self.used_up()) }
    }

    fn used_up(&self) -> Error {
        Error::Quota {
            why: format!("{} events of this app wait already, its quota", self.quota),
            retry_after: BETWEEN_COUNTS,
        }
    }
}
