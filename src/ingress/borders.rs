//! Borders between origins: what the page of a script may do in the browser, and
//! what pages of other origins may ask of an app.
//!
//! Under a host that its app has claimed, a page has that origin to itself and
//! all that comes with it. Under any other host (the machine's own names, those
//! nobody has claimed, those of another app) it shares the origin with strangers,
//! above all with the administration: there it gets an opaque origin of its own.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

use crate::{base::pattern, routing::Site, store::app::Cors};

/// Gives a page an opaque origin: no cookies, no storage, no calls with the
/// administrator's session. It is added to, never in place of, what a script set.
const SANDBOX: HeaderValue =
    HeaderValue::from_static("sandbox allow-scripts allow-forms allow-popups allow-downloads");

const ANY: HeaderValue = HeaderValue::from_static("*");

/// What a preflight's answer depends on.
const VARY_OF_PREFLIGHT: [HeaderName; 3] =
    [header::ORIGIN, header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_REQUEST_HEADERS];

/// The borders around one answer.
#[derive(Default)]
pub(super) struct Borders {
    is_at_home: bool,
    cors: Option<Arc<Cors>>,
    /// The origin of the page that asks, if a page does.
    origin: Option<HeaderValue>,
}

/// What the page that asks may read.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// What the script itself says.
    AsTheScriptSays,
    /// All pages may, without cookies.
    Anyone,
    /// This page's origin may; with cookies, if so.
    This(HeaderValue, bool),
    /// It may not.
    Nobody,
}

impl Borders {
    /// Those around the answer to a request for `site`.
    pub(super) fn new(site: Site, parts: &Parts) -> Self {
        let Site { is_at_home, cors } = site;
        Self { is_at_home, cors, origin: parts.headers.get(header::ORIGIN).cloned() }
    }

    /// Whether a page in a sandbox calls, which may be one of the app's own.
    fn is_from_a_sandbox(&self) -> bool {
        !self.is_at_home && self.origin.as_ref().is_some_and(|origin| origin == "null")
    }

    fn verdict(&self) -> Verdict {
        let Some(cors) = &self.cors else {
            return if self.is_from_a_sandbox() { Verdict::Anyone } else { Verdict::AsTheScriptSays };
        };
        if cors.takes_any() {
            return Verdict::Anyone;
        }
        let origin = self.origin.as_ref().filter(|origin| origin.to_str().is_ok_and(|text| cors.takes(text)));
        origin.map_or(Verdict::Nobody, |origin| Verdict::This(origin.clone(), cors.with_credentials()))
    }

    /// Whether PiCloud itself answers this request, which no script sees then:
    /// OPTIONS of an app that has a setting, and preflights from a sandbox.
    pub(super) fn answer_options(&self, parts: &Parts) -> bool {
        let is_preflight = parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        parts.method == Method::OPTIONS && (self.cors.is_some() || is_preflight && self.is_from_a_sandbox())
    }

    /// The answer to OPTIONS where routes take `methods`.
    pub(super) fn options(&self, parts: &Parts, methods: &[pattern::Method]) -> Response {
        let taken: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        put(headers, header::ALLOW, &taken.join(", "));
        let may = !matches!(self.verdict(), Verdict::Nobody | Verdict::AsTheScriptSays);
        if may && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            let cors = self.cors.as_deref();
            let named = cors.and_then(|cors| cors.methods.as_ref());
            let methods = named.map_or_else(|| taken.join(", "), |named| named.join(", "));
            put(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &methods);
            match cors.and_then(|cors| cors.headers.as_ref()) {
                Some(named) => put(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &named.join(", ")),
                None => {
                    if let Some(asked) = parts.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
                        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
                    }
                }
            }
            if let Some(age) = cors.and_then(|cors| cors.max_age) {
                headers.insert(header::ACCESS_CONTROL_MAX_AGE, age.into());
            }
        }
        for name in VARY_OF_PREFLIGHT {
            headers.append(header::VARY, name.into());
        }
        response
    }

    /// Adds to an answer what keeps its page, and those that read it, within their borders.
    pub(super) fn guard(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        if !self.is_at_home {
            headers.append(header::CONTENT_SECURITY_POLICY, SANDBOX);
        }
        let (allowed, credentials) = match self.verdict() {
            Verdict::AsTheScriptSays => {
                if !self.is_at_home {
                    vary_by_origin(headers);
                }
                return response;
            }
            Verdict::Anyone => (Some(ANY), false),
            Verdict::This(origin, credentials) => (Some(origin), credentials),
            Verdict::Nobody => (None, false),
        };
        headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        headers.remove(header::ACCESS_CONTROL_ALLOW_CREDENTIALS);
        if credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if allowed != Some(ANY) || self.cors.is_none() {
            vary_by_origin(headers);
        }
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        response
    }
}

