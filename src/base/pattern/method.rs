//! The HTTP methods a route can name.

use std::{fmt, str::FromStr};

/// A method a route can name. A route without one answers every method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method(&'static str);

/// In the order in which `Allow` shows them.
const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Method {
    /// `GET`.
    pub const GET: Self = Self("GET");
    /// `HEAD`.
    pub const HEAD: Self = Self("HEAD");

    /// All of them, in the order in which `Allow` shows them.
    pub fn all() -> impl Iterator<Item = Self> {
        KNOWN.into_iter().map(Self)
    }

    /// The method's name in upper case.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(text));
        known.map(Self).ok_or_else(|| format!("must be one of {}", KNOWN.join(", ")))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_upper_case() {
        assert_eq!("get".parse(), Ok(Method::GET));
        assert_eq!("Head".parse(), Ok(Method::HEAD));
    }

    #[test]
    fn an_unknown_method_is_told_the_known_ones() {
        for bad in ["", "FETCH", "GET ", "CONNECT", "*"] {
            let error = bad.parse::<Method>().expect_err(bad);
            assert!(error.contains("GET, HEAD, POST"), "{error}");
        }
    }
}
