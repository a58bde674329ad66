//! The one task that looks at the other nodes.
//!
//! Alone it looks when it is told to, and only reads. While others are there it
//! looks often and beats seldom.

use std::{collections::HashMap, convert::Infallible, sync::Arc, sync::atomic::Ordering};

use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Shared;
use crate::{
    base::Result,
    store::node::{self, Other},
};

/// Looks at the other nodes.
pub(super) struct Watch {
    shared: Arc<Shared>,
    /// The living, as they were seen last.
    living: HashMap<i64, Pulse>,
    /// Those that have let their lock go since, and when that was seen.
    vanished: HashMap<i64, Instant>,
    looked: Option<Instant>,
    beat: Option<Instant>,
    /// Whether something was seen that is to be looked at again.
    again: bool,
}

/// The beat of another node, and since when it has stood so.
struct Pulse {
    beat: i64,
    since: Instant,
}

impl Watch {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            living: HashMap::new(),
            vanished: HashMap::new(),
            looked: None,
            beat: None,
            again: false,
        }
    }

    /// The task.
    pub(super) async fn run(mut self, stop: CancellationToken) -> Result<(), Infallible> {
        let shared = self.shared.clone();
        let over = async {
            tokio::select! {
                () = stop.cancelled() => {}
                () = shared.leaving.cancelled() => {}
            }
        };
        tokio::select! {
            () = over => {}
            () = async { loop {
                self.wait().await;
                self.look().await;
            } } => {}
        }
        Ok(())
    }

    /// Waits until it is time to look.
    async fn wait(&self) {
        let shared = &self.shared;
        if self.living.is_empty() && !self.again {
            shared.look.notified().await;
        } else {
            tokio::select! {
                () = sleep(shared.pace.look) => {}
                () = shared.look.notified() => {}
            }
        }
        // A server that was restarted took the others' connections too.
        let back = *shared.back_since();
        if let Some(back) = back {
            sleep_until(back + shared.pace.grace).await;
        }
    }

    /// Looks once.
    pub(super) async fn look(&mut self) {
        // The keeper has it looked again once there is an epoch.
        let Some(epoch) = self.shared.epoch() else { return };
        if let Err(error) = self.look_under(epoch).await {
            self.again = true;
            tracing::debug!(?error, "could not look at the other nodes");
        }
    }

    async fn look_under(&mut self, epoch: i64) -> Result<()> {
        let all = node::others(&self.shared.db).await?;
        let now = Instant::now();
        // What nobody looked at may have gone on meanwhile.
        if self.looked.is_some_and(|looked| now - looked > self.shared.pace.beat) {
            self.living.clear();
        }
        self.looked = Some(now);
        self.again = false;
        let (ours, others): (Vec<Other>, Vec<Other>) =
            all.into_iter().partition(|other| other.epoch == epoch);
        if !ours.iter().any(|ours| ours.beat.is_some()) && self.shared.epoch() == Some(epoch) {
            self.shared.declared_dead.notify_one();
        }
        let (mut living, dead): (Vec<Other>, Vec<Other>) = others.into_iter().partition(|other| other.locked);
        self.vanished.retain(|epoch, _| dead.iter().any(|dead| dead.epoch == *epoch));
        for dead in dead {
            self.bury(&dead, now).await?;
        }
        living.retain(|other| !self.shared.own().contains(&other.epoch));
        self.follow(&living, now).await?;
        self.shared.has_peers.store(!self.living.is_empty(), Ordering::Relaxed);
        self.beat(epoch, now).await
    }

    /// Takes over what a dead epoch has left.
    async fn bury(&mut self, dead: &Other, now: Instant) -> Result<()> {
        let shared = &self.shared;
        let epoch = dead.epoch;
        if shared.own().contains(&epoch) {
            node::disown(&shared.db, epoch).await?;
            shared.count(&[]);
            return Ok(());
        }
        // One that lived a moment ago may only have lost its connection.
        if self.living.remove(&epoch).is_some() {
            self.vanished.insert(epoch, now);
            self.again = true;
            return Ok(());
        }
        if self.vanished.get(&epoch).is_some_and(|since| now - *since < shared.pace.grace) {
            self.again = true;
            return Ok(());
        }
        if let Some(taken) = node::take_over(&shared.db, epoch, shared.heir()).await? {
            let (freed, abandoned) = (taken.freed, taken.abandoned.len());
            tracing::info!(epoch, node = dead.name, freed, abandoned, "took over from a node that is gone");
            shared.count(&taken.abandoned);
        }
        Ok(())
    }

    /// Follows the beats of the living, and ends who stands still.
    async fn follow(&mut self, living: &[Other], now: Instant) -> Result<()> {
        let nodes = || living.iter().filter_map(|other| Some((other, other.beat?)));
        self.living.retain(|epoch, _| nodes().any(|(other, _)| other.epoch == *epoch));
        for (other, beat) in nodes() {
            let pulse = self.living.entry(other.epoch).or_insert(Pulse { beat, since: now });
            if pulse.beat != beat {
                *pulse = Pulse { beat, since: now };
            }
            let silent = now - pulse.since;
            if silent >= self.shared.pace.silence {
                pulse.since = now;
                let ended = node::silence(&self.shared.db, other.epoch).await?;
                let (epoch, seconds) = (other.epoch, silent.as_secs());
                tracing::warn!(
                    epoch,
                    node = other.name,
                    seconds,
                    ended,
                    "a node stands still: its session is ended"
                );
            }
        }
        Ok(())
    }

    /// Says that we go on, while there is somebody to see it.
    async fn beat(&mut self, epoch: i64, now: Instant) -> Result<()> {
        let due = self.beat.is_none_or(|beat| now - beat >= self.shared.pace.beat);
        if !self.living.is_empty() && due {
            node::beat(&self.shared.db, epoch).await?;
            self.beat = Some(now);
        }
        Ok(())
    }
}
