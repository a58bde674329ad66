//! From a request's head and body to what its script sees.

use axum::body::{Body, HttpBody as _};
use http::{HeaderMap, Method, Uri, Version, header, request::Parts};

use crate::{
    access::{Caller, Capability, token},
    base::{
        Error, Result,
        id::AppId,
        name::Slug,
        pattern::{RequestPath, request_host},
    },
    config::Http,
    engine,
    routing::{Asked, Match},
    store::member,
    web::{Client, State, body, caller, origin::OwnNames, script_request},
};

/// What a request asks for, checked and decoded.
pub(super) struct Arrived {
    /// The host, lower case, without port; empty if the request names none, as HTTP/1.0 may.
    pub(super) host: String,
    /// Whether that is one of the machine's own names.
    pub(super) is_own: bool,
    /// The path, with `/~slug` if it has it.
    pub(super) path: RequestPath,
    query: Vec<(String, String)>,
}

impl Arrived {
    /// Reads what stands in a request's head; what could be read in two ways is malformed.
    pub(super) fn read(parts: &Parts, own: &OwnNames) -> Result<Self> {
        let path = RequestPath::parse(parts.uri.path()).map_err(malformed)?;
        let query = script_request::query(parts.uri.query())?;
        let host = host(parts)?;
        let is_own = own.is_own(&host);
        Ok(Self { host, is_own, path, query })
    }

    /// The same as a question to the route table.
    pub(super) fn asked<'r>(&'r self, method: &'r Method) -> Asked<'r> {
        Asked { host: &self.host, is_own: self.is_own, method: method.as_str(), path: &self.path }
    }
}

fn malformed(why: &str) -> Error {
    Error::Malformed(why.to_owned())
}

/// The host asked for: that of an absolute request target, else of the one `Host` header.
fn host(parts: &Parts) -> Result<String> {
    let mut headers = parts.headers.get_all(header::HOST).iter();
    let named = match (headers.next(), headers.next()) {
        (_, Some(_)) => return Err(malformed("the request has more than one Host header")),
        (Some(host), None) => Some(host.to_str().map_err(|_| malformed("the Host header is not ASCII"))?),
        (None, None) => None,
    };
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    if parts.version >= Version::HTTP_11 && authority.or(named).is_none() {
        return Err(malformed("the request has no Host header"));
    }
    match authority.or(named) {
        None | Some("") => Ok(String::new()),
        Some(authority) => request_host(authority).map_err(malformed),
    }
}

/// The request's own address with the old slug in its path replaced by the present one.
pub(super) fn with_slug(uri: &Uri, slug: &Slug) -> String {
    let behind = uri.path()[1..].find('/').map_or("", |slash| &uri.path()[1 + slash..]);
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/~{slug}{behind}{query}")
}

/// Who comes with a bearer token of ours; any other `Authorization` is the script's own business.
///
/// A key that is bound to another app says here as little as one that is unknown.
pub(super) async fn caller(state: &State, headers: &HeaderMap, app: AppId) -> Result<Option<Caller>> {
    let Some(token) = caller::bearer(headers).filter(|token| token::is_ours(token)) else {
        return Ok(None);
    };
    let caller = caller::caller_of(state, token).await?;
    if caller.bound_to().is_some_and(|bound| bound != app) {
        return Err(Error::Unauthenticated("this API key is bound to another app".to_owned()));
    }
    Ok(Some(caller))
}

/// Whether a caller learns why a run failed: who may read the script may.
pub(super) async fn may_read(state: &State, caller: &Caller, app: AppId) -> Result<bool> {
    let role = member::role(&state.db, app, caller.user.id).await?;
    Ok(caller.may_in(app, role, Capability::AppRead))
}

/// Reads and decodes the body.
pub(super) async fn body(http: &Http, headers: &HeaderMap, body: Body) -> Result<engine::Body> {
    if body.is_end_stream() {
        return Ok(engine::Body::default());
    }
    let raw = body::read(body, http.body_limit, http.request_timeout).await?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    engine::body::decode_request(content_type, raw).await.map_err(|why| Error::invalid("body", why))
}

/// What the script sees of the request.
pub(super) fn seen(
    parts: &Parts,
    arrived: Arrived,
    (found, path): (Match, RequestPath),
    body: engine::Body,
) -> Result<engine::Request> {
    Ok(engine::Request {
        method: parts.method.to_string(),
        path: path.into(),
        host: arrived.host,
        headers: script_request::headers(&parts.headers),
        query: arrived.query,
        params: found.params,
        rest: found.rest,
        body,
        remote_addr: Client::of(parts)?.address.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    /// The host and path of a request for `target` with these `Host` headers.
    fn arrived(target: &str, hosts: &[&str]) -> Result<(String, String, bool)> {
        let request = hosts.iter().fold(Request::get(target), |request, host| request.header("host", *host));
        let version = if hosts.is_empty() { Version::HTTP_10 } else { Version::HTTP_11 };
        let (parts, ()) = request.version(version).body(()).expect("a request").into_parts();
        let own = OwnNames::new("picloud", &[]);
        Arrived::read(&parts, &own).map(|a| (a.host, String::from(a.path), a.is_own))
    }

    #[test]
    fn the_host_is_the_targets_or_the_headers() -> Result<()> {
        let is = |host: &str, is_own| (host.to_owned(), "/a".to_owned(), is_own);
        assert_eq!(arrived("/a", &["Garden.local:8080"])?, is("garden.local", false));
        assert_eq!(arrived("/a", &["picloud.local."])?, is("picloud.local", true));
        assert_eq!(arrived("/a", &["192.168.1.7:80"])?, is("192.168.1.7", true));
        assert_eq!(arrived("/a", &["[::1]:80"])?, is("[::1]", true));
        assert_eq!(arrived("http://garden.local:80/a", &["picloud.local"])?, is("garden.local", false));
        assert_eq!(arrived("/a", &[])?, is("", false));
        Ok(())
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_malformed() {
        for (target, hosts) in [
            ("/a", &["a.local", "b.local"][..]),
            ("/a", &["a.local, b.local"]),
            ("/a", &["a/b"]),
            ("/a/../b", &["a.local"]),
            ("/a//b", &["a.local"]),
            ("/a%00", &["a.local"]),
            ("/a?b=%00", &["a.local"]),
            ("*", &["a.local"]),
        ] {
            let answer = arrived(target, hosts);
            assert!(matches!(answer, Err(Error::Malformed(_))), "{target} {hosts:?}: {answer:?}");
        }
    }

    #[test]
    fn a_renamed_slug_keeps_path_and_query() -> Result<(), String> {
        let slug: Slug = "new".parse()?;
        for (old, new) in [
            ("/~old/a%20b/?q=1&r", "/~new/a%20b/?q=1&r"),
            ("/~old/", "/~new/"),
            ("/~old?q", "/~new?q"),
            ("/%7Eold//", "/~new//"),
        ] {
            assert_eq!(with_slug(&old.parse::<Uri>().map_err(|e| e.to_string())?, &slug), new);
        }
        Ok(())
    }
}
