//! The server's words: each line it writes becomes an event of our log.

use tracing::Level;

/// What a line tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// How much it matters to us.
    pub(super) level: Level,
    /// Whether it ended the process that wrote it.
    pub(super) fatal: bool,
    /// What was said, without the prefix.
    pub(super) text: &'a str,
}

/// What the postmaster says when it takes connections.
pub(super) const READY: &str = "database system is ready to accept connections";

/// Reads one line: `client backend: ERROR:  words`, where our template sets
/// the prefix to the kind of process. The words that `picloud postgres run`
/// writes before it becomes the server have no prefix.
///
/// What a client's statement did wrong is that client's to tell; here it is
/// for debugging only.
pub(super) fn read(line: &str) -> Line<'_> {
    let Some((head, text)) = line.split_once(":  ") else {
        let fatal = line.strip_prefix("error: ");
        let level = if fatal.is_some() { Level::ERROR } else { Level::INFO };
        return Line { level, fatal: fatal.is_some(), text: fatal.unwrap_or(line).trim_end() };
    };
    // Before it has read our template, its prefix is a time and a process id.
    let (process, severity) = head.rsplit_once(' ').unwrap_or(("", head));
    let of_client = process.ends_with("client backend:");
    let level = match severity {
        _ if of_client && severity != "PANIC" => Level::DEBUG,
        "PANIC" | "FATAL" | "ERROR" => Level::ERROR,
        "WARNING" => Level::WARN,
        _ => Level::INFO,
    };
    let fatal = severity == "PANIC" || severity == "FATAL" && !of_client;
    Line { level, fatal, text: text.trim_end() }
}

/// Passes a line on to our own log.
pub(super) fn pass_on(line: &Line<'_>) {
    let text = line.text;
    match line.level {
        Level::ERROR => tracing::error!(target: "picloud::postgres", "{text}"),
        Level::WARN => tracing::warn!(target: "picloud::postgres", "{text}"),
        Level::INFO => tracing::info!(target: "picloud::postgres", "{text}"),
        _ => tracing::debug!(target: "picloud::postgres", "{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_server_keeps_its_weight() {
        let line = read("postmaster: LOG:  database system is ready to accept connections\n");
        assert_eq!(line, Line { level: Level::INFO, fatal: false, text: READY });
        let line = read("checkpointer: PANIC:  could not write: disk: full");
        assert_eq!(line, Line { level: Level::ERROR, fatal: true, text: "could not write: disk: full" });
        assert_eq!(read("autovacuum worker: ERROR:  x").level, Level::ERROR);
        let line = read("2026-11-21 14:33:38.001 UTC [9] FATAL:  no");
        assert_eq!(line, Line { level: Level::ERROR, fatal: true, text: "no" });
    }

    #[test]
    fn what_a_client_did_wrong_is_for_debugging() {
        let line = read("client backend: ERROR:  duplicate key value");
        assert_eq!(line, Line { level: Level::DEBUG, fatal: false, text: "duplicate key value" });
    }

    #[test]
    fn the_words_of_our_own_preparation_have_no_prefix() {
        assert_eq!(read("error: no way\n"), Line { level: Level::ERROR, fatal: true, text: "no way" });
        assert_eq!(read("LOG:  making the cluster").text, "making the cluster");
    }
}
