//! Whether the wall clock can be believed.
//!
//! A Pi starts without knowing the time, or with that of its last shutdown.
//! Nothing may be deleted by age before the clock is known to be right.

use std::{path::Path, time::Duration};

/// Made by systemd-timesyncd when it has set the clock from the network for the
/// first time since power-up; `/run` is empty at boot.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// What is known of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Set from the network since power-up.
    Synchronised,
    /// Nobody has vouched for it: it may be off by years.
    Unknown,
}

impl Clock {
    /// Looks whether the clock has been set since power-up.
    pub fn now() -> Self {
        Self::by(Path::new(SYNCHRONISED))
    }

    fn by(marker: &Path) -> Self {
        if marker.exists() { Self::Synchronised } else { Self::Unknown }
    }

    /// Whether what depends on the date may go ahead.
    pub fn is_right(self) -> bool {
        self == Self::Synchronised
    }

    /// Why the clock is taken to be right or not, in one line.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Synchronised => "set from the network by systemd-timesyncd",
            Self::Unknown => {
                "systemd-timesyncd has not set it since power-up; nothing is deleted by age until it has"
            }
        }
    }
}

/// How long ago the machine was powered up, standby included.
pub fn since_boot() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// What names this power-up: another after each; empty where the kernel does not say.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// How far the wall clock may drift from the monotonic one between two looks without having been set.
const DRIFT: Duration = Duration::from_secs(2);

/// Notices when the wall clock is set.
#[derive(Debug)]
pub struct Steps {
    /// The wall clock less the time since boot, when last looked.
    offset: i128,
}

impl Default for Steps {
    fn default() -> Self {
        Self { offset: offset() }
    }
}

impl Steps {
    /// Whether the wall clock was set, by more than two seconds, since the last call.
    pub fn stepped(&mut self) -> bool {
        self.moved_to(offset())
    }

    fn moved_to(&mut self, offset: i128) -> bool {
        let moved = offset.abs_diff(self.offset) > DRIFT.as_nanos();
        self.offset = offset;
        moved
    }
}

/// The wall clock less the time since boot, in nanoseconds.
fn offset() -> i128 {
    let wall =
        nix::time::clock_gettime(nix::time::ClockId::CLOCK_REALTIME).map_or(Duration::ZERO, Duration::from);
    let nanoseconds = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    nanoseconds(wall) - nanoseconds(since_boot())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_noticed_once_and_either_way() {
        let second = 1_000_000_000;
        let mut steps = Steps { offset: 0 };
        assert!(!steps.moved_to(2 * second));
        assert!(steps.moved_to(5 * second));
        assert!(!steps.moved_to(5 * second));
        assert!(steps.moved_to(-86_400 * 365 * second));
        assert!(!Steps::default().stepped());
    }

    #[test]
    fn the_clock_is_right_once_it_was_set() {
        assert!(Clock::by(Path::new("/proc/self/status")).is_right());
        assert!(!Clock::by(Path::new("/proc/self/nowhere")).is_right());
    }
}
