//! Who is at the other end of a request, through proxies or without.
//!
//! Behind a proxy the connection's other end is the proxy. What it says of its
//! client is believed only if its address is in `trusted_proxies`: everybody can
//! send these headers. They are read from the right, where the nearest proxy wrote.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts, uri::Authority};
use ipnet::IpNet;

use super::server::Peer;
use crate::base::{Error, Result, name::truncated};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers that only proxies send.
const OF_PROXIES: [HeaderName; 6] = [
    X_FORWARDED_FOR,
    X_FORWARDED_HOST,
    X_FORWARDED_PROTO,
    HeaderName::from_static("x-real-ip"),
    header::FORWARDED,
    header::VIA,
];

/// Who sent a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address: of the connection, or as a trusted proxy tells it.
    pub address: IpAddr,
    /// How the request came here.
    pub way: Way,
    /// Whether the client speaks TLS, as a trusted proxy tells it.
    pub secure: bool,
    /// The browser, as it names itself.
    pub user_agent: Option<String>,
}

/// How a request came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over the client's own connection.
    Direct,
    /// Through trusted proxies, which tell the client's address.
    Proxied,
    /// Through a proxy that is not trusted or does not tell: whose request it is, nobody knows.
    Unknown,
}

/// What a proxy says about its client.
#[derive(Default)]
struct Told {
    address: Option<IpAddr>,
    secure: bool,
    host: Option<String>,
}

impl Client {
    /// Whether the request comes from this machine itself. One that was
    /// forwarded never does, though the proxy may run here.
    pub fn is_this_machine(&self) -> bool {
        self.way == Way::Direct && self.address.is_loopback()
    }

    /// Whether the client is of the local network: its address is private or link-local.
    pub fn is_local(&self) -> bool {
        match self.way {
            Way::Direct => self.address.is_loopback() || is_local(self.address),
            Way::Proxied => is_local(self.address),
            Way::Unknown => false,
        }
    }

    /// Reads who sent a request from `peer`. What a trusted proxy says of the
    /// host becomes the request's `Host`, for everything that comes after.
    pub fn arrive(peer: IpAddr, trusted: &[IpNet], request: (&mut HeaderMap, &mut Uri)) -> Result<Self> {
        let peer = peer.to_canonical();
        let (headers, uri) = request;
        if headers.get_all(header::HOST).iter().nth(1).is_some() {
            return Err(Error::Malformed("the request has more than one Host header".to_owned()));
        }
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let user_agent = agent.map(|text| truncated(text.to_owned(), 256));
        if !is_among(trusted, peer) {
            let forwarded = OF_PROXIES.iter().any(|name| headers.contains_key(name));
            let way = if forwarded { Way::Unknown } else { Way::Direct };
            return Ok(Self { address: peer, way, secure: false, user_agent });
        }
        let told = told(headers, trusted)?;
        if let Some(host) = told.host {
            put_host(&host, headers, uri)?;
        }
        let way = if told.address.is_some() { Way::Proxied } else { Way::Unknown };
        Ok(Self { address: told.address.unwrap_or(peer), way, secure: told.secure, user_agent })
    }
}

impl<S: Sync> FromRequestParts<S> for Client {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::of(parts).cloned()
    }
}

impl aide::OperationInput for Client {}

impl Client {
    /// The client of a request, as the layer around all doors has read it.
    pub fn of(parts: &Parts) -> Result<&Self> {
        parts.extensions.get().ok_or_else(|| Error::internal("a request without a client"))
    }
}

