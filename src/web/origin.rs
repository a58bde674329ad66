//! Whose host is this, and where does a request come from?

use std::{collections::HashSet, net::IpAddr};

use http::{HeaderMap, Uri, header, request::Parts};

use super::Client;
use crate::base::{Error, Result, pattern::HostPattern};

/// The session cookie's name.
pub const SESSION_COOKIE: &str = "picloud_session";

/// The host names that are this machine's own: under them the administration
/// answers, and no app can claim them.
#[derive(Clone, Debug)]
pub struct OwnNames(HashSet<String>);

impl OwnNames {
    /// The names of a machine called `host_name`, and those configured besides.
    pub fn new(host_name: &str, configured: &[String]) -> Self {
        let host = host_name.trim_end_matches('.').to_ascii_lowercase();
        let label = host.split('.').next().unwrap_or_default().to_owned();
        let mut names: HashSet<String> = configured.iter().map(|n| n.to_ascii_lowercase()).collect();
        names.insert("localhost".to_owned());
        if !label.is_empty() {
            names.insert(format!("{label}.local"));
            names.insert(label);
            names.insert(host);
        }
        Self(names)
    }

    /// Whether `host` (lower case, without port) is the machine itself. Any IP
    /// address is: a page of a stranger needs a name to rebind.
    pub fn is_own(&self, host: &str) -> bool {
        self.0.contains(host) || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    }

    /// Refuses a pattern, given as `field`, that equals one of these names, takes it, or lies below it.
    pub fn refuse(&self, field: &str, pattern: &HostPattern) -> Result<()> {
        match self.iter().find(|name| pattern.touches(name)) {
            None => Ok(()),
            Some(name) => Err(Error::invalid(
                field,
                format!("must not be, cover or lie below {name}, a name of this machine itself"),
            )),
        }
    }

