//! The loop: when it wakes, and what it does then.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{Durable, batch::BatchSize, hand::Intake};
use crate::{
    base::{
        Error, Result,
        id::{AppId, OutboxId},
    },
    store::outbox,
    system::clock::Steps,
};

/// The net under everything that wakes the loop.
const TICK: Duration = Duration::from_secs(10);

/// How long rows may be in hand without having been started.
const STALE: Duration = Duration::from_secs(1);

/// The pause after the database did not answer.
const AWAY: Duration = Duration::from_millis(200);
/// The pause after it refused a statement: a fault that passes by itself, or none.
const REFUSED: Duration = Duration::from_secs(5);

/// The least wait for rows that are due and could not be claimed.
const ELSEWHERE: Duration = Duration::from_millis(50);

/// What the loop remembers from one round to the next.
struct Memory {
    kinds: Vec<&'static str>,
    batch: BatchSize,
    /// Rows that were not started yet when last looked, and those handed over since.
    handed: u32,
    /// When rows were last handed over.
    handed_at: Instant,
    /// The app that was served last.
    after: Option<AppId>,
    /// Look for rows that must run alone.
    look: bool,
    suspects: Suspects,
    /// Waits are to be bounded: the clock was set, or may have been.
    bound: bool,
    /// The database failed: it is asked again at this time.
    again_at: Option<Instant>,
    tick: Instant,
    steps: Steps,
}

/// Rows that must run alone.
struct Suspects {
    /// There is one: it waits for the hand to be empty.
    waits: bool,
    /// The other rows come first once more.
    others_first: bool,
    /// It was in another node's hands: it is not claimed again before.
    at: Instant,
}

impl Suspects {
    fn turn(&self) -> bool {
        self.waits && !self.others_first && Instant::now() >= self.at
    }
}

impl Memory {
    fn new(durable: &Durable) -> Self {
        let (parts, now) = (&durable.0.parts, Instant::now());
        let least = u32::try_from(parts.engine.background_slots()).unwrap_or(1).min(32);
        Self {
            kinds: parts.kinds.iter().map(|kind| kind.name()).collect(),
            batch: BatchSize::new(least, parts.largest_claim.min(outbox::LARGEST_CLAIM), now),
            handed: 0,
            handed_at: now,
            after: None,
            look: true,
            suspects: Suspects { waits: false, others_first: false, at: now },
            bound: true,
            again_at: None,
            tick: now + TICK,
            steps: Steps::default(),
        }
    }
}

/// Of the apps in a claim that began after `after` and went around, the last.
fn last_served(after: Option<AppId>, rows: &[outbox::Claimed]) -> Option<AppId> {
    let apps = || rows.iter().map(|row| row.app_id);
    apps().filter(|app| Some(*app) <= after).max().or_else(|| apps().max())
}

/// How long to leave the database alone.
fn pause(error: &Error) -> Duration {
    if error.is_passing() {
        return AWAY;
    }
    tracing::error!(?error, "the database refused what the dispatcher asked");
    REFUSED
}

