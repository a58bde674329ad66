//! Accepting work that is answered before it is done: no 202 without its row.
//!
//! One task writes the rows, all that came while others were written, in one
//! statement: under load a commit, which on a card takes milliseconds, carries
//! many. A row for which this node has room is put already claimed, and runs as
//! soon as it is committed.

mod quota;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use self::quota::Quotas;
use super::{Durable, Node, Work, durable::Fresh};
use crate::{
    base::{Error, Result},
    db,
    store::outbox::{self, NewRow},
    system::tasks::{OnFailure, Tasks},
};

/// The channel on which nodes tell one another that rows wait.
pub const WAITING: &str = "picloud_outbox";

/// Rows written in one statement at most.
const BATCH: usize = 256;

/// Statements under way at once: while one waits for its commit, another is made.
const AT_ONCE: usize = 2;

/// What rows that wait to be written may weigh together.
const ROOM_KIB: u32 = 16 << 10;

/// How long a caller waits for that room.
const PATIENCE: Duration = Duration::from_secs(1);

/// Accepts work; cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    offers: mpsc::Sender<Offer>,
    room: Arc<Semaphore>,
}

/// What it works with.
pub struct Parts {
    /// Where rows are written.
    pub db: PgPool,
    /// Who runs them.
    pub durable: Durable,
    /// Under whose epoch, and whether there are others to tell.
    pub node: Node,
    /// How many rows of an app may wait.
    pub quota: u32,
}

/// A row that somebody waits to see written.
struct Offer {
    fresh: Fresh,
    answer: oneshot::Sender<Result<()>>,
    /// Given back once the row is written.
    _room: OwnedSemaphorePermit,
}

impl Acceptor {
    /// Starts the writer. It ends when the tasks are told to stop: by then nobody offers anything.
    pub fn start(parts: Parts, tasks: &Tasks) -> Self {
        let (offers, received) = mpsc::channel(4 * BATCH);
        let quotas = Quotas::new(parts.quota);
        let writer = Writer { parts: Arc::new(parts), quotas, turns: Arc::new(Semaphore::new(AT_ONCE)) };
        let stop = tasks.token();
        tasks.spawn("acceptor", OnFailure::Shutdown, async move {
            stop.run_until_cancelled(writer.run(received)).await;
            Ok::<_, std::convert::Infallible>(())
        });
        Self { offers, room: Arc::new(Semaphore::new(ROOM_KIB as usize)) }
    }

    /// Returns once the row is durable. `work` is what it stands for, so that
    /// this node can run it without reading it back.
    ///
    /// [`Error::Quota`] if too many rows of the app wait, [`Error::Busy`] if
    /// rows come faster than they can be written, [`Error::Unavailable`] if the
    /// database is away, [`Error::NotFound`] if the app is gone.
    pub async fn accept(&self, row: NewRow, work: Work) -> Result<()> {
        let kib = u32::try_from(row.weight() / 1024).unwrap_or(u32::MAX).clamp(1, ROOM_KIB);
        let room = Arc::clone(&self.room).acquire_many_owned(kib);
        let Ok(Ok(room)) = tokio::time::timeout(PATIENCE, room).await else {
            return Err(Error::Busy {
                why: "more is accepted right now than can be written down".to_owned(),
                retry_after: PATIENCE,
            });
        };
        let (answer, answered) = oneshot::channel();
        let offer = Offer { fresh: Fresh { row, work }, answer, _room: room };
        self.offers.send(offer).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())?
    }
}

fn stopping() -> Error {
    Error::Busy { why: "PiCloud is stopping".to_owned(), retry_after: Duration::from_secs(1) }
}

struct Writer {
    parts: Arc<Parts>,
    quotas: Quotas,
    turns: Arc<Semaphore>,
}

impl Writer {
    async fn run(mut self, mut offers: mpsc::Receiver<Offer>) {
        let mut batch = Vec::with_capacity(BATCH);
        // Nobody closes the semaphore. The turn comes first: meanwhile rows gather.
        while let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await {
            if offers.recv_many(&mut batch, BATCH).await == 0 {
                return;
            }
            let admitted = self.admitted(std::mem::take(&mut batch)).await;
            let parts = Arc::clone(&self.parts);
            tokio::spawn(async move {
                parts.write(admitted).await;
                drop(turn);
            });
        }
    }

