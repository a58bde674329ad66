//! The headers a script sets: which it may, and how often.

use http::{HeaderName, HeaderValue};
use rhai::{Array, Dynamic, ImmutableString, Map};

use super::{Failure, Headers, bad};

/// The most headers of one response. A header map of the HTTP library panics beyond 32 768.
const MOST: usize = 256;
/// The most bytes of all names and values together.
const MOST_BYTES: usize = 64 * 1024;

/// Headers that belong to the connection or the framing, which are PiCloud's own.
const REFUSED: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The cookie of the administrator's session, which no script may set.
const SESSION_COOKIE: &str = "picloud_session";

/// Reads the `headers` of a response: a value may be an array, and is then sent once for each.
pub(super) fn read(headers: &Dynamic) -> Result<Headers, Failure> {
    if headers.is_unit() {
        return Ok(Headers::new());
    }
    let map = headers.read_lock::<Map>().ok_or_else(|| bad("`headers` must be a map"))?;
    let mut all = Headers::new();
    let mut bytes = 0;
    for (name, value) in map.iter() {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad(format!("`{}` is not a header name", name.escape_debug())))?;
        if REFUSED.contains(&parsed.as_str()) {
            return Err(bad(format!("the header `{parsed}` is set by PiCloud, not by scripts")));
        }
        let many = value.read_lock::<Array>();
        let values = many.as_deref().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let value = text(&parsed, value)?;
            bytes += parsed.as_str().len() + value.len();
            if all.len() == MOST || bytes > MOST_BYTES {
                return Err(bad(format!(
                    "a response has at most {MOST} headers of {MOST_BYTES} bytes together"
                )));
            }
            all.push((parsed.clone(), value));
        }
    }
    Ok(all)
}

fn text(name: &HeaderName, value: &Dynamic) -> Result<HeaderValue, Failure> {
    let invalid = || bad(format!("the value of the header `{name}` cannot be sent"));
    let parsed = match value.read_lock::<ImmutableString>() {
        Some(text) => HeaderValue::from_bytes(text.as_bytes()).map_err(|_| invalid())?,
        None if value.is_int() || value.is_float() || value.is_bool() || value.is_char() => {
            HeaderValue::from_str(&value.to_string()).map_err(|_| invalid())?
        }
        None => {
            return Err(bad(format!("the value of the header `{name}` must be text, or an array of texts")));
        }
    };
    if *name == http::header::SET_COOKIE && sets_session(parsed.as_bytes()) {
        return Err(bad(format!("the cookie `{SESSION_COOKIE}` is PiCloud's own")));
    }
    Ok(parsed)
}

/// Whether a `set-cookie` would make a browser send a cookie that looks like our session.
///
/// A cookie without a name, `=name=value`, is sent as `name=value`: so what
/// stands before the name does not count.
fn sets_session(cookie: &[u8]) -> bool {
    let cookie = String::from_utf8_lossy(cookie);
    let named = cookie.trim_start_matches(|c: char| c == '=' || c.is_ascii_whitespace());
    let name = named.split(['=', ';']).next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case(SESSION_COOKIE)
}

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::*;

    fn headers(map: &str) -> Result<Vec<(String, String)>, String> {
        let map = Engine::new().eval::<Dynamic>(map).expect("the test's script runs");
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        match read(&map) {
            Ok(all) => Ok(all.iter().map(|(name, value)| (name.to_string(), text(value))).collect()),
            Err(failure) => Err(failure.message),
        }
    }

    #[test]
    fn names_become_lower_case_and_values_text() {
        let all = headers(r#"#{ "X-A": "b", "X-N": 1, "X-T": true, "X-U": "ä" }"#);
        let expected = [("x-a", "b"), ("x-n", "1"), ("x-t", "true"), ("x-u", "ä")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(all, Ok(expected.to_vec()));
    }

    #[test]
    fn an_array_is_sent_once_for_each() {
        let all = headers(r#"#{ "set-cookie": ["a=1", "b=2"] }"#);
        let cookie = |value: &str| ("set-cookie".to_owned(), value.to_owned());
        assert_eq!(all, Ok(vec![cookie("a=1"), cookie("b=2")]));
    }

    #[test]
    fn what_cannot_be_sent_is_named() {
        for (map, named) in [
            (r#"#{ "a b": "c" }"#, "`a b`"),
            (r#"#{ "": "c" }"#, "``"),
            (r#"#{ "x-a": "b\r\nset-cookie: c=d" }"#, "`x-a`"),
            (r#"#{ "x-a": "b\x00" }"#, "`x-a`"),
            (r#"#{ "x-a": #{} }"#, "`x-a`"),
            (r#"#{ "x-a": ["b", ()] }"#, "`x-a`"),
            (r#"#{ "x-a": [["b"]] }"#, "`x-a`"),
            ("[1]", "`headers`"),
        ] {
            assert!(headers(map).is_err_and(|why| why.contains(named)), "{map}");
        }
    }

    #[test]
    fn the_connections_own_headers_are_refused() {
        for name in REFUSED {
            let map = format!(r#"#{{ "{}": "1" }}"#, name.to_uppercase());
            assert!(headers(&map).is_err_and(|why| why.contains(name)), "{name}");
        }
    }

    #[test]
    fn the_session_cookie_is_refused_in_every_disguise() {
        for cookie in [
            "picloud_session=x",
            "Picloud_Session=x",
            " picloud_session =x; Path=/",
            "=picloud_session=x",
            "==\\tpicloud_session=x",
            "picloud_session",
        ] {
            for value in [format!("\"{cookie}\""), format!("[\"a=1\", \"{cookie}\"]")] {
                assert!(headers(&format!("#{{ \"Set-Cookie\": {value} }}")).is_err(), "{value}");
            }
        }
        assert!(headers(r#"#{ "set-cookie": "a=picloud_session" }"#).is_ok());
        assert!(headers(r#"#{ "set-cookie": "picloud_session_2=x" }"#).is_ok());
    }

    #[test]
    fn there_is_an_end_to_headers() {
        let many = "let a = []; for i in 0..257 { a.push(\"b\") } #{ \"x-a\": a }";
        assert!(headers(many).is_err_and(|why| why.contains("at most 256")));
        assert!(headers("let s = \"\"; s.pad(65537, 'a'); #{ \"x-a\": s }").is_err());
    }
}