/// The other end of the connection a request came over.
pub(super) fn peer(extensions: &http::Extensions) -> Result<IpAddr> {
    let peer = extensions.get::<Peer>().ok_or_else(|| Error::internal("a request without a connection"))?;
    Ok(peer.0.ip())
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn is_among(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// What the trusted proxies say, by either family of headers. A proxy writes one
/// and lets the other through as its client sent it, so two that differ are refused.
fn told(headers: &HeaderMap, trusted: &[IpNet]) -> Result<Told> {
    let common = told_commonly(headers, trusted);
    if !headers.contains_key(header::FORWARDED) {
        return Ok(common);
    }
    let standard = told_by_standard(headers, trusted);
    if ![X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO].iter().any(|name| headers.contains_key(name)) {
        return Ok(standard);
    }
    let differ = common.address != standard.address
        || common.secure != standard.secure
        || standard.host.is_some() && common.host != standard.host;
    if differ {
        return Err(Error::Malformed(
            "the headers Forwarded and X-Forwarded-... differ; have the proxy send one of them".to_owned(),
        ));
    }
    Ok(common)
}

/// What `X-Forwarded-For`, `-Proto` and `-Host` say.
fn told_commonly(headers: &HeaderMap, trusted: &[IpNet]) -> Told {
    let last = |name| list(headers, name).pop();
    let hops = list(headers, &X_FORWARDED_FOR);
    Told {
        address: nearest_stranger(hops.iter().rev().map(|hop| address(hop)), trusted).map(|(_, found)| found),
        secure: last(&X_FORWARDED_PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        host: last(&X_FORWARDED_HOST).map(str::to_owned),
    }
}

/// What `Forwarded` (RFC 7239) says: each proxy adds an element about the request it got.
fn told_by_standard(headers: &HeaderMap, trusted: &[IpNet]) -> Told {
    let elements: Vec<&str> = list(headers, &header::FORWARDED);
    let about = |element: &str, name: &str| {
        let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        values.next().map(|value| value.trim_matches('"').to_owned())
    };
    let hops = elements.iter().rev().map(|element| about(element, "for").and_then(|hop| address(&hop)));
    let found = nearest_stranger(hops, trusted);
    let about = |name| {
        let outermost = elements.iter().rev().nth(found.map_or(0, |(hop, _)| hop));
        outermost.and_then(|element| about(element, name))
    };
    Told {
        address: found.map(|(_, address)| address),
        secure: about("proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https")),
        host: about("host"),
    }
}

/// The first address, from the nearest hop, that is no trusted proxy's: what lies
/// behind it is that one's own tale. If all are trusted, the farthest; if a
/// trusted proxy names none, nobody.
fn nearest_stranger(
    hops: impl Iterator<Item = Option<IpAddr>>,
    trusted: &[IpNet],
) -> Option<(usize, IpAddr)> {
    let mut farthest = None;
    for (hop, address) in hops.enumerate() {
        farthest = Some((hop, address?));
        if !address.is_some_and(|address| is_among(trusted, address)) {
            break;
        }
    }
    farthest
}

/// An address as a proxy writes it: with or without port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.split(']').next());
    let found = bare.unwrap_or(text).parse::<IpAddr>();
    let found = found.or_else(|_| text.parse::<std::net::SocketAddr>().map(|socket| socket.ip()));
    found.ok().map(|address| address.to_canonical())
}

/// The parts of all headers of this name, which are separated by commas.
fn list<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Vec<&'h str> {
    let lines = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Makes `host` what the request asks for.
fn put_host(host: &str, headers: &mut HeaderMap, uri: &mut Uri) -> Result<()> {
    let wrong = || Error::Malformed("the proxy's X-Forwarded-Host or Forwarded names no host".to_owned());
    let authority: Authority = host.parse().map_err(|_| wrong())?;
    let value = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?;
    headers.insert(header::HOST, value);
    // What stands in an absolute address would count before the header.
    if uri.authority().is_some() {
        let path = uri.path_and_query().map_or("/", |asked| asked.as_str());
        *uri = path.parse().map_err(|_| wrong())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who `peer` with these headers is, and the host asked for, where `10.0.0.0/24` and `::1` are trusted.
    fn arrived(peer: &str, pairs: &[(&'static str, &str)]) -> Result<(String, Way, bool, String)> {
        let trusted: Vec<IpNet> =
            ["10.0.0.0/24", "::1/128"].iter().map(|net| net.parse().expect("a network")).collect();
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("inside:8080"))]);
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).expect("a header"));
        }
        let mut uri = Uri::from_static("/a?b");
        let peer = peer.parse().expect("an address");
        let client = Client::arrive(peer, &trusted, (&mut headers, &mut uri))?;
        let host = headers[header::HOST].to_str().expect("text").to_owned();
        Ok((client.address.to_string(), client.way, client.secure, host))
    }

    fn told(pairs: &[(&'static str, &str)]) -> (String, Way, bool, String) {
        arrived("10.0.0.1", pairs).expect("it can be read")
    }

    fn is(address: &str, way: Way, secure: bool, host: &str) -> (String, Way, bool, String) {
        (address.to_owned(), way, secure, host.to_owned())
    }

    #[test]
    fn strangers_are_not_believed_and_have_no_privileges() {
        let forged = [
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "picloud.local"),
            ("forwarded", "for=127.0.0.1;proto=https;host=picloud.local"),
        ];
        for name in ["192.168.1.9", "127.0.0.1", "::ffff:192.168.1.9"] {
            let plain = name.trim_start_matches("::ffff:");
            assert_eq!(
                arrived(name, &forged).expect("read"),
                is(plain, Way::Unknown, false, "inside:8080"),
                "{name}"
            );
            assert_eq!(arrived(name, &[]).expect("read"), is(plain, Way::Direct, false, "inside:8080"));
        }
    }

    #[test]
    fn the_right_most_address_that_is_no_proxys_is_the_client() {
        let client = |chain: &str| told(&[("x-forwarded-for", chain)]).0;
        assert_eq!(client("192.168.1.9"), "192.168.1.9");
        assert_eq!(client("127.0.0.1, 192.168.1.9"), "192.168.1.9", "what the client sent itself");
        assert_eq!(client("8.8.8.8, 192.168.1.9, 10.0.0.7,10.0.0.8"), "192.168.1.9");
        assert_eq!(client("10.0.0.3, 10.0.0.8"), "10.0.0.3", "a client among the proxies");
        assert_eq!(client("[2001:db8::1]:443, 10.0.0.8"), "2001:db8::1");
        assert_eq!(client("192.168.1.9:5000"), "192.168.1.9");
        let split = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "192.168.1.9")];
        assert_eq!(told(&split).0, "192.168.1.9");
    }

    #[test]
    fn a_proxy_that_does_not_tell_leaves_the_client_unknown() {
        for silent in [&[][..], &[("x-forwarded-proto", "http")], &[("x-forwarded-for", "unknown")]] {
            assert_eq!(told(silent), is("10.0.0.1", Way::Unknown, false, "inside:8080"));
        }
        let behind = told(&[("x-forwarded-for", "192.168.1.9, unknown, 10.0.0.8")]);
        assert_eq!((behind.0.as_str(), behind.1), ("10.0.0.1", Way::Unknown));
    }

    #[test]
    fn scheme_and_host_are_the_nearest_proxys_words() {
        let with = |proto: &str, host: &str| {
            let (_, _, secure, host) = told(&[
                ("x-forwarded-for", "192.168.1.9"),
                ("x-forwarded-proto", proto),
                ("x-forwarded-host", host),
            ]);
            (secure, host)
        };
        assert_eq!(with("HTTPS", "pi.example:8443"), (true, "pi.example:8443".to_owned()));
        assert_eq!(with("https, http", "picloud.local, evil.example"), (false, "evil.example".to_owned()));
        assert!(arrived("10.0.0.1", &[("x-forwarded-host", "a/b")]).is_err());
        assert!(arrived("10.0.0.1", &[("x-forwarded-host", "a b")]).is_err());
    }

    #[test]
    fn the_standard_header_is_read_by_the_element_of_the_outermost_trusted_proxy() {
        let chain = "for=127.0.0.1;host=localhost, For=\"[2001:db8::1]:9\";Proto=https;host=pi.example, for=10.0.0.7;proto=http;host=inner";
        assert_eq!(told(&[("forwarded", chain)]), is("2001:db8::1", Way::Proxied, true, "pi.example"));
        assert_eq!(
            told(&[("forwarded", "for=_hidden;proto=https")]),
            is("10.0.0.1", Way::Unknown, true, "inside:8080")
        );
    }

    #[test]
    fn two_tales_that_differ_are_refused() {
        let agree = [("x-forwarded-for", "192.168.1.9"), ("forwarded", "for=192.168.1.9")];
        assert_eq!(told(&agree).0, "192.168.1.9");
        for forged in ["for=127.0.0.1", "for=192.168.1.9;proto=https", "for=192.168.1.9;host=picloud.local"] {
            let both = [("x-forwarded-for", "192.168.1.9"), ("forwarded", forged)];
            assert!(arrived("10.0.0.1", &both).is_err(), "{forged}");
        }
    }

    #[test]
    fn privileges_of_the_machine_and_its_network_need_a_known_client() {
        let client = |address: &str, way| Client {
            address: address.parse().expect("an address"),
            way,
            secure: false,
            user_agent: None,
        };
        for way in [Way::Direct, Way::Proxied, Way::Unknown] {
            assert_eq!(client("127.0.0.1", way).is_this_machine(), way == Way::Direct);
            assert_eq!(client("::1", way).is_local(), way == Way::Direct);
            assert_eq!(client("192.168.1.9", way).is_local(), way != Way::Unknown);
            assert!(!client("8.8.8.8", way).is_local());
        }
    }
}
