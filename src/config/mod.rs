//! Floor 2: the resolved configuration.
//!
//! One slice, [`KEYS`], drives everything there is about a key: its line in the
//! file, its variable, its flag, its default, what is allowed, its doc. Layers:
//! defaults for this machine, the file, the variables `PICLOUD_*`, the flags;
//! each overrides the ones before it. (What is also a setting kept in the database
//! has that between the file and the variables.) Everything is checked here, once, and
//! all faults are told together; the other rooms get values they can trust.

mod defaults;
mod error;
mod file;
mod keys;
mod load;
mod reference;
pub mod sizing;
mod slot;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

pub use error::{Error, Fault};
pub use keys::{KEYS, Key};
pub use load::{DEFAULT_FILE, environment};
pub use reference::reference;
pub use sizing::{Sizing, sizing};
pub use slot::Slot;

use ipnet::IpNet;

use crate::{
    base::{backoff::Backoff, redacted::Redacted},
    system::log,
};

/// Everything that can be set, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where PiCloud keeps what it owns.
    pub data_dir: PathBuf,
    /// Bytes that stay free on its disk; `None`: as many as the size of the disk says.
    pub min_free: Option<usize>,
    /// The connection to the database.
    pub database: Database,
    /// The HTTP server.
    pub http: Http,
    /// The execution gate and the limits of scripts.
    pub execution: Execution,
    /// What waits to run, and how often it is tried.
    pub dispatch: Dispatch,
    /// What is recorded of executions.
    pub history: History,
    /// How long what is over is kept.
    pub retention: Retention,
    /// When the machine can be claimed.
    pub claim_window: ClaimWindow,
    /// Whether claiming asks for a code that only the log shows.
    pub claim_code: bool,
    /// The process's own log.
    pub log: log::Settings,
    /// Each key with its value and where that came from, in the order of [`KEYS`].
    pub resolved: Vec<Resolved>,
}

/// The connection to the database.
#[derive(Clone, Debug)]
pub struct Database {
    /// A PostgreSQL of the user's; `None`: PiCloud runs its own.
    pub url: Option<Redacted>,
    /// Connections held at most.
    pub pool_size: u32,
}

/// The HTTP server.
#[derive(Clone, Debug)]
pub struct Http {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The longest request body, in bytes.
    pub body_limit: usize,
    /// The longest head of a request, in bytes.
    pub header_limit: usize,
    /// How long reading a request may take.
    pub request_timeout: Duration,
    /// How long a connection may stay open without a request.
    pub idle_timeout: Duration,
    /// Further host names of this machine, lower case.
    pub own_names: Vec<String>,
    /// Where the proxies are that are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `/metrics` answers everybody.
    pub metrics_open: bool,
}

/// The execution gate and the limits of scripts.
#[derive(Clone, Debug)]
pub struct Execution {
    /// Scripts that compute at the same time.
    pub running: u32,
    /// Scripts that have begun and not ended, the waiting ones included.
    pub in_flight: u32,
    /// Requests that may wait for the gate.
    pub queue: u32,
    /// How long a request waits for the gate.
    pub permit_wait: Duration,
    /// Operations of one run, unless its script says otherwise.
    pub max_operations: u64,
    /// What a script may ask for at most.
    pub max_operations_ceiling: u64,
    /// Depth of calls in one run, unless its script says otherwise.
    pub max_call_depth: u32,
    /// What a script may ask for at most.
    pub max_call_depth_ceiling: u32,
    /// Bytes of memory one run may hold, unless its script says otherwise.
    pub max_memory: usize,
    /// What a script may ask for at most.
    pub max_memory_ceiling: usize,
    /// Bytes of memory all runs together may hold.
    pub memory_of_all: usize,
    /// Bytes of one string where it crosses a border or a native makes it.
    pub max_string: usize,
    /// Bytes of one blob, likewise.
    pub max_blob: usize,
    /// Log lines of one run, unless its script says otherwise.
    pub max_log_lines: u32,
    /// What a script may ask for at most.
    pub max_log_lines_ceiling: u32,
    /// The longest body a script may answer, in bytes.
    pub response_limit: usize,
    /// Compiled scripts kept in memory.
    pub compiled_scripts: u32,
}

/// What waits to run, and how often it is tried.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Whether what waits goes on waiting.
    pub paused: bool,
    /// Runs of one event, the first included, unless its trigger says otherwise.
    pub retry_max_attempts: u32,
    /// How the waits between them grow.
    pub retry_backoff: Backoff,
    /// The wait they grow from.
    pub retry_base: Duration,
    /// How far, in percent of it, a wait is moved by chance.
    pub retry_jitter_pct: u32,
    /// How many triggers may lie between a run and its root.
    pub max_trigger_depth: u32,
    /// Rows that may wait for each app.
    pub outbox_quota: u32,
    /// Rows claimed at once at most.
    pub largest_claim: u32,
}

/// What is recorded of executions.
#[derive(Clone, Debug)]
pub struct History {
    /// Executions recorded in full for each app and second; the card is spared the rest.
    pub log_budget_per_second: u32,
}

/// How long what is over is kept: the age needs a clock that is right, the rest bounds it without.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// Age of a dead letter, resolved or not.
    pub dead_letter_age: Duration,
    /// Dead letters of the instance.
    pub dead_letter_rows: u32,
    /// Age of an abandoned execution.
    pub abandoned_age: Duration,
    /// Abandoned executions of the instance.
    pub abandoned_rows: u32,
    /// Age of an entry of the execution log.
    pub execution_age: Duration,
    /// Entries of the execution log.
    pub execution_rows: u32,
    /// Bytes the execution log takes in the database.
    pub execution_bytes: usize,
}

/// When the machine can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimWindow {
    /// How long it stays open.
    pub minutes: u32,
    /// What opens it.
    pub from: ClaimFrom,
}

/// What opens the claim window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimFrom {
    /// Each start of PiCloud.
    Start,
    /// The first start of all, and each power-up of the machine after it.
    Install,
    /// Each power-up of the machine.
    Boot,
}

/// One key with its value and where that came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The key's name.
    pub key: &'static str,
    /// Its value as the file would have it; a secret's secret part is three dots.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// Nobody set it, and it follows from the machine.
    Machine,
    /// A line of the file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Machine => f.write_str("default for this machine"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}
