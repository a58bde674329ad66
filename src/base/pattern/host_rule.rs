//! Which hosts of its app a route answers on.

use super::{HostName, HostPattern, ParamName};
use crate::base::FieldError;

/// How a route's host is meant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum HostKind {
    /// Every host of the app.
    Any,
    /// One host.
    Exact,
    /// Every host below a name.
    Wildcard,
}

/// Which hosts of its app a route answers on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostRule {
    /// Every host of the app.
    Any,
    /// One host.
    Exact(HostName),
    /// Every host below a name.
    Wildcard {
        /// The name.
        name: HostName,
        /// What the labels before it are bound to.
        param: Option<ParamName>,
    },
}

impl HostRule {
    /// Reads the three fields in which a route tells its hosts.
    pub fn parse(kind: HostKind, host: Option<&str>, param: Option<&str>) -> Result<Self, FieldError> {
        let error = |field: &str, message: String| FieldError { field: field.to_owned(), message };
        if param.is_some() && kind != HostKind::Wildcard {
            return Err(error("host_param_name", "is for host_kind wildcard only".to_owned()));
        }
        let host = match (kind, host) {
            (HostKind::Any, None) => return Ok(Self::Any),
            (HostKind::Any, Some(_)) => {
                return Err(error("host", "must be left out with host_kind any".to_owned()));
            }
            (_, None) => {
                return Err(error("host", "is required with host_kind exact and wildcard".to_owned()));
            }
            (_, Some(host)) => host,
        };
        if kind == HostKind::Exact {
            return host.parse().map(Self::Exact).map_err(|why| error("host", why));
        }
        // With host_kind wildcard, `garden.local` can mean nothing but `*.garden.local`.
        let name = host.strip_prefix("*.").unwrap_or(host).parse().map_err(|why| error("host", why))?;
        let param = param.map(str::parse).transpose().map_err(|why| error("host_param_name", why))?;
        Ok(Self::Wildcard { name, param })
    }

    /// The rule's kind.
    pub fn kind(&self) -> HostKind {
        match self {
            Self::Any => HostKind::Any,
            Self::Exact(_) => HostKind::Exact,
            Self::Wildcard { .. } => HostKind::Wildcard,
        }
    }

    /// The rule's pattern; none for any host.
    pub fn pattern(&self) -> Option<HostPattern> {
        match self {
            Self::Any => None,
            Self::Exact(name) => Some(HostPattern::Exact(name.clone())),
            Self::Wildcard { name, .. } => Some(HostPattern::Wildcard(name.clone())),
        }
    }

    /// The name to which the labels before a wildcard are bound.
    pub fn param(&self) -> Option<&ParamName> {
        match self {
            Self::Wildcard { param, .. } => param.as_ref(),
            Self::Any | Self::Exact(_) => None,
        }
    }

    /// Whether a request for `host` satisfies the rule.
    pub fn takes(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => name.as_str() == host,
            Self::Wildcard { name, .. } => name.is_above(host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: HostKind, host: Option<&str>, param: Option<&str>) -> Result<String, String> {
        match HostRule::parse(kind, host, param) {
            Ok(rule) => Ok(rule.pattern().map_or("any".to_owned(), |pattern| pattern.to_string())),
            Err(error) => Err(error.field),
        }
    }

    #[test]
    fn kind_host_and_parameter_fit_together() {
        use HostKind::{Any, Exact, Wildcard};
        let field = |name: &str| Err(name.to_owned());
        let pattern = |text: &str| Ok(text.to_owned());
        assert_eq!(rule(Any, None, None), pattern("any"));
        assert_eq!(rule(Any, Some("a.local"), None), field("host"));
        assert_eq!(rule(Any, None, Some("sub")), field("host_param_name"));
        assert_eq!(rule(Exact, Some("A.local"), None), pattern("a.local"));
        assert_eq!(rule(Exact, Some("*.a.local"), None), field("host"));
        assert_eq!(rule(Exact, Some("a.local"), Some("sub")), field("host_param_name"));
        assert_eq!(rule(Exact, None, None), field("host"));
        assert_eq!(rule(Wildcard, Some("*.a.local"), Some("sub")), pattern("*.a.local"));
        assert_eq!(rule(Wildcard, Some("a.local"), None), pattern("*.a.local"));
        assert_eq!(rule(Wildcard, Some("a.local"), Some("1")), field("host_param_name"));
        assert_eq!(rule(Wildcard, None, None), field("host"));
    }

    #[test]
    fn a_wildcard_takes_one_or_more_labels() -> Result<(), FieldError> {
        let rule = HostRule::parse(HostKind::Wildcard, Some("*.a.local"), None)?;
        assert!(rule.takes("x.a.local") && rule.takes("x.y.a.local"));
        assert!(!rule.takes("a.local") && !rule.takes("xa.local") && !rule.takes(".a.local"));
        Ok(())
    }
}
