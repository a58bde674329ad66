//! Room on the disk, and the floor below which nothing more is written.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use nix::sys::statvfs::statvfs;

use crate::base::{Error, Result};

/// Room on one file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What a user other than root may still write.
    pub free: u64,
    /// The size of the file system.
    pub total: u64,
}

/// The least that stays free on a small disk.
const LEAST: u64 = 256 << 20;

impl Space {
    /// Measures the file system that holds `path`.
    pub fn of(path: &Path) -> io::Result<Self> {
        let measured = statvfs(path)?;
        // The types of these counts differ between processors.
        #[allow(clippy::useless_conversion, reason = "32-bit machines have narrower counts")]
        let (free, total, unit) = (
            u64::from(measured.blocks_available()),
            u64::from(measured.blocks()),
            u64::from(measured.fragment_size()),
        );
        Ok(Self { free: free.saturating_mul(unit), total: total.saturating_mul(unit) })
    }

    /// Bytes that stay free: `set` if somebody has set it, else what the size of the disk says.
    pub fn floor(self, set: Option<usize>) -> u64 {
        set.map_or_else(|| floor(self.total), |bytes| bytes as u64)
    }

    /// Whether so little is free that only reading and deleting may go on.
    pub fn is_nearly_full(self, floor: Option<usize>) -> bool {
        self.free < self.floor(floor)
    }
}

/// Bytes that stay free on a disk of `total` bytes: 5 %, at least 256 MiB, so
/// that PostgreSQL can always finish what it began.
fn floor(total: u64) -> u64 {
    (total / 20).max(LEAST)
}

/// How long a measurement stands: asking costs little, but not nothing.
const STANDS: Duration = Duration::from_secs(1);
/// When a caller may try again: room comes back by deleting, not by itself.
const TRY_AGAIN: Duration = Duration::from_secs(60);

/// What a refused caller hears.
const FULL: &str = "disk nearly full: delete something first; until then only reading and deleting go on";

/// Watches the disk that holds what we own; clones share what was measured last.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Watched>);

#[derive(Debug)]
struct Watched {
    path: PathBuf,
    /// Bytes that stay free; `None`: as many as the disk's size says.
    min_free: Option<usize>,
    last: Mutex<Option<(Instant, State)>>,
}

/// What the disk was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// There is room.
    Roomy,
    /// Only reading and deleting may go on.
    NearlyFull,
    /// It cannot be measured.
    Unreadable,
}

impl Watch {
    /// Watches the file system that holds `path`.
    pub fn new(path: PathBuf, min_free: Option<usize>) -> Self {
        Self(Arc::new(Watched { path, min_free, last: Mutex::new(None) }))
    }

    /// What the disk is in now, or was within the last second.
    pub fn state(&self) -> State {
        let mut last = self.0.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((at, state)) if at.elapsed() < STANDS => state,
            _ => {
                let state = self.measure();
                *last = Some((Instant::now(), state));
                state
            }
        }
    }

    fn measure(&self) -> State {
        match Space::of(&self.0.path) {
            Ok(space) if space.is_nearly_full(self.0.min_free) => State::NearlyFull,
            Ok(_) => State::Roomy,
            Err(_) => State::Unreadable,
        }
    }

    /// Refuses what would write while the disk is nearly full. One that cannot
    /// be measured refuses nothing: whether writing works is then seen by writing.
    pub fn check(&self) -> Result<()> {
        match self.state() {
            State::NearlyFull => Err(Error::Busy { why: FULL.to_owned(), retry_after: TRY_AGAIN }),
            State::Roomy | State::Unreadable => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_twentieth_stays_free_and_at_least_256_mebibytes() {
        assert_eq!(floor(100 * GIB), 5 * GIB);
        assert_eq!(floor(2 * GIB), LEAST);
        assert!(Space { free: 5 * GIB - 1, total: 100 * GIB }.is_nearly_full(None));
        assert!(!Space { free: 5 * GIB, total: 100 * GIB }.is_nearly_full(None));
        assert!(!Space { free: 5, total: 100 * GIB }.is_nearly_full(Some(5)));
    }

    #[test]
    fn below_the_floor_what_would_write_is_refused() {
        let watch = |path: &str, min_free| Watch::new(path.into(), min_free);
        assert_eq!(watch("/", Some(0)).state(), State::Roomy);
        assert!(watch("/", Some(0)).check().is_ok());
        let full = watch("/", Some(usize::MAX));
        assert_eq!(full.state(), State::NearlyFull);
        let refused = full.check().err().map(|error| error.to_string());
        assert_eq!(refused.as_deref(), Some(FULL));
        let gone = watch("/nowhere/at/all", Some(usize::MAX));
        assert_eq!((gone.state(), gone.check().is_ok()), (State::Unreadable, true));
    }

    #[test]
    fn without_a_floor_of_its_own_the_size_of_the_disk_says_it() {
        let expected = match Space::of(Path::new("/")) {
            Ok(space) if space.is_nearly_full(None) => State::NearlyFull,
            Ok(_) => State::Roomy,
            Err(_) => State::Unreadable,
        };
        assert_eq!(Watch::new("/".into(), None).state(), expected);
    }

    #[test]
    fn the_disk_here_has_a_size() {
        let space = Space::of(Path::new("/")).expect("the root is a file system");
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    }
}
