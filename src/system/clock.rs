//! Whether the wall clock can be believed.
//!
//! A Pi starts without knowing the time, or with that of its last shutdown.
//! Nothing may be deleted by age before the clock is known to be right.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::base::time::Timestamp;

/// Made by systemd-timesyncd when it has set the clock from the network for the
/// first time since power-up; `/run` is empty at boot.
const SYNCHRONISED: &str = "/run/systemd/timesync/synchronized";

/// Where the kernel tells of clock chips; it sets the time at power-up from the
/// one whose `hctosys` is 1.
const CHIPS: &str = "/sys/class/rtc";

/// What is known of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Set from the network since power-up.
    Synchronised,
    /// Kept by a clock chip since the time was last known to be right.
    Kept,
    /// Nobody has vouched for it: it may be off by years.
    Unknown,
}

impl Clock {
    /// Looks whether the clock has been set since power-up, or else was kept by
    /// a chip since `last_good`, when it was known to be right: a chip without a
    /// battery begins at some time in the past.
    pub fn now(last_good: Option<Timestamp>) -> Self {
        let at_power_up = Timestamp::now().before(since_boot());
        let kept = last_good.is_some_and(|good| at_power_up > good) && has_chip(Path::new(CHIPS));
        Self::by(Path::new(SYNCHRONISED), kept)
    }

    fn by(marker: &Path, kept: bool) -> Self {
        match (marker.exists(), kept) {
            (true, _) => Self::Synchronised,
            (false, true) => Self::Kept,
            (false, false) => Self::Unknown,
        }
    }

    /// Whether what depends on the date may go ahead.
    pub fn is_right(self) -> bool {
        self != Self::Unknown
    }

    /// Why the clock is taken to be right or not, in one line.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Synchronised => "set from the network by systemd-timesyncd",
            Self::Kept => "kept by a clock chip since it was last known to be right",
            Self::Unknown => {
                "systemd-timesyncd has not set it since power-up; nothing is deleted by age until it has"
            }
        }
    }
}

/// Whether the time at power-up came from a clock chip.
fn has_chip(chips: &Path) -> bool {
    let Ok(chips) = fs::read_dir(chips) else { return false };
    chips
        .flatten()
        .any(|chip| fs::read_to_string(chip.path().join("hctosys")).is_ok_and(|text| text.trim() == "1"))
}

/// The clock as everybody in this process judges it; clones share what is known.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Option<Timestamp>>>);

impl Watch {
    /// How the clock stands.
    pub fn now(&self) -> Clock {
        Clock::now(self.last_good())
    }

    /// When it was last known to be right.
    pub fn last_good(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes when the clock was last known to be right.
    pub fn was_right(&self, at: Option<Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// How the wall clock stood at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Which start of the machine that was.
    pub boot: String,
    /// The wall clock.
    pub at: Timestamp,
    /// The wall clock less the time since power-up, in milliseconds: the same as long as nobody sets it.
    pub offset_ms: i64,
}

/// A clock that is set by more than this was wrong before or is now.
const STEP: Duration = Duration::from_secs(60 * 60);

impl Reading {
    /// Reads it.
    pub fn now() -> Self {
        let offset_ms = i64::try_from(offset() / 1_000_000).unwrap_or(i64::MAX);
        Self { boot: boot_id(), at: Timestamp::now(), offset_ms }
    }

    /// Whether the clock was set by more than an hour between this reading and a
    /// `later` one. Readings are an hour apart at most while the machine runs.
    pub fn stepped_until(&self, later: &Self) -> bool {
        self.stepped(later, has_chip(Path::new(CHIPS)))
    }

    /// Over a power cut only a chip knows how long that was: without one, time
    /// that is missing may have passed or may have been set. Time never goes back by itself.
    fn stepped(&self, later: &Self, chip: bool) -> bool {
        if self.boot == later.boot {
            return u128::from(self.offset_ms.abs_diff(later.offset_ms)) > STEP.as_millis();
        }
        let back = later.at < self.at.before(STEP);
        let forth = later.at > self.at.after(2 * STEP);
        back || (forth && !chip)
    }
}

/// How long ago the machine was powered up, standby included.
pub fn since_boot() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// The kernel's id of this power-up: another after each; empty where it is hidden.
pub fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
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
        let (there, missing) = (Path::new("/proc/self/status"), Path::new("/proc/self/nowhere"));
        assert_eq!(Clock::by(there, false), Clock::Synchronised);
        assert_eq!(Clock::by(missing, true), Clock::Kept);
        assert_eq!(Clock::by(missing, false), Clock::Unknown);
        assert!(Clock::Synchronised.is_right() && Clock::Kept.is_right() && !Clock::Unknown.is_right());
    }

    #[test]
    fn a_chip_counts_if_the_kernel_set_the_time_from_it() -> std::io::Result<()> {
        let chips = std::env::temp_dir().join(format!("chips-{}", std::process::id()));
        fs::create_dir_all(chips.join("rtc0"))?;
        assert!(!has_chip(&chips) && !has_chip(&chips.join("nowhere")));
        fs::write(chips.join("rtc0/hctosys"), "1\n")?;
        assert!(has_chip(&chips));
        fs::remove_dir_all(chips)
    }

    #[test]
    fn the_clock_stepped_if_it_was_set_by_more_than_an_hour() {
        let start = Timestamp::now();
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let first = Reading { boot: "a".to_owned(), at: start, offset_ms: 0 };
        let later = |at, offset_ms| Reading { boot: "a".to_owned(), at, offset_ms };
        assert!(!first.stepped(&later(start.after(minutes(1_000_000)), 3_600_000), false), "time passed");
        assert!(first.stepped(&later(start, 3_600_001), true));
        assert!(first.stepped(&later(start, -3_600_001), true));
        let rebooted = |at| Reading { boot: "b".to_owned(), at, offset_ms: 1 << 40 };
        assert!(!first.stepped(&rebooted(start.after(minutes(90))), false));
        assert!(first.stepped(&rebooted(start.after(minutes(121))), false), "who knows?");
        assert!(!first.stepped(&rebooted(start.after(minutes(121))), true), "the chip does");
        assert!(first.stepped(&rebooted(start.before(minutes(61))), true), "time goes not back");
    }
}
