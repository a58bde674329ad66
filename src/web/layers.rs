//! What is done around every request: its id, who sent it, its count, the
//! headers that keep ours safe in a browser, and the net under a panic.

use std::panic::AssertUnwindSafe;

use axum::{
    extract::{Request, State as AxumState},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{
    client::{self, Client},
    origin,
    state::State,
};
use crate::base::{Error, Result};

/// The header that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that names an execution.
pub const EXECUTION_ID: HeaderName = HeaderName::from_static("x-execution-id");

/// What PiCloud's own answers are sent with, unless they say otherwise: they are
/// read as what they are, framed and embedded by nobody, and kept nowhere. With
/// `no-referrer` browsers would send `Origin: null` with our own forms.
const GUARDS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// The request's id: the caller's if it is 1 to 128 visible ASCII characters, else one of ours.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let visible = |value: &&HeaderValue| {
            (1..=128).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic)
        };
        let given = headers.get(REQUEST_ID).filter(visible).cloned();
        Self(given.unwrap_or_else(|| {
            let mut buffer = uuid::Uuid::encode_buffer();
            let id = uuid::Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
            HeaderValue::from_str(id).unwrap_or_else(|_| HeaderValue::from_static("0"))
        }))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Gives the request its id, counts it, and turns a panic into a 500.
///
/// What the administration is asked runs to its end in a task of its own: a
/// caller that goes away must not leave a change half-way, committed but not
/// served, or a transaction open on a connection that goes back to the pool.
/// A run of a script has its end without its caller too, in the dispatcher.
pub async fn around(AxumState(state): AxumState<State>, mut request: Request, next: Next) -> Response {
    let id = RequestId::of(request.headers());
    let door = door(request.uri().path());
    request.extensions_mut().insert(id.clone());
    let answered = match admit(&state, &mut request, door) {
        Err(error) => Some(error.into_response()),
        Ok(()) if is_administration(door) => tokio::spawn(next.run(request)).await.ok(),
        Ok(()) => AssertUnwindSafe(next.run(request)).catch_unwind().await.ok(),
    };
    let mut response = answered.unwrap_or_else(|| {
        Error::internal(format!("a handler panicked in request {}", id.as_str())).into_response()
    });
    state.metrics.http_requests.with_label_values(&[door, class(response.status())]).inc();
    if door != APP {
        guard(response.headers_mut());
    }
    response.headers_mut().insert(REQUEST_ID, id.0);
    response
}

/// Learns who is at the other end, and whether they may knock at this door.
fn admit(state: &State, request: &mut Request, door: &str) -> Result<()> {
    let peer = client::peer(request.extensions())?;
    let (mut headers, mut uri) = (std::mem::take(request.headers_mut()), std::mem::take(request.uri_mut()));
    let client = Client::arrive(peer, &state.config.http.trusted_proxies, (&mut headers, &mut uri));
    (*request.headers_mut(), *request.uri_mut()) = (headers, uri);
    request.extensions_mut().insert(client?);
    if is_administration(door) { require_own_name(state, request) } else { Ok(()) }
}

fn is_administration(door: &str) -> bool {
    matches!(door, "admin" | "api")
}

/// Refuses the administration under a name that is not this machine's: a page
/// that rebinds its own name to our address gets nowhere.
fn require_own_name(state: &State, request: &Request) -> Result<()> {
    let host = origin::host_of(request.headers(), request.uri());
    if state.own_names.is_own(&host) {
        return Ok(());
    }
    Err(Error::Misdirected(format!(
        "the administration does not answer as {host:?}; if that is this machine, add it to the key own_names"
    )))
}

/// The door of the apps, whose scripts set their headers themselves.
const APP: &str = "app";

/// The front door a path belongs to, as the metrics name it.
fn door(path: &str) -> &'static str {
    let mut segments = path.split('/').skip(1);
    match (segments.next(), segments.next()) {
        (Some("admin"), _) => "admin",
        (Some("api"), Some("v1")) => "api",
        (Some("healthz" | "readyz" | "version" | "metrics"), None) => "open",
        _ => APP,
    }
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in GUARDS {
        headers.entry(name).or_insert(value);
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(REQUEST_ID, value);
        }
        RequestId::of(&headers).as_str() == value
    }

    #[test]
    fn a_callers_id_is_kept_only_if_it_is_short_and_visible() {
        assert!(kept("abc-1"));
        assert!(kept(&"x".repeat(128)));
        assert!(!kept(&"x".repeat(129)));
        assert!(!kept("a b"));
        assert!(!kept(""));
    }
}
