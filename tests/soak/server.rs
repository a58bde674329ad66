//! The PostgreSQL that two nodes share.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
    process::Child,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::site::{PICLOUD, Site};

/// The longest a start may take: after a crash the log is replayed first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server: it dies with us.
pub struct Server {
    child: Option<Child>,
    data: PathBuf,
    log: PathBuf,
    /// How long the log was when it was started last.
    said_before: u64,
    started: Instant,
    up: bool,
    /// When it is started again.
    pub due: Option<Instant>,
}

impl Server {
    /// Starts one on a new data directory.
    pub fn start(site: &Site, name: &str) -> Result<Self> {
        let mut this = Self {
            child: None,
            data: site.data(name),
            log: site.file(name, "log"),
            said_before: 0,
            started: Instant::now(),
            up: false,
            due: None,
        };
        this.spawn(site, name)?;
        Ok(this)
    }

    /// Starts it, again.
    pub fn spawn(&mut self, site: &Site, name: &str) -> Result<()> {
        self.said_before = self.log.metadata().map_or(0, |log| log.len());
        let mut command = site.program(PICLOUD, name)?;
        command.args(["postgres", "run", "--max-connections", "80", "--data-dir"]).arg(&self.data);
        command.args(["--die-with-parent", &std::process::id().to_string()]);
        // It survives the end of processes all the same; only a power cut it would not.
        command.args(["--set", "fsync=off", "--set", "full_page_writes=off"]);
        let child = command.spawn()?;
        site.note(name, &child)?;
        (self.child, self.started, self.up, self.due) = (Some(child), Instant::now(), false, None);
        Ok(())
    }

    /// Whether it takes connections; fails if it ended by itself.
    pub fn look(&mut self) -> Result<bool> {
        let Some(child) = &mut self.child else { return Ok(false) };
        if let Some(status) = child.try_wait()? {
            bail!("PostgreSQL ended by itself: {status}");
        }
        if !self.up {
            let mut said = String::new();
            let mut log = File::open(&self.log)?;
            log.seek(SeekFrom::Start(self.said_before))?;
            log.read_to_string(&mut said)?;
            self.up = said.contains("ready to accept connections");
            ensure!(self.up || self.started.elapsed() < PATIENCE, "PostgreSQL does not start");
        }
        Ok(self.up)
    }

    /// Kills the server's first process; the others see it and end.
    pub fn kill(&mut self, back_in: Duration) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        (self.up, self.due) = (false, Some(Instant::now() + back_in));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill(Duration::ZERO);
    }
}
