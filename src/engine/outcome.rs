//! What a run came to: a response or a failure, and what it cost.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};

use crate::base::time::Timestamp;

/// The end of one attempt.
#[derive(Debug)]
pub struct Outcome {
    /// What the script answered, or why it did not.
    pub result: Result<Response, Failure>,
    /// How long it had waited at the gate.
    pub waited: Duration,
    /// When the run started.
    pub started_at: Timestamp,
    /// How long it ran, on the monotonic clock.
    pub duration: Duration,
    /// How many operations it took.
    pub operations: u64,
    /// What it logged, oldest first, within the bound of one attempt.
    pub logs: Vec<LogLine>,
    /// How many of the oldest log lines did not fit.
    pub lost_log_lines: u32,
}

/// An answer to a request, checked: every part of it can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status, 200 to 599.
    pub status: u16,
    /// The headers the script set, and a content type where there is a body.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Bytes,
    /// What the body is.
    pub body_kind: BodyKind,
}

/// What a response's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// There is none.
    Empty,
    /// JSON text made from a value.
    Json,
    /// A string that was sent as it is.
    Text,
    /// A blob that was sent as it is.
    Blob,
}

/// Why a run did not end with its own answer.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind of failure it was.
    pub kind: FailureKind,
    /// What happened, for those who may read the app.
    pub message: String,
    /// The line in the script, from 1.
    pub line: Option<u32>,
    /// The column in that line, from 1.
    pub column: Option<u32>,
    /// The response of a `throw #{ statusCode, .. }`: the answer of a sync run, a failure otherwise.
    pub response: Option<Response>,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The script threw, or did what Rhai refuses.
    Throw,
    /// It ran into its wall clock.
    Timeout,
    /// It used up its operations.
    Operations,
    /// Its functions called one another too deeply.
    CallDepth,
    /// It logged too many lines or too long a line.
    LogLimit,
    /// It held too much memory.
    Memory,
    /// It wanted memory when all runs together held what they may.
    MemoryOfAll,
    /// A value was too large or nested too deeply to cross a border.
    Size,
    /// Its runs have left too much memory that nothing can free.
    Leak,
    /// What it returned is no response.
    BadResponse,
    /// It does not parse.
    Parse,
    /// Native code panicked: our fault.
    Panic,
    /// The engine was stopped while the run was under way.
    Stopped,
}

impl FailureKind {
    /// The name in the execution log and in problem answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throw => "throw",
            Self::Timeout => "timeout",
            Self::Operations => "operations",
            Self::CallDepth => "call_depth",
            Self::LogLimit => "log_limit",
            Self::Memory => "memory",
            Self::MemoryOfAll => "memory_of_all",
            Self::Size => "size",
            Self::Leak => "leak",
            Self::BadResponse => "bad_response",
            Self::Parse => "parse",
            Self::Panic => "panic",
            Self::Stopped => "stopped",
        }
    }

    /// The status a synchronous caller gets.
    pub fn status(self) -> u16 {
        match self {
            Self::Throw
            | Self::CallDepth
            | Self::LogLimit
            | Self::Memory
            | Self::Size
            | Self::Leak
            | Self::BadResponse => 502,
            Self::Timeout => 504,
            Self::Operations => 507,
            Self::Parse => 422,
            Self::Panic => 500,
            Self::MemoryOfAll | Self::Stopped => 503,
        }
    }
}

/// One line a script logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Timestamp,
    /// How grave.
    pub level: Level,
    /// The message.
    pub message: String,
    /// The map that came with it, as JSON text.
    pub fields: Option<String>,
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// Something happened.
    Info,
    /// Something may be wrong.
    Warn,
    /// Something is wrong.
    Error,
}

impl Level {
    /// All levels, least grave first.
    pub const ALL: [Self; 5] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The name, which is also the function's in the script's `log` module.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}
