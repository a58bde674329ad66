//! How many attempts an app may log: a token bucket, by the monotonic clock.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::base::id::AppId;

/// The budgets of the apps that logged lately.
pub(super) struct Budgets {
    /// Attempts a second, and as many at once after a quiet second.
    rate: f64,
    buckets: HashMap<AppId, Bucket>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Budgets {
    /// Every app may log `rate` attempts a second.
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: rate.into(), buckets: HashMap::new() }
    }

    /// Whether `app` may log one more attempt at `now`; if so, it is taken off.
    pub(super) fn take(&mut self, app: AppId, now: Instant) -> bool {
        let rate = self.rate;
        let bucket = self.buckets.entry(app).or_insert(Bucket { tokens: rate, filled: now });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(rate);
        bucket.filled = now;
        let granted = bucket.tokens >= 1.0;
        if granted {
            bucket.tokens -= 1.0;
        }
        granted
    }

    /// Forgets apps that have been quiet for so long that their bucket is full again.
    pub(super) fn forget_quiet(&mut self, now: Instant) {
        self.buckets
            .retain(|_, bucket| now.saturating_duration_since(bucket.filled) < Duration::from_secs(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_may_log_a_burst_and_then_its_rate() {
        let mut budgets = Budgets::new(50);
        let (app, start) = (AppId::new(), Instant::now());
        let granted = |budgets: &mut Budgets, at| (0..200).filter(|_| budgets.take(app, at)).count();
        assert_eq!(granted(&mut budgets, start), 50);
        assert_eq!(granted(&mut budgets, start + Duration::from_millis(100)), 5);
        assert_eq!(granted(&mut budgets, start + Duration::from_secs(60)), 50);
        assert!(budgets.take(AppId::new(), start), "another app has its own");
    }

    #[test]
    fn forgetting_a_quiet_app_gives_it_nothing() {
        let mut budgets = Budgets::new(2);
        let (app, start) = (AppId::new(), Instant::now());
        assert!(budgets.take(app, start) && budgets.take(app, start) && !budgets.take(app, start));
        budgets.forget_quiet(start + Duration::from_millis(100));
        assert!(!budgets.take(app, start));
        budgets.forget_quiet(start + Duration::from_secs(1));
        assert!(budgets.buckets.is_empty());
    }

    #[test]
    fn a_budget_of_nothing_grants_nothing() {
        assert!(!Budgets::new(0).take(AppId::new(), Instant::now()));
    }
}
