//! How long one run of a script may take.

use super::DEFAULT_TIMEOUT_SECONDS;

/// How long one run may take, 1 to 300 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "i64")]
pub struct Timeout(#[schemars(range(min = 1, max = 300))] i32);

impl Timeout {
    /// The seconds.
    pub fn seconds(self) -> i32 {
        self.0
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(DEFAULT_TIMEOUT_SECONDS)
    }
}

impl TryFrom<i64> for Timeout {
    type Error = &'static str;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        match i32::try_from(seconds) {
            Ok(seconds @ 1..=300) => Ok(Self(seconds)),
            _ => Err("must be between 1 and 300 seconds"),
        }
    }
}

impl std::str::FromStr for Timeout {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim().parse().unwrap_or(0_i64).try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_has_bounds() {
        assert!([1, 30, 300].into_iter().all(|n| Timeout::try_from(n).is_ok()));
        assert!([0, -1, 301, i64::MAX].into_iter().all(|n| Timeout::try_from(n).is_err()));
    }

    #[test]
    fn a_timeout_is_read_from_text() {
        assert_eq!(" 30 ".parse(), Ok(Timeout(30)));
        assert!(["", "soon", "1.5", "0", "301"].into_iter().all(|text| text.parse::<Timeout>().is_err()));
    }
}
