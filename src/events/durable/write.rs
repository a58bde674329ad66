//! Writing what became of rows.

use std::time::Instant;

use super::{
    Durable,
    hand::{Intake, Settled},
};
use crate::{
    base::{Result, id::OutboxId},
    store::outbox,
};

impl Durable {
    /// Writes what became of rows if it is time, or if a claim follows. What has
    /// run is handed back, to be acknowledged with the claim.
    pub(super) async fn write(&self, epoch: i64, claims: bool) -> Result<Vec<OutboxId>> {
        let mut settled = {
            let mut hand = self.0.hand.lock();
            let due = hand.due().is_some_and(|due| Instant::now() >= due);
            if !(due || claims) {
                return Ok(Vec::new());
            }
            hand.take_settled()
        };
        let written = self.write_all(epoch, &mut settled).await;
        if let Err(error) = written {
            self.0.hand.lock().settled.append(settled);
            return Err(error);
        }
        Ok(settled.done)
    }

    /// Writes each sort but what has run, and takes out what is written.
    async fn write_all(&self, epoch: i64, settled: &mut Settled) -> Result<()> {
        let queue = &self.0.parts.queue;
        if !settled.again.is_empty() {
            outbox::retry(queue, epoch, &settled.again).await?;
            let soonest = settled.again.drain(..).map(|failed| failed.wait).min();
            self.0.hand.lock().retry_in(soonest.unwrap_or_default());
        }
        if !settled.unrun.is_empty() {
            outbox::give_back(queue, epoch, &settled.unrun).await?;
            settled.unrun.clear();
            self.0.hand.lock().backlog = true;
        }
        if !settled.freed.is_empty() {
            outbox::free(queue, epoch, &settled.freed).await?;
            settled.freed.clear();
        }
        self.bury(epoch, settled).await
    }

    /// Moves rows to the dead letters. One that cannot be is kept and tried
    /// again at the next tick, and keeps no other from it.
    async fn bury(&self, epoch: i64, settled: &mut Settled) -> Result<()> {
        let queue = &self.0.parts.queue;
        if settled.buried.is_empty() {
            return Ok(());
        }
        let Err(error) = outbox::bury(queue, epoch, &settled.buried).await else {
            settled.buried.clear();
            return Ok(());
        };
        if error.is_unavailable() {
            return Err(error);
        }
        while let Some(failed) = settled.buried.pop() {
            match outbox::bury(queue, epoch, std::slice::from_ref(&failed)).await {
                Ok(_) => {}
                Err(error) if error.is_unavailable() => {
                    settled.buried.push(failed);
                    return Err(error);
                }
                Err(error) => {
                    tracing::error!(?error, outbox.id = %failed.id, "a dead letter could not be written");
                    self.0.hand.lock().stuck.push(failed);
                }
            }
        }
        Ok(())
    }

    /// Takes nothing new from now on, and gives back what has not started.
    pub fn close(&self) {
        self.0.hand.lock().intake = Intake::Closed;
        self.give_back(self.0.parts.engine.take_back(0));
        self.0.wake.notify_one();
    }

    /// Writes what has become of all that ran; to be called when nothing runs any more.
    pub async fn flush(&self) -> Result<()> {
        let _one = self.0.round.lock().await;
        let Some(epoch) = self.0.parts.node.epoch() else { return Ok(()) };
        let done = {
            let mut hand = self.0.hand.lock();
            hand.look_everywhere();
            std::mem::take(&mut hand.settled.done)
        };
        // First what has run: whatever else fails, it does not run again.
        outbox::acknowledge(&self.0.parts.queue, epoch, &done).await?;
        self.write(epoch, true).await.map(drop)
    }
}