impl Durable {
    pub(super) async fn serve(&self, stop: CancellationToken) {
        let parts = &self.0.parts;
        let mut memory = Memory::new(self);
        let (mut epoch, mut settings) = (parts.node.watch(), parts.settings.watch());
        let (freed, low) = (parts.node.freed(), parts.engine.background_low());
        loop {
            let until = self.wakes_at(&memory);
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.0.wake.notified() => {}
                () = low.notified() => {}
                () = freed.notified() => {
                    memory.look = true;
                    self.0.hand.lock().backlog = true;
                }
                _ = epoch.changed() => memory.again_at = None,
                _ = settings.changed() => self.0.hand.lock().backlog = true,
                () = tokio::time::sleep_until(until.into()) => {}
            }
            if memory.again_at.is_some_and(|at| Instant::now() < at) {
                continue;
            }
            let _one = self.0.round.lock().await;
            let done = self.round(&mut memory).await;
            memory.again_at = done.err().map(|error| Instant::now() + pause(&error));
            if memory.again_at.is_none() && self.goes_on(&memory) {
                self.0.wake.notify_one();
            }
        }
    }

    /// When the loop wakes by itself.
    fn wakes_at(&self, memory: &Memory) -> Instant {
        let hand = self.0.hand.lock();
        if let Some(at) = memory.again_at {
            return at;
        }
        if self.0.parts.node.epoch().is_none() {
            return memory.tick;
        }
        let stale = (memory.handed > 0).then(|| memory.handed_at + STALE);
        let first = [hand.due(), hand.next, stale].into_iter().flatten().min();
        first.unwrap_or(memory.tick).min(memory.tick)
    }

    /// Whether there is more to do at once.
    fn goes_on(&self, memory: &Memory) -> bool {
        // Without an epoch nothing can be done, however much there is.
        let can = self.0.parts.node.epoch().is_some();
        can && (memory.bound || self.wanted(memory) > 0 || self.is_a_suspects_turn(memory))
    }

    fn is_a_suspects_turn(&self, memory: &Memory) -> bool {
        let hand = self.0.hand.lock();
        let may = hand.intake == Intake::Open && hand.len() == 0 && !self.0.parts.settings.dispatch_paused();
        may && memory.suspects.turn()
    }

    /// Does what there is to do now.
    async fn round(&self, memory: &mut Memory) -> Result<()> {
        // It is told of when there is one again; until then nothing can be written.
        let Some(epoch) = self.0.parts.node.epoch() else {
            memory.tick = Instant::now() + TICK;
            return Ok(());
        };
        if self.0.hand.lock().epoch != Some(epoch) {
            self.begin(epoch, memory);
        }
        if Instant::now() >= memory.tick {
            self.tick(memory);
        }
        self.0.hand.lock().wait_is_over();
        self.learn(memory);
        self.give_back_stale(memory);
        self.reconcile(epoch).await?;
        if memory.bound {
            // A statement at a time: what is due does not wait for all, nor for one that is refused.
            memory.bound = match outbox::bound_waits(&self.0.parts.queue).await {
                Ok(rows) => rows >= outbox::BOUNDED,
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    tracing::error!(?error, "waits could not be bounded");
                    false
                }
            };
            memory.look = true;
        }
        if memory.look {
            self.look(memory).await?;
        }
        self.0.hand.lock().drains = memory.suspects.turn();
        let most = self.wanted(memory);
        let suspect = self.is_a_suspects_turn(memory);
        let done = self.write(epoch, most > 0 || suspect).await?;
        if suspect {
            self.claim_suspect(epoch, &done, memory).await
        } else {
            self.claim((epoch, done), most, memory).await
        }
    }

    /// Begins an epoch: nothing is in hand under it.
    fn begin(&self, epoch: i64, memory: &mut Memory) {
        // Their rows were freed with the epoch before.
        self.forget(self.0.parts.engine.take_back(0));
        self.0.hand.lock().begin(epoch);
        (memory.look, memory.bound, memory.handed) = (true, true, 0);
    }

    /// The net: looks for everything that nobody may have told of.
    fn tick(&self, memory: &mut Memory) {
        let parts = &self.0.parts;
        parts.node.look();
        if memory.steps.stepped() {
            tracing::info!("the clock was set: nothing waits longer than its wait is");
            memory.bound = true;
        }
        memory.tick = Instant::now() + TICK;
        memory.look = true;
        self.0.hand.lock().look_everywhere();
    }

    /// Learns how fast rows are started.
    fn learn(&self, memory: &mut Memory) {
        let left = self.0.parts.engine.gauges().background_waiting;
        memory.batch.learn(memory.handed.saturating_sub(left), left, Instant::now());
        memory.handed = left;
    }

    /// Gives rows back that could not be started for a while, so that no other waits behind them.
    fn give_back_stale(&self, memory: &mut Memory) {
        let parts = &self.0.parts;
        let paused = parts.settings.dispatch_paused();
        if memory.handed > 0 && (paused || memory.handed_at.elapsed() >= STALE) {
            let keep = if paused { 0 } else { memory.batch.size() };
            self.give_back(parts.engine.take_back(keep as usize));
            memory.handed = memory.handed.min(keep);
            memory.handed_at = Instant::now();
        }
    }

    /// Frees what the database says we hold and we do not: the answer of a claim or of a put was lost.
    async fn reconcile(&self, epoch: i64) -> Result<()> {
        let Some(ids) = self.0.hand.lock().doubtful() else { return Ok(()) };
        let rows = outbox::free_all_but(&self.0.parts.queue, epoch, &ids).await?;
        if rows > 0 {
            tracing::info!(rows, "rows were claimed and never came here: they wait again");
        }
        self.0.hand.lock().reconciled(rows > 0);
        Ok(())
    }

    /// Looks when the next row is due, and whether one must run alone.
    async fn look(&self, memory: &mut Memory) -> Result<()> {
        let next = outbox::next(&self.0.parts.queue, &memory.kinds).await?;
        memory.look = false;
        memory.suspects.waits = next.suspect;
        let due = next.due_in.and_then(|wait| Instant::now().checked_add(wait));
        let due = due.map(|due| if next.suspect { due.max(memory.suspects.at) } else { due });
        self.0.hand.lock().next = due;
        Ok(())
    }

    /// How many rows to claim now.
    fn wanted(&self, memory: &Memory) -> u32 {
        let parts = &self.0.parts;
        let hand = self.0.hand.lock();
        let waits = memory.suspects.turn();
        if !hand.backlog
            || hand.intake != Intake::Open
            || hand.is_heavy()
            || waits
            || parts.settings.dispatch_paused()
        {
            return 0;
        }
        let size = memory.batch.size();
        // A whole batch or nothing: a claim costs much the same whatever it takes.
        if memory.handed > size / 2 { 0 } else { size }
    }

    /// Acknowledges what has run and claims the next batch in one statement.
    async fn claim(&self, (epoch, done): (i64, Vec<OutboxId>), most: u32, memory: &mut Memory) -> Result<()> {
        let queue = &self.0.parts.queue;
        if most == 0 {
            let written =
                if done.is_empty() { Ok(()) } else { outbox::acknowledge(queue, epoch, &done).await };
            return written.inspect_err(|_| self.not_done(done));
        }
        // Before the claim looks: what is put while it does is a backlog again.
        self.0.hand.lock().backlog = false;
        let claimed = outbox::claim(queue, (epoch, &done), &memory.kinds, memory.after, most).await;
        let rows = claimed.inspect_err(|_| self.unknown(done))?;
        memory.suspects.others_first = false;
        if rows.is_empty() {
            self.look(memory).await?;
            // What is due and was not claimed is in another node's hands right now.
            self.0.hand.lock().no_sooner_than(Instant::now() + ELSEWHERE);
            return Ok(());
        }
        memory.after = last_served(memory.after, &rows);
        self.0.hand.lock().backlog = true;
        self.taken(rows, memory).await;
        Ok(())
    }

    /// Claims a row that was lost twice, with nothing else in hand.
    async fn claim_suspect(&self, epoch: i64, done: &[OutboxId], memory: &mut Memory) -> Result<()> {
        let queue = &self.0.parts.queue;
        if !done.is_empty() {
            let written = outbox::acknowledge(queue, epoch, done).await;
            written.inspect_err(|_| self.not_done(done.to_vec()))?;
        }
        // Set first: nothing may be put into the hand beside it.
        if !self.0.hand.lock().begin_alone() {
            return Ok(());
        }
        let claimed = outbox::claim_suspect(queue, epoch, &memory.kinds).await;
        let row = claimed.inspect_err(|_| self.unknown(Vec::new()))?;
        (memory.suspects.waits, memory.suspects.others_first) = (false, true);
        match row {
            Some(row) => {
                memory.look = true;
                self.taken(vec![row], memory).await;
                // Whether others wait is found out when it has ended.
                self.0.hand.lock().backlog = true;
            }
            None => memory.suspects.at = Instant::now() + ELSEWHERE,
        }
        if self.0.hand.lock().len() == 0 {
            // Another node has it, or it could not be run: nobody ends it here.
            let mut hand = self.0.hand.lock();
            hand.end_alone();
            hand.backlog = true;
        }
        Ok(())
    }

    async fn taken(&self, rows: Vec<outbox::Claimed>, memory: &mut Memory) {
        let count = u32::try_from(self.take(rows).await).unwrap_or(u32::MAX);
        if memory.handed == 0 {
            memory.handed_at = Instant::now();
        }
        memory.handed = memory.handed.saturating_add(count);
        self.0.parts.engine.tell_at(memory.batch.size() as usize / 2);
    }

    /// What has run is not acknowledged yet.
    fn not_done(&self, mut done: Vec<OutboxId>) {
        let mut hand = self.0.hand.lock();
        hand.settled.done.append(&mut done);
        hand.settled.touch();
    }

    /// Nobody knows what the last claim did.
    fn unknown(&self, done: Vec<OutboxId>) {
        self.not_done(done);
        let mut hand = self.0.hand.lock();
        hand.end_alone();
        hand.look_everywhere();
    }
}
