//! One node: a process that is started, hurt and started again.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::site::{PICLOUD, Site};

/// The longest a node may need until it answers, and to stop in good order.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause after a start that failed, as a service manager makes it.
const AGAIN: Duration = Duration::from_millis(500);

/// What a node is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not running until then.
    Down(Instant),
    /// Started, and not answering yet.
    Starting(Instant),
    /// Answering.
    Up,
    /// Stopped by a signal until then.
    Frozen(Instant),
    /// Asked to stop in good order.
    Leaving(Instant),
}

/// What has happened to a node.
pub enum Event {
    /// It answers.
    Up,
    /// A start failed.
    FailedStart,
    /// It stopped as it was asked.
    Left,
}

/// A node.
pub struct Node {
    /// Its name, and that of its files.
    pub name: String,
    /// Where it answers.
    pub address: SocketAddr,
    /// What it is at.
    pub state: State,
    /// The most memory it has had, in KiB.
    pub peak: u64,
    database: Option<String>,
    child: Option<Child>,
    log: PathBuf,
    output: PathBuf,
    /// Since when it has been trying to start.
    trying: Instant,
}

/// An address nobody listens on.
pub fn free_port() -> Result<SocketAddr> {
    // None of those the kernel hands out: while the node is away a caller could be given its port.
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let first = rand::random_range(16_000..30_000);
    let port = (first..32_000).find(free).context("no port is free")?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

impl Node {
    /// A node on somebody's database, or with one of its own; not started yet.
    pub fn new(site: &Site, name: &str, database: Option<String>) -> Result<Self> {
        let address = free_port()?;
        Ok(Self {
            name: name.to_owned(),
            address,
            state: State::Down(Instant::now()),
            peak: 0,
            database,
            child: None,
            log: site.file(name, "log"),
            output: site.file(name, "out"),
            trying: Instant::now(),
        })
    }

    /// What it logged, all its lives together.
    pub fn log(&self) -> PathBuf {
        self.log.clone()
    }

    /// Its process.
    pub fn pid(&self) -> Option<Pid> {
        self.child.as_ref().and_then(|child| i32::try_from(child.id()).ok()).map(Pid::from_raw)
    }

    /// Starts it.
    pub fn start(&mut self, site: &Site) -> Result<()> {
        let mut command = site.program(PICLOUD, &self.name)?;
        command.args(["serve", "--log", "info,picloud::events::settle=debug", "--log-format", "json"]);
        command.arg("--config").arg(site.path().join("empty.toml"));
        command.arg("--data-dir").arg(site.data(&self.name));
        command.args(["--listen", &self.address.to_string(), "--min-free-bytes", "1MiB"]);
        if let Some(url) = &self.database {
            command.args(["--database-url", url]);
        }
        let child = command.spawn()?;
        site.note(&self.name, &child)?;
        self.child = Some(child);
        self.state = State::Starting(Instant::now());
        Ok(())
    }

    /// Sees what has become of it, and starts or thaws it when it is time.
    pub fn tend(&mut self, site: &Site) -> Result<Option<Event>> {
        self.measure();
        let now = Instant::now();
        match self.state {
            State::Down(until) if now >= until => self.start(site)?,
            State::Frozen(until) if now >= until => {
                self.signal(Signal::SIGCONT);
                self.state = State::Up;
            }
            _ => {}
        }
        let ended = self.child.as_mut().map(Child::try_wait).transpose()?.flatten();
        if let Some(status) = ended {
            self.child = None;
            let before = std::mem::replace(&mut self.state, State::Down(now + AGAIN));
            return match before {
                State::Starting(_) => {
                    ensure!(self.trying.elapsed() < PATIENCE, "{} does not start: {status}", self.name);
                    Ok(Some(Event::FailedStart))
                }
                State::Leaving(_) if status.success() => {
                    (self.state, self.trying) = (State::Down(now), now);
                    Ok(Some(Event::Left))
                }
                other => bail!("{} ended by itself ({status}) while it was {other:?}", self.name),
            };
        }
        match self.state {
            State::Starting(since) => {
                ensure!(since.elapsed() < PATIENCE, "{} does not start", self.name);
                // It prints where it answers once it does.
                if self.output.metadata().is_ok_and(|output| output.len() > 0) {
                    self.state = State::Up;
                    return Ok(Some(Event::Up));
                }
            }
            State::Leaving(since) => ensure!(since.elapsed() < PATIENCE, "{} does not stop", self.name),
            _ => {}
        }
        Ok(None)
    }

    /// `kill -9`.
    pub fn kill(&mut self, back_in: Duration) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        self.trying = Instant::now() + back_in;
        self.state = State::Down(self.trying);
    }

    /// Stops its clock, so to speak.
    pub fn freeze(&mut self, span: Duration) {
        self.signal(Signal::SIGSTOP);
        self.state = State::Frozen(Instant::now() + span);
    }

    /// Asks it to stop; it is started again once it has.
    pub fn leave(&mut self) {
        self.signal(Signal::SIGTERM);
        self.state = State::Leaving(Instant::now());
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            // It may have ended by itself, which is seen elsewhere.
            let _ = kill(pid, signal);
        }
    }

    /// The memory it holds now, in KiB.
    pub fn measure(&mut self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let of = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse::<u64>().ok()
        };
        self.peak = self.peak.max(of("VmHWM:")?);
        of("VmRSS:")
    }

    /// The first process of its own PostgreSQL, if it has one and that runs.
    pub fn postmaster(&self, site: &Site) -> Option<Pid> {
        let file = site.data(&self.name).join("postgres/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        let pid: i32 = text.lines().next()?.parse().ok()?;
        // Only what it started itself: ids come again.
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        (self.pid()? == Pid::from_raw(parent)).then(|| Pid::from_raw(pid))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill(Duration::ZERO);
    }
}
