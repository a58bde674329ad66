//! The memory that all runs together may hold.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// What each run may hold without asking: most never ask.
pub(in crate::engine) const FREE: i64 = 256 * 1024;

/// What is taken at one time: one question for many small values.
const PORTION: i64 = 1 << 20;

/// What is left of the memory for runs.
#[derive(Debug)]
pub(in crate::engine) struct Pool {
    size: i64,
    left: AtomicI64,
}

impl Pool {
    /// A pool of `bytes`.
    pub(in crate::engine) fn new(bytes: usize) -> Self {
        let size = i64::try_from(bytes).unwrap_or(i64::MAX);
        Self { size, left: AtomicI64::new(size) }
    }

    /// How much is taken now.
    pub(in crate::engine) fn taken(&self) -> u64 {
        u64::try_from(self.size - self.left.load(Relaxed)).unwrap_or_default()
    }

    /// Whether a run that asks finds anything.
    pub(in crate::engine) fn has_portion(&self) -> bool {
        self.left.load(Relaxed) >= PORTION
    }

    /// Takes at least `bytes`, and says how much it was; `None` if that is not left.
    pub(in crate::engine) fn take(&self, bytes: i64) -> Option<i64> {
        let portion = bytes.checked_add(PORTION - 1)? / PORTION * PORTION;
        let taken =
            self.left.fetch_update(Relaxed, Relaxed, |left| (left >= portion).then(|| left - portion));
        taken.ok().map(|_| portion)
    }

    /// Gives `bytes` back.
    pub(in crate::engine) fn give(&self, bytes: i64) {
        if bytes > 0 {
            self.left.fetch_add(bytes, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_gone_until_it_is_given_back() {
        let pool = Pool::new(4 << 20);
        assert_eq!(pool.take(1), Some(1 << 20));
        assert_eq!(pool.take(3 << 20), Some(3 << 20));
        assert_eq!(pool.take(1), None);
        assert!(!pool.has_portion());
        pool.give(1 << 20);
        assert!(pool.has_portion());
        assert_eq!(pool.take(i64::MAX), None);
        assert_eq!(pool.take(5), Some(1 << 20));
    }
}
