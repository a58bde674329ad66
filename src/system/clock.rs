//! Whether the wall clock can be believed.
//!
//! A Pi starts without knowing the time, or with that of its last shutdown.
//! Nothing may be deleted by age before the clock is known to be right.

use std::path::Path;

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
pub fn since_boot() -> std::time::Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME)
        .map_or(std::time::Duration::ZERO, std::time::Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_right_once_it_was_set() {
        assert!(Clock::by(Path::new("/proc/self/status")).is_right());
        assert!(!Clock::by(Path::new("/proc/self/nowhere")).is_right());
    }
}
