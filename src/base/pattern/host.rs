//! Host names and the patterns that claim them.
//!
//! Hosts are compared lower case, without port and without a final dot.

use std::{fmt, str::FromStr};

/// A checked host name in the form in which hosts are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `host` lies below this name: has one or more labels before it.
    pub fn is_above(&self, host: &str) -> bool {
        self.labels_before(host).is_some()
    }

    /// The labels that `host` has before this name: `a.b` of `a.b.garden.local`.
    pub fn labels_before<'h>(&self, host: &'h str) -> Option<&'h str> {
        host.strip_suffix(self.as_str())?.strip_suffix('.').filter(|labels| !labels.is_empty())
    }
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        check_name(&name)?;
        Ok(Self(name))
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let say = |why: &str| Err(why.to_owned());
    if name.contains('*') {
        return say("may have a * only as its whole first label, as in *.garden.local");
    }
    if name.contains(':') {
        return say("must be a name alone, without a port or an IPv6 address");
    }
    if !name.is_ascii() {
        return say("must be ASCII: write an international name in its xn-- form");
    }
    if name.is_empty() || name.len() > 253 {
        return say("must have 1 to 253 characters, such as garden.local");
    }
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let label = |l: &str| {
        (1..=63).contains(&l.len()) && l.bytes().all(inner) && !l.starts_with('-') && !l.ends_with('-')
    };
    if !name.split('.').all(label) {
        return say(
            "must be labels of 1 to 63 letters, digits and hyphens, joined by dots, such as garden.local",
        );
    }
    if looks_like_an_address(name) {
        return say("must not be an IP address: those are the machine's own names");
    }
    Ok(())
}

/// Browsers read a host whose last label is a number, also in hexadecimal, as
/// an IPv4 address, however many labels it has.
fn looks_like_an_address(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").is_some_and(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|b| b.is_ascii_digit())
}

/// What an app claims: one host, or all hosts below a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HostPattern {
    /// This host alone: `garden.local`.
    Exact(HostName),
    /// Every host with one or more labels before this name: `*.garden.local`.
    Wildcard(HostName),
}

impl HostPattern {
    /// Whether there is a host that both patterns take.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a == b,
            (Self::Exact(host), Self::Wildcard(name)) | (Self::Wildcard(name), Self::Exact(host)) => {
                name.is_above(host.as_str())
            }
            (Self::Wildcard(a), Self::Wildcard(b)) => {
                a == b || a.is_above(b.as_str()) || b.is_above(a.as_str())
            }
        }
    }

    /// Whether this pattern takes every host that `other` takes.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a == b,
            (Self::Exact(_), Self::Wildcard(_)) => false,
            (Self::Wildcard(name), Self::Exact(host)) => name.is_above(host.as_str()),
            (Self::Wildcard(a), Self::Wildcard(b)) => a == b || a.is_above(b.as_str()),
        }
    }

    /// Whether this pattern equals `name`, takes it, or lies below it: what no
    /// app may claim of the machine's own names.
    pub fn touches(&self, name: &str) -> bool {
        match self {
            Self::Exact(host) => host.as_str() == name || lies_below(host.as_str(), name),
            Self::Wildcard(host) => {
                host.as_str() == name || host.is_above(name) || lies_below(host.as_str(), name)
            }
        }
    }
}

fn lies_below(host: &str, name: &str) -> bool {
    host.strip_suffix(name).is_some_and(|labels| labels.ends_with('.'))
}

impl FromStr for HostPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("*.") {
            Some(name) => name.parse().map(Self::Wildcard),
            None => text.parse().map(Self::Exact),
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.to_string()
    }
}

impl schemars::JsonSchema for HostPattern {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "HostPattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": ["garden.local", "*.garden.local"] })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => write!(f, "{name}"),
            Self::Wildcard(name) => write!(f, "*.{name}"),
        }
    }
}