    /// The own names, for messages.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The host a request is for: lower case, without port and final dot; empty if it names none.
pub fn host_of(headers: &HeaderMap, uri: &Uri) -> String {
    let named = uri.authority().map(http::uri::Authority::as_str);
    let named = named.or_else(|| headers.get(header::HOST).and_then(|v| v.to_str().ok()));
    without_port(named.unwrap_or_default()).trim_end_matches('.').to_ascii_lowercase()
}

fn without_port(authority: &str) -> &str {
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// The session token in the `Cookie` header. Two of them are refused: one was
/// planted, and nobody can tell which.
pub fn session_cookie(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        // As bytes: another cookie of the line may hold anything, and hides none of ours.
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(SESSION_COOKIE.as_bytes())?.strip_prefix(b"="));
    match (found.next(), found.next()) {
        (one, None) => Ok(one.and_then(|token| std::str::from_utf8(token).ok())),
        _ => Err(Error::Unauthenticated("the request carries two session cookies; sign in again".to_owned())),
    }
}

/// Refuses a request that changes something, rides on the cookie, and does not
/// come from a page of this origin. Plain HTTP on a LAN sends no `Sec-Fetch-*`,
/// so `Origin` is compared with `Host`; and where we are reached over TLS, a page
/// that came without could be anybody's.
pub fn require_same_origin(parts: &Parts) -> Result<()> {
    if parts.method.is_safe() {
        return Ok(());
    }
    let secure = Client::of(parts).is_ok_and(|client| client.secure);
    let mut origins = parts.headers.get_all(header::ORIGIN).iter().map(|value| value.to_str().ok());
    let origin = origins.next().flatten().and_then(|origin| origin.split_once("://"));
    let host = parts.uri.authority().map(http::uri::Authority::as_str);
    let host = host.or_else(|| parts.headers.get(header::HOST).and_then(|v| v.to_str().ok()));
    let is_ours = origin.zip(host).is_some_and(|((scheme, from), host)| {
        let port = if scheme == "https" { ":443" } else { ":80" };
        let bare = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
        (scheme == "https" || scheme == "http" && !secure) && bare(from) == bare(host)
    });
    if is_ours && origins.next().is_none() {
        return Ok(());
    }
    Err(Error::Forbidden(
        "a request with the session cookie must come from a page of this machine (Origin must match Host)"
            .to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, Request};

    use super::*;
    use crate::web::client::Way;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.clone(), HeaderValue::from_static(v))).collect()
    }

    fn parts(method: Method, host: &'static str, origins: &[&'static str]) -> Parts {
        let request = Request::builder().method(method).uri("/api").header(header::HOST, host);
        let request = origins.iter().fold(request, |request, origin| request.header(header::ORIGIN, *origin));
        request.body(()).expect("a request").into_parts().0
    }

    fn comes_from(method: Method, host: &'static str, origins: &[&'static str]) -> bool {
        require_same_origin(&parts(method, host, origins)).is_ok()
    }

    fn over_tls(origin: &'static str) -> bool {
        let mut parts = parts(Method::POST, "pi.example", &[origin]);
        let address = std::net::Ipv4Addr::new(192, 168, 1, 9).into();
        parts.extensions.insert(Client { address, way: Way::Proxied, secure: true, user_agent: None });
        require_same_origin(&parts).is_ok()
    }

    #[test]
    fn addresses_and_the_machines_names_are_its_own() {
        let own = OwnNames::new("Pi.lan.", &["cloud.example".to_owned()]);
        for name in ["localhost", "pi", "pi.local", "pi.lan", "cloud.example", "192.168.1.7", "[::1]", "::1"]
        {
            assert!(own.is_own(name), "{name}");
        }
        for name in ["garden.local", "x.pi.local", "", "evil.example"] {
            assert!(!own.is_own(name), "{name}");
        }
    }

    #[test]
    fn the_host_loses_its_port_case_and_final_dot() {
        let uri = Uri::from_static("/");
        let host = |value: &'static str| host_of(&headers(&[(header::HOST, value)]), &uri);
        assert_eq!(host("Garden.Local.:8080"), "garden.local");
        assert_eq!(host("[fe80::1]:80"), "[fe80::1]");
        assert_eq!(host("[::1]"), "[::1]");
        assert_eq!(host("pi"), "pi");
    }

    #[test]
    fn two_session_cookies_are_refused() {
        let one = headers(&[(header::COOKIE, "a=b; picloud_session=x")]);
        assert_eq!(session_cookie(&one).ok().flatten(), Some("x"));
        let two = headers(&[(header::COOKIE, "picloud_session=x; picloud_session=y")]);
        assert!(session_cookie(&two).is_err());
        let mut strange = HeaderMap::new();
        strange.insert(
            header::COOKIE,
            HeaderValue::from_bytes(b"a=\xc3\xa9; picloud_session=x").expect("a value"),
        );
        assert_eq!(session_cookie(&strange).ok().flatten(), Some("x"), "another cookie may hold anything");
        strange
            .append(header::COOKIE, HeaderValue::from_bytes(b"b=\xff;picloud_session=y").expect("a value"));
        assert!(session_cookie(&strange).is_err());
    }

    #[test]
    fn only_a_page_of_this_origin_may_change_something() {
        assert!(comes_from(Method::GET, "Pi.local:8080", &[]));
        assert!(comes_from(Method::POST, "Pi.local:8080", &["http://pi.local:8080"]));
        for foreign in
            [&[][..], &["null"], &["http://pi.local"], &["http://evil.example"], &["pi.local:8080"]]
        {
            assert!(!comes_from(Method::POST, "Pi.local:8080", foreign), "{foreign:?}");
        }
        let two = ["http://pi.local:8080", "http://evil.example"];
        assert!(!comes_from(Method::POST, "Pi.local:8080", &two));
    }

    #[test]
    fn a_default_port_may_be_left_out() {
        for (host, origin) in
            [("pi.local:80", "http://pi.local"), ("pi.local", "https://pi.local"), ("pi:443", "https://pi")]
        {
            assert!(comes_from(Method::POST, host, &[origin]), "{host} {origin}");
        }
        assert!(!comes_from(Method::POST, "pi.local:443", &["http://pi.local"]));
    }

    #[test]
    fn over_tls_a_page_that_came_without_is_a_strangers() {
        assert!(over_tls("https://pi.example"));
        assert!(!over_tls("http://pi.example"));
    }
}
