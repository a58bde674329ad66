//! The name a route binds a part of the host or path to.

use std::{fmt, str::FromStr};

/// A parameter's name: an identifier, so that a script can write `ctx.request.params.name`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParamName(String);

impl ParamName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ParamName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let starts_well = text.bytes().next().is_some_and(|b| inner(b) && !b.is_ascii_digit());
        if starts_well && text.len() <= 63 && text.bytes().all(inner) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a parameter's name must be 1 to 63 letters, digits and underscores, and not begin with a digit"
                .to_owned())
        }
    }
}

impl fmt::Display for ParamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_identifier() {
        for good in ["id", "_", "userId", "a1", &"x".repeat(63)] {
            assert!(good.parse::<ParamName>().is_ok(), "{good}");
        }
        for bad in ["", "1a", "a-b", "a.b", "é", " a", &"x".repeat(64)] {
            assert!(bad.parse::<ParamName>().is_err(), "{bad}");
        }
    }
}
