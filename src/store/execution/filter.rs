//! Which attempts a list shows.

use std::str::FromStr;

use crate::base::id::{ExecutionId, ScriptId};

/// Which attempts a list shows; what is absent filters nothing.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// By how they ended.
    pub status: Option<StatusFilter>,
    /// By the kind of event.
    pub source: Option<String>,
    /// By script.
    pub script_id: Option<ScriptId>,
    /// By what caused them: one execution and all that came of it.
    pub root: Option<ExecutionId>,
}

/// Attempts by how they ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub enum StatusFilter {
    /// Exactly this status, such as `404`.
    Code(i16),
    /// This class of statuses by its first digit, such as `5xx`.
    Class(i16),
    /// With an error, whatever the status.
    Failed,
}

impl StatusFilter {
    /// The lowest and the highest status it shows.
    pub(super) fn range(self) -> Option<(i16, i16)> {
        match self {
            Self::Code(code) => Some((code, code)),
            Self::Class(class) => Some((class * 100, class * 100 + 99)),
            Self::Failed => None,
        }
    }
}

impl FromStr for StatusFilter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const ALLOWED: &str = "must be a status such as 404, a class such as 5xx, or failed";
        if text == "failed" {
            return Ok(Self::Failed);
        }
        let Some(class) = text.strip_suffix("xx") else {
            let plain = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
            let code = if plain { text.parse().ok() } else { None };
            return code.filter(|code| (100..600).contains(code)).map(Self::Code).ok_or(ALLOWED);
        };
        match class {
            "1" | "2" | "3" | "4" | "5" => class.parse().map(Self::Class).map_err(|_| ALLOWED),
            _ => Err(ALLOWED),
        }
    }
}

impl TryFrom<String> for StatusFilter {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_a_code_a_class_or_a_failure() {
        assert_eq!("404".parse(), Ok(StatusFilter::Code(404)));
        assert_eq!("5xx".parse(), Ok(StatusFilter::Class(5)));
        assert_eq!("failed".parse(), Ok(StatusFilter::Failed));
        for bad in ["", "0", "40", "+04", "4040", "600", "xx", "6xx", "0xx", "ok", "5XX"] {
            assert!(bad.parse::<StatusFilter>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_class_is_a_hundred_statuses() {
        assert_eq!(StatusFilter::Class(5).range(), Some((500, 599)));
        assert_eq!(StatusFilter::Failed.range(), None);
    }
}
