//! The stage: the nodes and their PostgreSQL, and what is done to them.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use chrono::{DateTime, Utc};
use rand::{Rng as _, rngs::StdRng};
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    node::{Event, Node, State},
    server::Server,
    site::Site,
};

/// The name of the server that two nodes share.
pub const SERVER: &str = "pg";

/// How often the stage is looked after.
const LOOK: Duration = Duration::from_millis(25);

/// Between two measurements of memory and table.
const MEASURE: Duration = Duration::from_millis(500);

/// How long everything may take to stand again.
const PATIENCE: Duration = Duration::from_secs(60);

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `kill -9` of a node.
    Kill,
    /// `kill -9` of PostgreSQL.
    KillPostgres,
    /// SIGSTOP, and SIGCONT later.
    Freeze,
    /// `pg_terminate_backend` of one connection.
    Cut,
    /// `pg_terminate_backend` of all.
    CutAll,
    /// A restart in good order.
    Restart,
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What was done.
    pub kind: Kind,
    /// To which node, if to one.
    pub node: Option<usize>,
    /// When.
    pub begin: DateTime<Utc>,
    /// When it was over.
    pub end: Option<DateTime<Utc>>,
}

/// Nodes, their PostgreSQL, and what was done to them.
pub struct Stage<'s> {
    /// Where everything lies.
    pub site: &'s Site,
    /// The nodes.
    pub nodes: Vec<Node>,
    /// What they share; without one the node owns its own.
    pub server: Option<Server>,
    /// To look into the database.
    pub db: PgPool,
    /// What was done.
    pub faults: Vec<Fault>,
    /// Starts that failed, as they may while the database is away.
    pub failed_starts: u32,
    /// The most memory a node held in each third of the time, in KiB.
    pub memory: [u64; 3],
    /// The largest the outbox was in each third, with its indexes, in bytes.
    pub table: [u64; 3],
    measured: Instant,
}

impl<'s> Stage<'s> {
    /// One whose nodes are not started yet.
    pub fn new(site: &'s Site, nodes: Vec<Node>, server: Option<Server>, options: PgConnectOptions) -> Self {
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        Self {
            site,
            nodes,
            server,
            db: pool.acquire_timeout(Duration::from_secs(2)).connect_lazy_with(options),
            faults: Vec::new(),
            failed_starts: 0,
            memory: [0; 3],
            table: [0; 3],
            measured: Instant::now(),
        }
    }

    /// Hurts everything for so long, then lets it recover.
    pub async fn shake(&mut self, span: Duration, random: &mut StdRng) -> Result<()> {
        let begin = Instant::now();
        let pause = |random: &mut StdRng| Duration::from_millis(random.random_range(200..2_000));
        let mut next = begin + pause(random);
        while begin.elapsed() < span {
            self.tend().await?;
            let third = (begin.elapsed().as_millis() * 3 / span.as_millis().max(1)).min(2);
            self.measure(usize::try_from(third)?).await;
            if Instant::now() >= next {
                let done = self.hurt(random).await;
                next = Instant::now() + if done { pause(random) } else { LOOK };
            }
            tokio::time::sleep(LOOK).await;
        }
        self.stand().await
    }

