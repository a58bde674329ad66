//! How many rows are claimed at a time: as many as can be started within a tenth of a second.

use std::time::{Duration, Instant};

/// What a batch should last: long enough that claiming costs little beside
/// running, short enough that another app's event, claimed next, waits not long.
const SPAN: Duration = Duration::from_millis(100);

/// The size of a batch, found from how fast rows were started lately.
#[derive(Debug)]
pub(super) struct BatchSize {
    least: u32,
    most: u32,
    size: u32,
    since: Instant,
}

impl BatchSize {
    /// Begins with the smallest: what can run at once.
    pub(super) fn new(least: u32, most: u32, now: Instant) -> Self {
        let least = least.clamp(1, most.max(1));
        Self { least, most: most.max(least), size: least, since: now }
    }

    /// The size now.
    pub(super) fn size(&self) -> u32 {
        self.size
    }

    /// Learns that since the last call `started` rows were started and
    /// `left` were not yet.
    pub(super) fn learn(&mut self, started: u32, left: u32, now: Instant) {
        let passed = now.saturating_duration_since(self.since);
        self.since = now;
        if started == 0 && left == 0 {
            return;
        }
        let in_span = f64::from(started) * SPAN.as_secs_f64() / passed.as_secs_f64().max(1e-6);
        // What ran dry could have been more, by how much nobody knows.
        let wanted = if left == 0 { in_span.max(f64::from(self.size) * 2.0) } else { in_span };
        let wanted = wanted.min(f64::from(self.size) * 4.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within a u32")]
        let wanted = wanted.clamp(f64::from(self.least), f64::from(self.most)) as u32;
        self.size = wanted;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(start: Instant, milliseconds: u64) -> Instant {
        start + Duration::from_millis(milliseconds)
    }

    #[test]
    fn fast_rows_come_in_hundreds_and_slow_ones_in_as_many_as_can_run() {
        let start = Instant::now();
        let mut batch = BatchSize::new(2, 512, start);
        for turn in 1..10 {
            batch.learn(batch.size(), 0, after(start, turn));
        }
        assert_eq!(batch.size(), 512);
        // Two in a second: the tenth of a second starts none.
        batch.learn(2, 510, after(start, 1_010));
        assert_eq!(batch.size(), 2);
        // Nothing happened: nothing was learnt.
        batch.learn(0, 0, after(start, 5_000));
        assert_eq!(batch.size(), 2);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_and_follows_the_rate(
            least in 1u32..64, more in 0u32..512, rates in prop::collection::vec((0u32..2_000, 0u32..2_000, 0u64..2_000), 1..50),
        ) {
            let start = Instant::now();
            let mut batch = BatchSize::new(least, least + more, start);
            let mut now = start;
            for (started, left, passed) in rates {
                now += Duration::from_millis(passed);
                batch.learn(started, left, now);
                prop_assert!((least..=least + more).contains(&batch.size()));
            }
            // A steady rate with a backlog: what it starts in a tenth of a second.
            for _ in 0..12 {
                now += Duration::from_millis(50);
                batch.learn(50, 1_000, now);
            }
            prop_assert_eq!(batch.size(), 100u32.clamp(least, least + more));
        }
    }
}