/// Tells caches that another page might have been answered otherwise.
fn vary_by_origin(headers: &mut HeaderMap) {
    let said = headers.get_all(header::VARY).iter().any(|value| {
        let names = value.to_str().unwrap_or_default().split(',').map(str::trim);
        names.into_iter().any(|name| name == "*" || name.eq_ignore_ascii_case("origin"))
    });
    if !said {
        headers.append(header::VARY, header::ORIGIN.into());
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn borders(is_at_home: bool, origin: Option<&'static str>, cors: Option<&[&str]>) -> Borders {
        let origins = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        let cors = cors.map(|all| Arc::new(Cors { origins: origins(all), ..Cors::default() }));
        Borders { is_at_home, cors, origin: origin.map(HeaderValue::from_static) }
    }

    /// The headers of an answer on which a script has set some itself.
    fn guarded(borders: &Borders) -> HeaderMap {
        let mut response = Response::new(axum::body::Body::empty());
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "https://scripts.example"),
            (header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true"),
            (header::VARY, "accept, Origin"),
        ] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        borders.guard(response).into_parts().0.headers
    }

    fn policies(headers: &HeaderMap) -> usize {
        headers.get_all(header::CONTENT_SECURITY_POLICY).iter().count()
    }

    #[test]
    fn away_from_home_a_policy_is_added_to_the_scripts() {
        let headers = guarded(&borders(false, None, None));
        let all: Vec<_> = headers.get_all(header::CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(all, [&HeaderValue::from_static("default-src 'self'"), &SANDBOX]);
        assert_eq!(policies(&guarded(&borders(true, None, None))), 1);
    }

    #[test]
    fn a_page_in_a_sandbox_reads_without_credentials_whatever_the_script_says() {
        let headers = guarded(&borders(false, Some("null"), None));
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        for other in [borders(true, Some("null"), None), borders(false, Some("http://a"), None)] {
            let headers = guarded(&other);
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://scripts.example");
            assert!(headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
    }

    #[test]
    fn a_setting_decides_alone() {
        let allowed = |headers: &HeaderMap| headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
        let shop = Some(&["https://shop.example"][..]);
        for home in [true, false] {
            assert_eq!(allowed(&guarded(&borders(home, Some("null"), shop))), None);
            assert_eq!(allowed(&guarded(&borders(home, None, shop))), None);
            assert_eq!(allowed(&guarded(&borders(home, Some("https://evil.example"), shop))), None);
            let headers = guarded(&borders(home, Some("https://shop.example"), shop));
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
            assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
            assert_eq!(headers.get_all(header::VARY).iter().count(), 1, "{headers:?}");
            assert_eq!(allowed(&guarded(&borders(home, None, Some(&["*"])))), Some(ANY));
        }
        let mut with = borders(true, Some("https://shop.example"), shop);
        with.cors = with.cors.map(|cors| Arc::new(Cors { credentials: Some(true), ..(*cors).clone() }));
        assert_eq!(guarded(&with)[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
    }
}
