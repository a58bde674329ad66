//! Room on the disk, and the floor below which nothing more is written.

use std::{io, path::Path};

use nix::sys::statvfs::statvfs;

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

    /// Whether so little is free that only reading and deleting may go on.
    pub fn is_nearly_full(self) -> bool {
        self.free < floor(self.total)
    }
}

/// Bytes that stay free on a disk of `total` bytes: 5 %, at least 256 MiB, so
/// that PostgreSQL can always finish what it began.
pub fn floor(total: u64) -> u64 {
    (total / 20).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_twentieth_stays_free_and_at_least_256_mebibytes() {
        assert_eq!(floor(100 * GIB), 5 * GIB);
        assert_eq!(floor(2 * GIB), LEAST);
        assert!(Space { free: 5 * GIB - 1, total: 100 * GIB }.is_nearly_full());
        assert!(!Space { free: 5 * GIB, total: 100 * GIB }.is_nearly_full());
    }

    #[test]
    fn the_disk_here_has_a_size() {
        let space = Space::of(Path::new("/")).expect("the root is a file system");
        assert!(space.total > 0 && space.free <= space.total, "{space:?}");
    }
}