    /// Waits until everything is up.
    pub async fn stand(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !self.nodes.iter().all(|node| node.state == State::Up)
            || self.faults.iter().any(|f| f.end.is_none())
        {
            self.tend().await?;
            ensure!(Instant::now() < until, "not everything stands again: {}", self.states());
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until no row is left, and fails naming what is if some are.
    pub async fn drain(&mut self, within: Duration) -> Result<Duration> {
        let begin = Instant::now();
        loop {
            self.tend().await?;
            let left: sqlx::Result<i64> =
                sqlx::query_scalar("select count(*) from outbox").fetch_one(&self.db).await;
            if left? == 0 {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > within {
                bail!("rows are stuck: {}", self.stuck().await?.join("; "));
            }
            tokio::time::sleep(LOOK * 4).await;
        }
    }

    async fn stuck(&self) -> Result<Vec<String>> {
        let rows = sqlx::query_scalar(
            "select format('%s of %s: reply_to %s, attempt %s, failed %s, lost %s, held by %s, due %s, written %s',
                           execution_id, source_kind, reply_to, attempt, attempt_count, lost_count, claimed_epoch,
                           next_attempt_at, created_at)
             from outbox limit 10",
        );
        let nodes = sqlx::query_scalar("select format('node %s with beat %s', epoch, beat) from nodes");
        let mut found: Vec<String> = rows.fetch_all(&self.db).await?;
        found.extend(nodes.fetch_all(&self.db).await?);
        Ok(found)
    }

    /// Stops the nodes in good order; what the database still knows of them.
    pub async fn close(&mut self) -> Result<Vec<String>> {
        for node in &mut self.nodes {
            node.leave();
            while !matches!(node.tend(self.site)?, Some(Event::Left)) {
                tokio::time::sleep(LOOK).await;
            }
        }
        // A database of its own has gone with the node.
        if self.server.is_some() { self.stuck().await } else { Ok(Vec::new()) }
    }

    /// Sees what has become of everything, and does what is due.
    pub async fn tend(&mut self) -> Result<()> {
        if let Some(server) = &mut self.server {
            if server.due.is_some_and(|due| Instant::now() >= due) {
                server.spawn(self.site, SERVER)?;
            }
            server.look()?;
        }
        for index in 0..self.nodes.len() {
            let before = self.nodes[index].state;
            let event = self.nodes[index].tend(self.site)?;
            if matches!(event, Some(Event::FailedStart)) {
                self.failed_starts += 1;
            }
            let thawed = matches!(before, State::Frozen(_)) && self.nodes[index].state == State::Up;
            if thawed || matches!(event, Some(Event::Left)) {
                self.over(|fault| fault.node == Some(index));
            }
        }
        if self.faults.iter().any(|fault| fault.kind == Kind::KillPostgres && fault.end.is_none()) {
            let asked = sqlx::query("select").execute(&self.db);
            // It is asked again soon.
            if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_millis(200), asked).await {
                self.over(|fault| fault.kind == Kind::KillPostgres);
            }
        }
        Ok(())
    }

    fn over(&mut self, which: impl Fn(&Fault) -> bool) {
        let open = self.faults.iter_mut().filter(|fault| fault.end.is_none() && which(fault));
        open.for_each(|fault| fault.end = Some(Utc::now()));
    }

    /// One fault by chance, if there is somebody to suffer it.
    async fn hurt(&mut self, random: &mut StdRng) -> bool {
        let kind = match random.random_range(0..100) {
            0..32 => Kind::Kill,
            32..42 => Kind::KillPostgres,
            42..62 => Kind::Freeze,
            62..80 => Kind::Cut,
            80..88 => Kind::CutAll,
            _ => Kind::Restart,
        };
        let begin = Utc::now();
        let index = random.random_range(0..self.nodes.len());
        let back_in = Duration::from_millis(if random.random() { 0 } else { random.random_range(0..2_000) });
        let done = match kind {
            Kind::KillPostgres => self.kill_postgres(index, back_in),
            Kind::Cut => self.cut(1).await,
            Kind::CutAll => self.cut(1_000).await,
            Kind::Kill | Kind::Freeze | Kind::Restart => self.hurt_node(kind, index, back_in),
        };
        if done {
            let of_node = matches!(kind, Kind::Kill | Kind::Freeze | Kind::Restart);
            let end = matches!(kind, Kind::Kill | Kind::Cut | Kind::CutAll).then(Utc::now);
            self.faults.push(Fault { kind, node: of_node.then_some(index), begin, end });
        }
        done
    }

    fn hurt_node(&mut self, kind: Kind, index: usize, back_in: Duration) -> bool {
        let alone = self.nodes.iter().enumerate().all(|(i, node)| i == index || node.state != State::Up);
        // One of two goes on.
        if alone && self.nodes.len() > 1 {
            return false;
        }
        let node = &mut self.nodes[index];
        match (kind, node.state) {
            (Kind::Kill, State::Up | State::Starting(_)) => node.kill(back_in),
            (Kind::Freeze, State::Up) => node.freeze(Duration::from_millis(100) + back_in * 3 / 2),
            (Kind::Restart, State::Up) => node.leave(),
            _ => return false,
        }
        true
    }

    fn kill_postgres(&mut self, index: usize, back_in: Duration) -> bool {
        if let Some(server) = &mut self.server {
            let up = server.due.is_none();
            if up {
                server.kill(back_in / 2);
            }
            return up;
        }
        let postmaster = self.nodes[index].postmaster(self.site);
        postmaster.is_some_and(|pid| nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).is_ok())
    }

    /// Ends connections of the nodes; there may be no database to ask.
    async fn cut(&self, most: i64) -> bool {
        let cut = sqlx::query_scalar(
            "select pg_terminate_backend(pid)
             from (select pid from pg_stat_activity
                   where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit $1) as c",
        );
        let cut = tokio::time::timeout(MEASURE, cut.bind(most).fetch_all(&self.db)).await;
        let cut: Vec<bool> = cut.ok().and_then(Result::ok).unwrap_or_default();
        !cut.is_empty()
    }

    async fn measure(&mut self, third: usize) {
        if self.measured.elapsed() < MEASURE {
            return;
        }
        self.measured = Instant::now();
        let held = self.nodes.iter_mut().filter_map(Node::measure).max().unwrap_or_default();
        self.memory[third] = self.memory[third].max(held);
        let size = sqlx::query_scalar("select pg_total_relation_size('outbox')").fetch_one(&self.db);
        if let Ok(Ok(size)) = tokio::time::timeout(MEASURE, size).await {
            let size: i64 = size;
            self.table[third] = self.table[third].max(u64::try_from(size).unwrap_or_default());
        }
    }

    fn states(&self) -> String {
        let states = self.nodes.iter().map(|node| format!("{} is {:?}", node.name, node.state));
        states.collect::<Vec<_>>().join(", ")
    }
}
