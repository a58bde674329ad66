//! What one run logs, within its bounds.

use std::collections::VecDeque;

use super::{
    meter::Stop,
    outcome::{Level, LogLine},
};
use crate::base::time::Timestamp;

/// What one run may log, its number of lines apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLimits {
    /// Bytes of one line: its message and its fields. A longer one ends the run.
    pub line_bytes: usize,
    /// Bytes that are kept of one attempt. Beyond them the oldest lines go.
    pub attempt_bytes: usize,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { line_bytes: 16 * 1024, attempt_bytes: 256 * 1024 }
    }
}

/// The log of one run.
#[derive(Debug)]
pub(super) struct Logbook {
    limits: LogLimits,
    /// Lines the run may still log.
    lines_left: u32,
    bytes: usize,
    kept: VecDeque<LogLine>,
    lost: u32,
}

impl Logbook {
    /// An empty log for at most `lines` lines.
    pub(super) fn new(limits: LogLimits, lines: u32) -> Self {
        Self { limits, lines_left: lines, bytes: 0, kept: VecDeque::new(), lost: 0 }
    }

    /// A log that takes nothing.
    pub(super) fn closed() -> Self {
        Self::new(LogLimits::default(), 0)
    }

    /// The most bytes a line may have.
    pub(super) fn line_bytes(&self) -> usize {
        self.limits.line_bytes
    }

    /// Writes a line.
    pub(super) fn write(&mut self, level: Level, message: &str, fields: Option<&str>) -> Result<(), Stop> {
        let bytes = message.len() + fields.map_or(0, str::len);
        if bytes > self.limits.line_bytes {
            return Err(Stop::LogLine);
        }
        self.lines_left = self.lines_left.checked_sub(1).ok_or(Stop::LogLines)?;
        self.bytes += bytes;
        self.kept.push_back(LogLine {
            at: Timestamp::now(),
            level,
            message: message.to_owned(),
            fields: fields.map(str::to_owned),
        });
        while self.bytes > self.limits.attempt_bytes {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.bytes -= oldest.message.len() + oldest.fields.map_or(0, |fields| fields.len());
            self.lost += 1;
        }
        Ok(())
    }

    /// Writes a line of ours, however many the script has written.
    pub(super) fn note(&mut self, level: Level, message: &str) {
        self.kept.push_back(LogLine {
            at: Timestamp::now(),
            level,
            message: message.to_owned(),
            fields: None,
        });
    }

    /// The lines that were kept, oldest first, and how many were not.
    pub(super) fn into_lines(self) -> (Vec<LogLine>, u32) {
        (self.kept.into(), self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_bytes_of_an_attempt_the_oldest_lines_go() {
        let mut logbook = Logbook::new(LogLimits { line_bytes: 10, attempt_bytes: 20 }, 10);
        for text in ["aaaaaaaaaa", "bbbbbbbbbb", "c"] {
            assert_eq!(logbook.write(Level::Info, text, None), Ok(()));
        }
        let (lines, lost) = logbook.into_lines();
        let messages: Vec<_> = lines.iter().map(|line| line.message.as_str()).collect();
        assert_eq!((messages, lost), (vec!["bbbbbbbbbb", "c"], 1));
    }

    #[test]
    fn fields_count_as_part_of_the_line() {
        let mut logbook = Logbook::new(LogLimits { line_bytes: 10, attempt_bytes: 20 }, 10);
        assert_eq!(logbook.write(Level::Info, "aaaaa", Some("{\"a\":1}")), Err(Stop::LogLine));
    }

    #[test]
    fn a_line_too_many_is_refused() {
        let mut logbook = Logbook::new(LogLimits::default(), 1);
        assert_eq!(logbook.write(Level::Info, "a", None), Ok(()));
        assert_eq!(logbook.write(Level::Info, "b", None), Err(Stop::LogLines));
    }
}
