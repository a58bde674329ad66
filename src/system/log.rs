//! The process's own log: with fields to the journal, readable text on a
//! terminal, JSON on demand.

use std::{fmt, os::fd::AsFd, str::FromStr};

use anyhow::{Context, Result};
use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// To the journal where systemd connected us to it, else as text.
    Auto,
    /// Text for people, on standard error.
    Text,
    /// One JSON object a line, on standard error.
    Json,
    /// To the journal, with fields.
    Journal,
}

impl Format {
    /// All formats by their names.
    pub const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("text", Self::Text), ("json", Self::Json), ("journal", Self::Journal)];
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMES.iter().find(|(_, format)| format == self);
        f.write_str(named.map_or("auto", |(name, _)| name))
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::NAMES.iter().find(|(name, _)| *name == text);
        named.map(|(_, format)| *format).ok_or_else(|| "auto, text, json or journal".to_owned())
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is logged: a level, or levels by module (`info,picloud::engine=debug`).
    pub filter: String,
    /// How it is written.
    pub format: Format,
    /// `JOURNAL_STREAM`: which file systemd connected to the journal.
    pub journal_stream: Option<String>,
}

/// Whether `filter` can be understood; if not, why.
pub fn check_filter(filter: &str) -> Result<(), String> {
    EnvFilter::try_new(filter).map(drop).map_err(|error| error.to_string())
}

/// Sends what the process traces to where `settings` say. To be called once.
pub fn init(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.filter).context("the log filter")?;
    let layer = match settings.format {
        Format::Auto if is_journal(settings.journal_stream.as_deref()) => journal()?,
        Format::Auto | Format::Text => text(),
        Format::Json => tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr).boxed(),
        Format::Journal => journal()?,
    };
    subscriber(layer, filter).try_init().context("the log is set up already")
}

/// The filter stands over all: one of the layer's own keeps its answer from
/// a question whether something is logged, which sqlx asks, for the next event.
fn subscriber<L: Layer<Registry> + Send + Sync>(layer: L, filter: EnvFilter) -> impl SubscriberInitExt {
    tracing_subscriber::registry().with(layer).with(filter)
}

fn text() -> Box<dyn Layer<Registry> + Send + Sync> {
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr).boxed()
}

fn journal() -> Result<Box<dyn Layer<Registry> + Send + Sync>> {
    let layer =
        tracing_journald::layer().context("the journal cannot be reached; choose another log_format")?;
    Ok(layer.with_field_prefix(None).with_syslog_identifier("picloud".to_owned()).boxed())
}

/// Whether standard error still is what systemd connected to the journal, and
/// not what somebody redirected since.
fn is_journal(stream: Option<&str>) -> bool {
    let named = stream.and_then(device_and_inode);
    let ours =
        nix::sys::stat::fstat(std::io::stderr().as_fd()).ok().map(|found| (found.st_dev, found.st_ino));
    named.is_some() && named == ours
}

fn device_and_inode(stream: &str) -> Option<(u64, u64)> {
    let (device, inode) = stream.split_once(':')?;
    Some((device.parse().ok()?, inode.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tracing::callsite::Callsite as _;

    use super::*;

    #[test]
    fn a_filter_is_checked_before_it_is_used() {
        assert_eq!(check_filter("info,picloud::engine=debug"), Ok(()));
        assert!(check_filter("picloud=loud").is_err());
    }

    #[test]
    fn what_follows_a_question_that_was_denied_is_logged() {
        let seen = Arc::new(AtomicUsize::new(0));
        let filter = EnvFilter::new("info");
        let _guard = subscriber(Counter(seen.clone()), filter).set_default();
        // Asked by way of the `log` crate, as sqlx does.
        let denied = tracing::callsite! {
            name: "denied", kind: tracing::metadata::Kind::EVENT, target: "sqlx::query",
            level: tracing::Level::DEBUG, fields: message
        };
        for _ in 0..3 {
            tracing::dispatcher::get_default(|to| assert!(!to.enabled(denied.metadata())));
            tracing::info!("said");
        }
        assert_eq!(seen.load(Ordering::Relaxed), 3);
    }

    struct Counter(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for Counter {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_journal_is_named_by_device_and_inode() {
        assert_eq!(device_and_inode("8:4711"), Some((8, 4711)));
        assert_eq!(device_and_inode("8"), None);
        assert!(!is_journal(None) && !is_journal(Some("1:2")));
    }
}
