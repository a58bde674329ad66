//! What a route answers: host, path and method, read together.

use super::{HostKind, HostRule, Method, PathKind, PathPattern};
use crate::base::FieldError;

/// Which requests a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRule {
    /// The hosts.
    pub host: HostRule,
    /// The paths.
    pub path: PathPattern,
    /// The method; none answers every method.
    pub method: Option<Method>,
}

/// The fields in which a route is written, in a request and in a row alike.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'t> {
    /// How `host` is meant.
    pub host_kind: HostKind,
    /// The host or wildcard; none for any host.
    pub host: Option<&'t str>,
    /// What the labels before a wildcard are bound to.
    pub host_param_name: Option<&'t str>,
    /// How `path` is meant.
    pub path_kind: PathKind,
    /// The path.
    pub path: &'t str,
    /// The method; none answers every method.
    pub method: Option<&'t str>,
}

impl RouteRule {
    /// Reads a rule; the error names each field that is wrong.
    pub fn parse(text: RuleText<'_>) -> Result<Self, Vec<FieldError>> {
        let error = |field: &str, message: String| FieldError { field: field.to_owned(), message };
        let host = HostRule::parse(text.host_kind, text.host, text.host_param_name);
        let path = PathPattern::parse(text.path_kind, text.path).map_err(|why| error("path", why));
        let method = text.method.map(str::parse).transpose().map_err(|why| error("method", why));
        match (host, path, method) {
            (Ok(host), Ok(path), Ok(method)) => {
                let clash = host.param().filter(|name| path.param_names().any(|used| used == *name));
                match clash {
                    Some(name) => Err(vec![error("host_param_name", format!("the path uses {name} too"))]),
                    None => Ok(Self { host, path, method }),
                }
            }
            (host, path, method) => {
                Err([host.err(), path.err(), method.err()].into_iter().flatten().collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'t>(host_param_name: Option<&'t str>, path: &'t str) -> RuleText<'t> {
        RuleText {
            host_kind: HostKind::Wildcard,
            host: Some("*.a.local"),
            host_param_name,
            path_kind: PathKind::Param,
            path,
            method: Some("post"),
        }
    }

    #[test]
    fn a_rule_is_read_into_its_canonical_form() {
        let rule = RouteRule::parse(text(Some("sub"), "/%61/{id}")).expect("a rule");
        assert_eq!(rule.path.to_string(), "/a/{id}");
        assert_eq!(rule.method.map(Method::as_str), Some("POST"));
    }

    #[test]
    fn a_name_is_bound_once() {
        for path in ["/a/{id}", "/a/{*id}"] {
            let errors = RouteRule::parse(text(Some("id"), path)).expect_err(path);
            assert_eq!(errors[0].field, "host_param_name");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = RuleText { host: Some("a b"), path: "x", method: Some("FETCH"), ..text(None, "") };
        let errors = RouteRule::parse(wrong).expect_err("three errors");
        let fields: Vec<&str> = errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["host", "path", "method"]);
    }
}
