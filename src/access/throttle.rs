//! How long a try to sign in has to wait after others failed.
//!
//! It slows guessing down and locks nobody out: a wait ends by itself within a
//! minute, and where somebody has signed in before, only failures from there
//! count, so that strangers cannot keep them waiting. Elsewhere somebody who
//! has not failed waits half as long as those who have, and so comes first.

use std::{net::IpAddr, time::Duration};

/// How often a user's password may be wrong in a row before the next try waits.
pub const FREE: i32 = 5;

/// How many tries of one address may fail within [`WINDOW`] before its next one waits.
pub const FREE_OF_ADDRESS: i32 = 50;

/// How long the failures of an address count together.
pub const WINDOW: Duration = Duration::from_secs(10 * 60);

/// The first wait; each failure more doubles it.
const FIRST: Duration = Duration::from_secs(5);

/// The longest wait.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Failures of one kind, as they stand now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: i32,
    /// How long ago the last was. None if that was in the future by the clock as
    /// it is now: then the clock was set back, and how long ago nobody knows.
    pub since: Option<Duration>,
}

impl Failures {
    /// How much longer the next try has to wait, where `free` failures cost nothing.
    fn left(self, free: i32) -> Duration {
        let Some(since) = self.since else { return Duration::ZERO };
        self.wait(free).saturating_sub(since)
    }

    /// How long the next try has to wait in all.
    fn wait(self, free: i32) -> Duration {
        let over = u32::try_from(self.count - free).ok();
        over.map_or(Duration::ZERO, |over| LONGEST.min(FIRST.saturating_mul(1 << over.min(10))))
    }
}

/// The failures that bear on one try.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether the user has signed in from this address before.
    pub is_known: bool,
    /// Those of the user, from wherever.
    pub user: Failures,
    /// Those of the user from this address.
    pub user_there: Failures,
    /// Those of the address within the window, with whatever user.
    pub address: Failures,
}

impl Standing {
    /// How much longer the try has to wait; nothing if it may go ahead.
    pub fn left(self) -> Duration {
        if self.is_known {
            return self.user_there.left(FREE);
        }
        let of_user = if self.user_there.count == 0 {
            let since = self.user.since.unwrap_or(LONGEST);
            (self.user.wait(FREE) / 2).saturating_sub(since)
        } else {
            self.user.left(FREE)
        };
        of_user.max(self.address.left(FREE_OF_ADDRESS))
    }
}

/// What counts as one address: an IPv6 one is its whole network, since whoever
/// has one of its 2^64 addresses has them all.
pub fn origin(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(count: i32, seconds_ago: u64) -> Failures {
        Failures { count, since: Some(Duration::from_secs(seconds_ago)) }
    }

    fn seconds(standing: Standing) -> u64 {
        standing.left().as_secs()
    }

    #[test]
    fn each_failure_more_doubles_the_wait_up_to_a_minute() {
        let waits: Vec<u64> = (0..12).map(|count| failures(count, 0).left(FREE).as_secs()).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 5, 10, 20, 40, 60, 60, 60]);
        assert_eq!(failures(i32::MAX, 0).left(FREE), LONGEST);
        assert_eq!(failures(i32::MAX, 60).left(FREE), Duration::ZERO, "never for ever");
        assert_eq!(failures(50, 0).left(FREE_OF_ADDRESS), FIRST);
        assert_eq!(failures(49, 0).left(FREE_OF_ADDRESS), Duration::ZERO);
    }

    #[test]
    fn where_one_has_signed_in_before_only_failures_from_there_count() {
        let attacked = Standing { user: failures(900, 0), address: failures(900, 0), ..Standing::default() };
        assert_eq!(seconds(attacked), 60);
        assert_eq!(seconds(Standing { is_known: true, ..attacked }), 0);
        assert_eq!(seconds(Standing { is_known: true, user_there: failures(5, 1), ..attacked }), 4);
    }

    #[test]
    fn one_who_has_not_failed_comes_before_those_who_have() {
        let new = Standing { user: failures(900, 30), ..Standing::default() };
        let failed = Standing { user_there: failures(900, 30), ..new };
        assert_eq!((seconds(new), seconds(failed)), (0, 30));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait() {
        let unknown = Failures { count: 900, since: None };
        let standing = Standing { user: unknown, user_there: unknown, address: unknown, is_known: false };
        assert_eq!(seconds(standing), 0);
        assert_eq!(seconds(Standing { is_known: true, ..standing }), 0);
        assert_eq!(seconds(Standing { user: unknown, ..Standing::default() }), 0);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| text.parse().map(origin).unwrap_or_default();
        assert_eq!(of("192.168.1.9"), "192.168.1.9");
        assert_eq!(of("::ffff:192.168.1.9"), "192.168.1.9");
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
    }
}
