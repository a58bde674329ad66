//! How long to wait after a failed run before the next: pure arithmetic.

use std::{fmt, str::FromStr, time::Duration};

/// The longest wait there is.
pub const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How the waits between the runs of one event grow.
///
/// From a base of 1 s, after failed runs 1 to 5: exponential 1, 2, 4, 8, 16 s;
/// linear 1, 2, 3, 4, 5 s; constant 1 s each time. None is longer than a day.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum Backoff {
    /// Each wait is twice the one before.
    #[default]
    Exponential,
    /// Each wait is longer by the base.
    Linear,
    /// All waits are the base.
    Constant,
}

impl Backoff {
    /// The wait after failed run number `n`, counted from 1.
    pub fn wait(self, base: Duration, n: u32) -> Duration {
        let before = n.saturating_sub(1);
        let times = match self {
            // What is longer than a day anyhow need not be exact.
            Self::Exponential => 1_u32.checked_shl(before).unwrap_or(u32::MAX),
            Self::Linear => n.max(1),
            Self::Constant => 1,
        };
        base.saturating_mul(times).min(LONGEST)
    }
}

/// Moves `wait` by up to `percent` of it either way: `random`, from 0 up to 1,
/// says how far, so that what failed together does not come back together.
pub fn jittered(wait: Duration, percent: u32, random: f64) -> Duration {
    let most = f64::from(percent.min(100)) / 100.0;
    let factor = 1.0 + most * (2.0 * random.clamp(0.0, 1.0) - 1.0);
    wait.min(LONGEST).mul_f64(factor).min(LONGEST)
}

impl fmt::Display for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exponential => "exponential",
            Self::Linear => "linear",
            Self::Constant => "constant",
        })
    }
}

impl FromStr for Backoff {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "exponential" => Ok(Self::Exponential),
            "linear" => Ok(Self::Linear),
            "constant" => Ok(Self::Constant),
            _ => Err("must be exponential, linear or constant"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Backoff; 3] = [Backoff::Exponential, Backoff::Linear, Backoff::Constant];
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_waits_are_those_that_are_documented() {
        for (backoff, seconds) in ALL.into_iter().zip([[1, 2, 4, 8, 16], [1, 2, 3, 4, 5], [1; 5]]) {
            let waits = [1, 2, 3, 4, 5].map(|n| backoff.wait(SECOND, n).as_secs());
            assert_eq!(waits, seconds, "{backoff}");
        }
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for backoff in ALL {
            assert_eq!(backoff.to_string().parse(), Ok(backoff));
            assert_eq!(serde_json::to_value(backoff).ok(), Some(backoff.to_string().into()));
        }
        assert!("Linear".parse::<Backoff>().is_err());
    }

    proptest! {
        #[test]
        fn a_wait_is_at_least_the_base_never_shrinks_and_ends_at_a_day(
            base in 10_u64..=86_400_000,
            n in 1_u32..=1_000,
        ) {
            let base = Duration::from_millis(base);
            for backoff in ALL {
                let (this, next) = (backoff.wait(base, n), backoff.wait(base, n + 1));
                prop_assert!(base <= this && this <= next && next <= LONGEST, "{}", backoff);
            }
        }

        #[test]
        fn until_a_day_is_reached_each_is_exact(base in 10_u32..=86_400_000, n in 1_u32..=40) {
            let day = LONGEST.as_millis();
            let (base, span) = (u128::from(base), Duration::from_millis(base.into()));
            let expected = [base << (n - 1), base * u128::from(n), base];
            for (backoff, expected) in ALL.into_iter().zip(expected) {
                prop_assert_eq!(backoff.wait(span, n).as_millis(), expected.min(day));
            }
        }

        #[test]
        fn jitter_stays_within_its_percentage(ms in 0_u64..=200_000_000, percent in 0_u32..=150, random in 0.0..1.0) {
            let wait = Duration::from_millis(ms).min(LONGEST);
            let moved = jittered(wait, percent, random);
            let most = wait.as_secs_f64() * f64::from(percent.min(100)) / 100.0 + 1e-6;
            prop_assert!((moved.as_secs_f64() - wait.as_secs_f64()).abs() <= most);
            prop_assert!(moved <= LONGEST);
        }
    }

    #[test]
    fn jitter_reaches_both_ends_and_none_changes_nothing() {
        let ends = [0.0, 0.5, 1.0].map(|random| jittered(SECOND, 20, random).as_millis());
        assert_eq!(ends, [800, 1_000, 1_200]);
        assert_eq!(jittered(SECOND, 0, 0.9), SECOND);
    }
}
