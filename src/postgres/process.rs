//! The server as our child: started, listened to, restarted, stopped.
//!
//! One thread owns the child for as long as the process lives. It must be one
//! thread: the kernel's "die with your parent" means the thread that started
//! the child, and one from a pool would take PostgreSQL along when it retires.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

use super::{Settings, layout::Layout, log};

/// A server that ran this long was well: the next delay starts small again.
const WELL: Duration = Duration::from_secs(60);

/// The program whose `postgres run` becomes the server.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// This very program: found when the folder it lies in is closed to us, and
    /// still the same after an upgrade has replaced the file.
    pub fn this() -> Self {
        Self("/proc/self/exe".into())
    }

    /// The program at `path`.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }
}

/// What the server does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is coming up, and says what it is at: recovery may take minutes.
    Starting(String),
    /// It takes connections.
    Ready,
    /// It cannot be started, and why.
    Failed(String),
    /// It was stopped.
    Stopped,
}

/// The server, running as our child until it is stopped or dropped.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    status: watch::Receiver<Status>,
    shared: Arc<Shared>,
}

/// What the owner and the child's thread share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when `stopping` is set, to end the wait before a restart.
    stop: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stopping: bool,
    /// The child, as long as its id is certain to be its own.
    child: Option<Pid>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is one assignment, so that a panic leaves nothing half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Starts the server and waits until it takes connections.
    ///
    /// There is no time limit: recovery after a power cut takes what it takes.
    pub async fn start(program: Program, settings: Settings) -> anyhow::Result<Self> {
        let mut server = Self::spawn(program, settings)?;
        server.ready().await?;
        Ok(server)
    }

    /// Starts the server; [`Server::status`] tells how far it is.
    pub fn spawn(program: Program, settings: Settings) -> anyhow::Result<Self> {
        let (sender, status) = watch::channel(Status::Starting("starting PostgreSQL".to_owned()));
        let shared = Arc::new(Shared::default());
        let keeper =
            Keeper { program, settings: settings.clone(), shared: Arc::clone(&shared), status: sender };
        thread::Builder::new()
            .name("postgres".to_owned())
            .spawn(move || keeper.keep())
            .context("could not start a thread for PostgreSQL")?;
        Ok(Self { settings, status, shared })
    }

    /// What the server does, as it changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Waits until the server takes connections, or cannot be started.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        let settled = self.status.wait_for(|status| !matches!(status, Status::Starting(_))).await;
        match settled.map(|status| status.clone()) {
            Ok(Status::Ready) => Ok(()),
            Ok(Status::Failed(why)) => bail!(why),
            Ok(Status::Starting(_) | Status::Stopped) | Err(_) => bail!("PostgreSQL was stopped"),
        }
    }

    /// How to connect to it.
    pub fn connect_options(&self) -> PgConnectOptions {
        Layout::new(&self.settings.data_dir).connect_options()
    }

    /// Stops the server, breaking off its clients' statements, and waits until it has ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.ask_to_stop();
        // The sender is gone once the thread has ended.
        while self.status.changed().await.is_ok() {}
        Ok(())
    }

    fn ask_to_stop(&self) {
        let mut state = self.shared.state();
        state.stopping = true;
        self.shared.stop.notify_all();
        if let Some(child) = state.child {
            stop_child(child);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

/// Asks for a fast shutdown. The second signal ends a preparation that was
/// started with the first one ignored; a server in fast shutdown takes no notice.
fn stop_child(child: Pid) {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        if let Err(error) = kill(child, signal) {
            tracing::error!(%error, "could not stop PostgreSQL");
        }
    }
}

/// The thread that owns the child.
struct Keeper {
    program: Program,
    settings: Settings,
    shared: Arc<Shared>,
    status: watch::Sender<Status>,
}

/// How a life of the child ended.
struct End {
    status: ExitStatus,
    /// The last thing it said that ended it.
    last_words: Option<String>,
    lived: Duration,
}

impl Keeper {
    /// Starts the server again each time it dies, until it is to stop or was
    /// never well: what prevents its very first start is for a person.
    fn keep(self) {
        let mut failures = 0;
        let mut was_ready = false;
        loop {
            let life = self.live();
            was_ready |= *self.status.borrow() == Status::Ready;
            if self.shared.state().stopping {
                self.status.send_replace(Status::Stopped);
                return;
            }
            let why = match &life {
                Ok(end) => end.words(),
                Err(error) => format!("{error:#}"),
            };
            // A signal from outside says nothing about the cluster: try again.
            let hopeless = life.as_ref().map_or(true, |end| end.status.code().is_some());
            if hopeless && !was_ready {
                self.status.send_replace(Status::Failed(why));
                return;
            }
            failures = if life.is_ok_and(|end| end.lived >= WELL) { 1 } else { failures + 1 };
            let delay = delay_after(failures);
            tracing::error!(delay_ms = delay.as_millis(), "PostgreSQL died and is started again: {why}");
            self.status.send_replace(Status::Starting(format!("PostgreSQL is started again: {why}")));
            self.wait(delay);
        }
    }

    /// One life of the child, from start to end.
    fn live(&self) -> anyhow::Result<End> {
        let started = Instant::now();
        let mut state = self.shared.state();
        if state.stopping {
            bail!("PostgreSQL was stopped");
        }
        let mut child = self.command().spawn().context("could not start PostgreSQL")?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        state.child = Some(pid);
        drop(state);
        let pump = child.stderr.take().map(|stderr| self.pump(stderr)).transpose()?;
        self.collect(&mut child, pid, pump, started)
    }

    /// Waits for the child's end. Its id is given up before the kernel may give
    /// it to another process, which a stop would otherwise hit.
    fn collect(
        &self,
        child: &mut Child,
        pid: Pid,
        pump: Option<JoinHandle<Option<String>>>,
        started: Instant,
    ) -> anyhow::Result<End> {
        waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT)?;
        self.shared.state().child = None;
        let status = child.wait()?;
        // Killed from outside, it may leave processes behind that hold the pipe a while.
        let last_words = match pump {
            Some(pump) if status.code().is_some() => pump.join().ok().flatten(),
            _ => None,
        };
        Ok(End { status, last_words, lived: started.elapsed() })
    }

    fn command(&self) -> Command {
        let Settings { data_dir, max_connections, extra, .. } = &self.settings;
        let mut command = Command::new(&self.program.0);
        command
            .args(["postgres", "run", "--data-dir"])
            .arg(data_dir)
            .args(["--max-connections", &max_connections.to_string()])
            .args(["--die-with-parent", &std::process::id().to_string()])
            .args(extra.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]))
            // The service manager waits for us to be ready, not for our database.
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // A Ctrl-C on the terminal is for us: we stop the server when we need it no more.
            .process_group(0);
        command
    }

    /// Passes on what the child says and learns from it how far it is; returns its last words.
    fn pump(&self, stderr: ChildStderr) -> anyhow::Result<JoinHandle<Option<String>>> {
        let status = self.status.clone();
        let pump = move || {
            let mut last_words = None;
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                let line = log::read(&line);
                log::pass_on(&line);
                if line.fatal {
                    last_words = Some(line.text.to_owned());
                }
                learn(&status, line.text);
            }
            last_words
        };
        thread::Builder::new()
            .name("postgres-log".to_owned())
            .spawn(pump)
            .context("could not start a thread for PostgreSQL's log")
    }

    fn wait(&self, delay: Duration) {
        let state = self.shared.state();
        let waited = self.shared.stop.wait_timeout_while(state, delay, |state| !state.stopping);
        drop(waited);
    }
}

/// What the server says while it comes up is how far it is.
fn learn(status: &watch::Sender<Status>, text: &str) {
    status.send_if_modified(|status| match status {
        Status::Starting(_) if text == log::READY => {
            *status = Status::Ready;
            true
        }
        Status::Starting(words) => {
            text.clone_into(words);
            true
        }
        _ => false,
    });
}

impl End {
    fn words(&self) -> String {
        match &self.last_words {
            Some(words) => words.clone(),
            None => format!("PostgreSQL ended with {}", self.status),
        }
    }
}

/// The delay before start `failures`: 0.1 s, 0.2, 0.4 ... to 30 s. A server
/// that died once is back at once; one that keeps dying spares the card.
fn delay_after(failures: u32) -> Duration {
    let doubled = 2_u64.saturating_pow(failures.saturating_sub(1)).saturating_mul(100);
    Duration::from_millis(doubled.min(30_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_half_a_minute() {
        let delays: Vec<u128> = [1, 2, 3, 9, 10, u32::MAX].map(|n| delay_after(n).as_millis()).into();
        assert_eq!(delays, [100, 200, 400, 25_600, 30_000, 30_000]);
    }
}
