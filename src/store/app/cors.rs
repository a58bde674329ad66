//! What pages of other origins may ask of an app's routes.

use std::collections::BTreeSet;

use http::HeaderName;
use serde::{Deserialize, Serialize};

use crate::base::{
    Error, FieldError, Result,
    pattern::{Method, request_host},
};

/// The most entries of any of its lists.
const MOST: usize = 64;
/// What browsers keep a preflight's answer for at most.
const LONGEST_AGE: u32 = 86_400;
/// Every origin.
const ANY: &str = "*";

/// What pages of other origins may ask of an app's routes, as it is stored and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Cors {
    /// `*` alone, or origins such as `https://shop.example`.
    pub origins: Vec<String>,
    /// The methods they may use; absent: those that the app's routes take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<String>>,
    /// The headers they may send; absent: whatever they ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<String>>,
    /// For how many seconds a browser may remember that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
    /// Whether they may send cookies and read what is answered to those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<bool>,
}

impl Cors {
    /// The same, checked, its parts in the form in which requests carry them.
    pub fn checked(self) -> Result<Self> {
        let mut errors = Vec::new();
        let mut note = |field: &str, message: String| {
            errors.push(FieldError { field: format!("cors.{field}"), message });
        };
        let origins = checked(&self.origins, origin).unwrap_or_else(|why| {
            note("origins", why);
            Vec::new()
        });
        if self.origins.is_empty() {
            note("origins", "must name an origin, or be null for none".to_owned());
        }
        let is_any = origins.iter().any(|origin| origin == ANY);
        if is_any && origins.len() > 1 {
            note("origins", "must be `*` alone, or origins without it".to_owned());
        }
        if is_any && self.credentials == Some(true) {
            note(
                "credentials",
                "needs origins that are named: with `*` any page could act as its visitor".to_owned(),
            );
        }
        let mut listed = |field, list: &Option<Vec<String>>, check: fn(&str) -> Result<String, String>| {
            let list = list.as_ref()?;
            let list = checked(list, check);
            list.map_err(|why| note(field, why)).ok()
        };
        let methods = listed("methods", &self.methods, |text| text.parse().map(|m: Method| m.to_string()));
        let headers = listed("headers", &self.headers, header);
        if self.max_age.is_some_and(|age| age > LONGEST_AGE) {
            note("max_age", format!("must be from 0 to {LONGEST_AGE} seconds"));
        }
        if errors.is_empty() {
            Ok(Self { origins, methods, headers, ..self })
        } else {
            Err(Error::Invalid(errors))
        }
    }

    /// Whether pages of every origin may ask.
    pub fn takes_any(&self) -> bool {
        self.origins.iter().any(|origin| origin == ANY)
    }

    /// Whether pages of `origin`, as a request names it, may ask.
    pub fn takes(&self, origin: &str) -> bool {
        self.takes_any() || self.origins.iter().any(|one| one.eq_ignore_ascii_case(origin))
    }

    /// Whether they may send cookies.
    pub fn with_credentials(&self) -> bool {
        self.credentials == Some(true)
    }
}

/// Each part checked, none twice.
fn checked(list: &[String], check: fn(&str) -> Result<String, String>) -> Result<Vec<String>, String> {
    if list.len() > MOST {
        return Err(format!("has at most {MOST} entries"));
    }
    let mut seen = BTreeSet::new();
    let all: Vec<String> = list.iter().map(|text| check(text)).collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(|one| seen.insert(one.clone())).collect())
}

/// An origin as browsers write it: lower case, without a default port.
fn origin(text: &str) -> Result<String, String> {
    let bad = || format!("`{text}` is not `*` or an origin such as https://shop.example, without a path");
    if text == ANY {
        return Ok(text.to_owned());
    }
    let text = text.to_ascii_lowercase();
    let (scheme, authority) = text.split_once("://").ok_or_else(bad)?;
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return Err(bad()),
    };
    let authority = authority.strip_suffix(default).unwrap_or(authority);
    let is_good =
        !authority.ends_with([':', '.']) && authority.len() <= 260 && request_host(authority).is_ok();
    if is_good { Ok(format!("{scheme}://{authority}")) } else { Err(bad()) }
}

fn header(text: &str) -> Result<String, String> {
    let name =
        text.parse::<HeaderName>().map_err(|_| format!("`{}` is not a header name", text.escape_debug()))?;
    Ok(name.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors { origins: origins.iter().map(|&o| o.to_owned()).collect(), ..Cors::default() }
    }

    fn fields(cors: Cors) -> Vec<String> {
        match cors.checked() {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|error| error.field).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn origins_are_kept_as_browsers_write_them() -> Result<()> {
        let kept = cors(&[
            "HTTPS://Shop.Example:443",
            "http://pi.local:8080",
            "http://[::1]",
            "http://pi.local:8080",
        ])
        .checked()?;
        assert_eq!(kept.origins, ["https://shop.example", "http://pi.local:8080", "http://[::1]"]);
        assert!(kept.takes("https://shop.example") && kept.takes("http://PI.local:8080"));
        for other in ["null", "http://shop.example", "https://shop.example.evil.example", "http://pi.local"] {
            assert!(!kept.takes(other), "{other}");
        }
        assert!(cors(&["*"]).checked()?.takes("null"));
        Ok(())
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for bad in [
            "",
            "null",
            "shop.example",
            "https://",
            "https://a/",
            "https://a/b",
            "https://u@a",
            "ftp://a",
            "https://a:",
            "https://*.example",
            "https://a b",
            "https://a\r\nset-cookie:x",
            "javascript:alert(1)",
        ] {
            assert_eq!(fields(cors(&[bad])), ["cors.origins"], "{bad}");
        }
        assert_eq!(fields(cors(&[])), ["cors.origins"]);
        assert_eq!(fields(cors(&["*", "https://a"])), ["cors.origins"]);
        assert_eq!(fields(cors(&["http://a"; MOST + 1])).first().map(String::as_str), Some("cors.origins"));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let wrong = Cors {
            methods: Some(vec!["FETCH".to_owned()]),
            headers: Some(vec!["a b".to_owned()]),
            max_age: Some(LONGEST_AGE + 1),
            credentials: Some(true),
            ..cors(&["*"])
        };
        assert_eq!(fields(wrong), ["cors.credentials", "cors.methods", "cors.headers", "cors.max_age"]);
    }

    #[test]
    fn methods_and_headers_have_one_form() -> Result<()> {
        let given = Cors {
            methods: Some(vec!["get".to_owned(), "GET".to_owned()]),
            headers: Some(vec!["X-Thing".to_owned()]),
            ..cors(&["https://a"])
        };
        let kept = given.checked()?;
        assert_eq!(
            (kept.methods, kept.headers),
            (Some(vec!["GET".to_owned()]), Some(vec!["x-thing".to_owned()]))
        );
        Ok(())
    }
}