    /// Those whose app may have more rows; the others are answered.
    async fn admitted(&mut self, offers: Vec<Offer>) -> Vec<Offer> {
        let mut admitted = Vec::with_capacity(offers.len());
        let mut away: Option<String> = None;
        for offer in offers {
            if let Some(why) = &away {
                // Asking again for each would have all wait for one another.
                answer(offer, Err(unavailable(why)));
                continue;
            }
            match self.quotas.take(&self.parts.db, offer.fresh.row.app_id).await {
                Ok(()) => admitted.push(offer),
                Err(error) => {
                    away = error.is_unavailable().then(|| error.to_string());
                    answer(offer, Err(error));
                }
            }
        }
        admitted
    }
}

impl Parts {
    async fn write(&self, offers: Vec<Offer>) {
        if offers.is_empty() {
            return;
        }
        match self.put(offers).await {
            Ok(()) => {}
            Err((error, offers)) if error.is_unavailable() => {
                let why = error.to_string();
                for offer in offers {
                    answer(offer, Err(unavailable(&why)));
                }
            }
            Err((error, offers)) => {
                tracing::error!(?error, rows = offers.len(), "the database refused rows: trying each alone");
                for offer in offers {
                    if let Err((error, offers)) = self.put(vec![offer]).await {
                        for offer in offers {
                            answer(offer, Err(again(&error)));
                        }
                    }
                }
            }
        }
    }

    /// Puts the rows, answers who offered them, and has those run that are in hand.
    async fn put(&self, offers: Vec<Offer>) -> Result<(), (Error, Vec<Offer>)> {
        let Self { db, durable, node, .. } = self;
        let reserved: Vec<Option<i64>> = offers.iter().map(|offer| durable.reserve(&offer.fresh)).collect();
        // All of one epoch: what was reserved under another is not run from here.
        let epoch = reserved.iter().copied().flatten().next_back();
        let held: Vec<bool> = reserved.iter().map(|of| of.is_some() && *of == epoch).collect();
        let rows: Vec<&NewRow> = offers.iter().map(|offer| &offer.fresh.row).collect();
        let put = outbox::put(db, &rows, &held, epoch.unwrap_or_default()).await;
        let put = match put {
            Ok(put) => put,
            Err(error) => {
                let reserved = offers.iter().zip(reserved).filter(|(_, of)| of.is_some());
                durable.unreserve(reserved.map(|(offer, _)| &offer.fresh));
                return Err((error, offers));
            }
        };
        let mut run = Vec::new();
        let mut waits = false;
        for ((offer, held), reserved) in offers.into_iter().zip(held).zip(reserved) {
            let is_put = put.contains(&offer.fresh.row.id);
            if reserved.is_some() && !(held && is_put) {
                durable.unreserve(std::iter::once(&offer.fresh));
            }
            let Offer { fresh, answer, .. } = offer;
            let gone = || Error::NotFound("app".to_owned());
            // Nobody listens any more if the caller has gone; the row is there all the same.
            let _ = answer.send(if is_put { Ok(()) } else { Err(gone()) });
            match (is_put, held) {
                (true, true) => run.push(fresh),
                (true, false) => waits = true,
                (false, _) => {}
            }
        }
        durable.run(run);
        if waits {
            durable.wake();
            if node.has_peers() {
                // Only a nudge: the net finds what nobody was told of.
                let _ = db::notify(db, WAITING).await;
            }
        }
        Ok(())
    }
}

fn answer(offer: Offer, with: Result<()>) {
    // The caller may have gone.
    let _ = offer.answer.send(with);
}

/// The database is away, said to one caller more.
fn unavailable(why: &str) -> Error {
    Error::Unavailable(sqlx::Error::Protocol(why.to_owned()))
}

/// The same for another caller; the details were logged.
fn again(error: &Error) -> Error {
    Error::internal(format!("a row could not be written: {error}"))
}