/// The host of a request in the form in which hosts are compared: lower case,
/// without port, without a final dot. An IPv6 address keeps its brackets.
pub fn request_host(authority: &str) -> Result<String, &'static str> {
    const BAD: &str = "the Host header is not a host name or address with an optional port";
    let (host, port) = match authority.strip_prefix('[') {
        Some(v6) => {
            let end = v6.find(']').ok_or(BAD)?;
            (&authority[..end + 2], &v6[end + 1..])
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port_is_good = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'[' | b']' | b':');
    let host = host.trim_end_matches('.');
    let has_empty_label = host.starts_with('.') || host.contains("..");
    if !port_is_good || host.is_empty() || has_empty_label || !host.bytes().all(allowed) {
        return Err(BAD);
    }
    Ok(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Result<HostPattern, String> {
        text.parse()
    }

    #[test]
    fn a_pattern_is_lower_case_without_a_final_dot() -> Result<(), String> {
        for (text, canonical) in [
            ("garden", "garden"),
            ("Garden.LOCAL", "garden.local"),
            ("garden.local.", "garden.local"),
            ("*.Garden.local", "*.garden.local"),
            ("xn--grten-hra.example", "xn--grten-hra.example"),
            ("0a.b", "0a.b"),
        ] {
            assert_eq!(pattern(text)?.to_string(), canonical);
        }
        Ok(())
    }

    #[test]
    fn what_is_no_pattern_is_told_what_is_allowed() {
        for (text, word) in [
            ("", "1 to 253"),
            (".", "1 to 253"),
            ("a..b", "labels"),
            (".a", "labels"),
            ("a b", "labels"),
            ("-a.b", "labels"),
            ("a-.b", "labels"),
            ("a_b.local", "labels"),
            (&"x".repeat(64), "labels"),
            (&"x.".repeat(127), "a.b"),
            ("a.local:80", "port"),
            ("[::1]", "port"),
            ("http://a", "port"),
            ("a/b", "labels"),
            ("gärten.de", "xn--"),
            ("*", "first label"),
            ("*.", "1 to 253"),
            ("*.*.a", "first label"),
            ("a.*.b", "first label"),
            ("*a.b", "first label"),
            ("10.0.0.1", "IP address"),
            ("*.0.1", "IP address"),
            ("1.0x7f", "IP address"),
        ] {
            match pattern(text) {
                Ok(pattern) => assert_eq!(word, "a.b", "{text} became {pattern}"),
                Err(error) => assert!(error.contains(word), "{text}: {error}"),
            }
        }
        assert!(pattern(&"xy.".repeat(85)).is_err(), "longer than 253");
    }

    #[test]
    fn overlapping_patterns_share_a_host() -> Result<(), String> {
        for (a, b, overlap, covers) in [
            ("a.b", "a.b", true, true),
            ("a.b", "b", false, false),
            ("*.b", "a.b", true, true),
            ("*.b", "x.a.b", true, true),
            ("*.b", "b", false, false),
            ("*.b", "ab", false, false),
            ("*.b", "a.bb", false, false),
            ("*.b", "*.b", true, true),
            ("*.b", "*.a.b", true, true),
            ("*.a.b", "*.b", true, false),
            ("*.a", "*.b", false, false),
            ("a.b", "*.b", true, false),
        ] {
            let (first, second) = (pattern(a)?, pattern(b)?);
            assert_eq!(first.overlaps(&second), overlap, "{a} and {b}");
            assert_eq!(second.overlaps(&first), overlap, "{b} and {a}");
            assert_eq!(first.covers(&second), covers, "{a} covers {b}");
        }
        Ok(())
    }

    #[test]
    fn the_machines_names_are_touched_by_what_equals_covers_or_lies_below() -> Result<(), String> {
        for (text, touches) in [
            ("picloud.local", true),
            ("*.local", true),
            ("a.picloud.local", true),
            ("*.picloud.local", true),
            ("*.a.picloud.local", true),
            ("garden.local", false),
            ("*.garden.local", false),
            ("xpicloud.local", false),
            ("local", false),
        ] {
            assert_eq!(pattern(text)?.touches("picloud.local"), touches, "{text}");
        }
        Ok(())
    }

    #[test]
    fn a_requests_host_is_compared_without_case_port_and_final_dot() {
        for (header, host) in [
            ("Garden.Local:8080", Some("garden.local")),
            ("garden.local.", Some("garden.local")),
            ("garden.local.:80", Some("garden.local")),
            ("garden.local..", Some("garden.local")),
            ("garden.local:", Some("garden.local")),
            ("192.168.1.5:80", Some("192.168.1.5")),
            ("[::1]:80", Some("[::1]")),
            ("[FE80::1]", Some("[fe80::1]")),
            ("a_b", Some("a_b")),
            ("", None),
            (":80", None),
            (".", None),
            (".a", None),
            ("a..b", None),
            ("a:b", None),
            ("::1", None),
            ("[::1", None),
            ("[::1]x", None),
            ("a b", None),
            ("user@a", None),
            ("a/b", None),
        ] {
            assert_eq!(request_host(header).ok().as_deref(), host, "{header}");
        }
    }
}
