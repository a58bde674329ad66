//! A run on the thread of another: how it notices that it is too long for it.

use std::time::{Duration, Instant};

use super::{Alarm, METER, Meter, uncounted};
use crate::system::{allocator::held, worker};

/// From when on a run is too long for the thread of another.
pub(super) const LONG: Duration = Duration::from_millis(1);
/// After how many operations it looks whether it is.
pub(super) const STRIDE: u64 = 64;
/// How often a run tries to leave before it waits for something.
const TRIES: u32 = 8;
/// From how many bytes on what a run holds may keep a single native busy for longer than a moment.
pub(super) const MUCH: i64 = 128 << 10;

/// Does a run on the thread of another.
pub(in crate::engine) fn visit(alarm: &'static Alarm, run: impl FnOnce()) {
    /// Leaves the thread as it was found.
    struct Gone;

    impl Drop for Gone {
        fn drop(&mut self) {
            METER.with(|meter| {
                meter.alarm.set(None);
                meter.visits.set(false);
            });
        }
    }

    let _gone = Gone;
    METER.with(|meter| {
        meter.alarm.set(Some(alarm));
        meter.visits.set(true);
    });
    run();
}

/// Leaves the thread of another, before the run waits for something.
pub(in crate::engine) fn leave() {
    METER.with(|meter| {
        for _ in 0..TRIES {
            if meter.visits.get() {
                meter.leave();
            }
        }
    });
}

impl Meter {
    /// Leaves the thread of another if the run is too long for it, or could soon be:
    /// it holds, or is about to hold with `more`, what a single native may be busy with for long.
    pub(super) fn leave_if_long(&self, more: i64) {
        if !self.visits.get() {
            return;
        }
        // Once it has tried to leave, only time counts: what it holds it still holds.
        let much = !self.long.get() && (held() - self.base.get()).saturating_add(more) > MUCH;
        if much || self.leaves_at.get().is_none_or(|at| Instant::now() >= at) {
            self.leave();
        }
    }

    /// Leaves the thread of another. If nobody takes over there, it tries again a while later.
    fn leave(&self) {
        self.long.set(true);
        let left = uncounted(worker::leave);
        self.visits.set(!left);
        self.allow();
        self.leaves_at.set(Instant::now().checked_add(10 * LONG));
    }
}
