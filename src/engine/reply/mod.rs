//! What a script returns, as a response: or why it is none.

mod headers;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header::CONTENT_TYPE};
use rhai::{Blob, Dynamic, ImmutableString, Map};

use super::{
    body,
    convert::{self, Unfit},
    failure::failure,
    meter::size,
    outcome::{BodyKind, Failure, FailureKind, Response},
};

/// How large a response may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Bytes of its body.
    pub body: usize,
    /// Bytes of one string in it, and of a string that is the body.
    pub string: usize,
    /// Bytes of a blob that is the body.
    pub blob: usize,
}

type Headers = Vec<(HeaderName, HeaderValue)>;

/// Turns what a script returned, or threw, into a response.
///
/// A map with `statusCode`, or with `headers` or `body` and no other key, says
/// itself what it is; any other value is a body, and `()` is none.
pub(super) fn response(value: &Dynamic, sizes: Sizes) -> Result<Response, Failure> {
    let map = value.read_lock::<Map>();
    match map.as_deref().filter(|map| is_response(map)) {
        Some(map) => from_map(map, sizes),
        None => with_body(None, Headers::new(), value, sizes),
    }
}

/// The response of a run that answers nobody.
pub(super) fn nothing() -> Response {
    Response { status: 200, headers: Vec::new(), body: Bytes::new(), body_kind: BodyKind::Empty }
}

fn is_response(map: &Map) -> bool {
    map.contains_key("statusCode")
        || (!map.is_empty() && map.keys().all(|key| matches!(key.as_str(), "headers" | "body")))
}

fn from_map(map: &Map, sizes: Sizes) -> Result<Response, Failure> {
    if let Some(key) = map.keys().find(|key| !matches!(key.as_str(), "statusCode" | "headers" | "body")) {
        return Err(bad(format!(
            "a response has no key `{key}` beside `statusCode`, only `headers` and `body`"
        )));
    }
    let status = map.get("statusCode").map(status).transpose()?;
    let headers = map.get("headers").map(headers::read).transpose()?.unwrap_or_default();
    with_body(status, headers, map.get("body").unwrap_or(&Dynamic::UNIT), sizes)
}

fn status(value: &Dynamic) -> Result<u16, Failure> {
    let status = value.as_int().ok().and_then(|status| u16::try_from(status).ok());
    status.filter(|status| (200..=599).contains(status)).ok_or_else(|| {
        let given = convert::to_json(value, 100).unwrap_or_else(|_| "something else".to_owned());
        bad(format!("`statusCode` must be a whole number from 200 to 599, not {given}"))
    })
}

fn with_body(
    status: Option<u16>,
    mut headers: Headers,
    body: &Dynamic,
    sizes: Sizes,
) -> Result<Response, Failure> {
    if matches!(status, Some(204 | 304)) || body.is_unit() {
        let status = status.unwrap_or(204);
        return Ok(Response { status, headers, body: Bytes::new(), body_kind: BodyKind::Empty });
    }
    let told = headers.iter().rev().find(|(name, _)| name == CONTENT_TYPE).map(|(_, value)| value);
    let raw = told.is_some_and(|told| !is_json(told));
    let (bytes, body_kind, usual) = match body.read_lock::<Blob>() {
        Some(blob) => {
            within("the blob of the response", blob.len(), sizes.blob)?;
            within("the response", blob.len(), sizes.body)?;
            (Bytes::copy_from_slice(&blob), BodyKind::Blob, "application/octet-stream")
        }
        None => match body.read_lock::<ImmutableString>() {
            Some(text) if raw => {
                within("the string of the response", text.len(), sizes.string)?;
                within("the response", text.len(), sizes.body)?;
                (Bytes::copy_from_slice(text.as_bytes()), BodyKind::Text, "text/plain")
            }
            _ => (json(body, sizes)?, BodyKind::Json, "application/json"),
        },
    };
    if told.is_none() {
        headers.push((CONTENT_TYPE, HeaderValue::from_static(usual)));
    }
    Ok(Response { status: status.unwrap_or(200), headers, body: bytes, body_kind })
}

fn json(body: &Dynamic, sizes: Sizes) -> Result<Bytes, Failure> {
    match convert::to_json_of_strings(body, sizes.body, sizes.string) {
        Ok(text) => Ok(text.into()),
        Err(Unfit::NotJson(why)) => Err(bad(format!("the body cannot be sent: {why}"))),
        Err(Unfit::TooLarge { limit }) => Err(too_large("the response", limit)),
        Err(Unfit::LongString { limit }) => Err(too_large("a string in the response", limit)),
        Err(unfit @ Unfit::TooDeep) => {
            Err(failure(FailureKind::Size, format!("the body cannot be sent: {unfit}")))
        }
    }
}

fn is_json(content_type: &HeaderValue) -> bool {
    let told = content_type.to_str().ok().and_then(|told| told.parse().ok());
    told.is_some_and(|told| body::is_json(&told))
}

fn within(what: &str, bytes: usize, limit: usize) -> Result<(), Failure> {
    if bytes > limit { Err(too_large(what, limit)) } else { Ok(()) }
}

fn too_large(what: &str, limit: usize) -> Failure {
    failure(FailureKind::Size, format!("{what} is larger than {}", size(limit)))
}

fn bad(why: impl Into<String>) -> Failure {
    failure(FailureKind::BadResponse, why)
}

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::*;

    const SIZES: Sizes = Sizes { body: 1000, string: 600, blob: 800 };

    fn answer(script: &str) -> Result<Response, Failure> {
        let value = Engine::new().eval::<Dynamic>(script).expect("the test's script runs");
        response(&value, SIZES)
    }

    /// Status, content type and body.
    fn seen(script: &str) -> (u16, String, String) {
        let response = answer(script).expect("a response");
        let told = response.headers.iter().find(|(name, _)| name == CONTENT_TYPE);
        let told = told.map_or("", |(_, value)| value.to_str().unwrap_or("?"));
        (response.status, told.to_owned(), String::from_utf8_lossy(&response.body).into_owned())
    }

    fn refused(script: &str) -> (FailureKind, String) {
        let failure = answer(script).expect_err("no response");
        (failure.kind, failure.message)
    }

    #[test]
    fn a_value_is_a_200_body_in_json() {
        for (script, body) in [
            ("1", "1"),
            ("1.0", "1.0"),
            ("true", "true"),
            ("\"hi\"", "\"hi\""),
            ("[1, ()]", "[1,null]"),
            ("#{ a: 1 }", "{\"a\":1}"),
            ("#{}", "{}"),
            ("#{ body: 1, other: 2 }", "{\"body\":1,\"other\":2}"),
            ("#{ headers: #{}, x: 1 }", "{\"headers\":{},\"x\":1}"),
        ] {
            assert_eq!(seen(script), (200, "application/json".into(), body.into()), "{script}");
        }
    }

    #[test]
    fn unit_is_204() {
        assert_eq!(seen("()"), (204, String::new(), String::new()));
        assert_eq!(seen("#{ headers: #{ a: 1 } }"), (204, String::new(), String::new()));
        assert_eq!(seen("#{ statusCode: 201 }"), (201, String::new(), String::new()));
    }

    #[test]
    fn a_map_of_status_headers_and_body_is_a_response() {
        assert_eq!(seen("#{ statusCode: 404, body: 1 }"), (404, "application/json".into(), "1".into()));
        assert_eq!(seen("#{ body: [1] }"), (200, "application/json".into(), "[1]".into()));
        for status in [204, 304] {
            let script = format!("#{{ statusCode: {status}, body: 1 }}");
            assert_eq!(seen(&script), (status, String::new(), String::new()));
        }
    }

    #[test]
    fn a_string_is_raw_under_a_content_type_that_is_not_json() {
        let html = r#"#{ headers: #{ "Content-Type": "text/html" }, body: "<b>" }"#;
        assert_eq!(seen(html), (200, "text/html".into(), "<b>".into()));
        for json in ["application/json; charset=utf-8", "application/problem+json"] {
            let script = format!(r#"#{{ headers: #{{ "content-type": "{json}" }}, body: "<b>" }}"#);
            assert_eq!(seen(&script), (200, json.into(), "\"<b>\"".into()));
        }
    }

    #[test]
    fn a_blob_is_sent_as_it_is() {
        assert_eq!(seen("blob(2, 65)"), (200, "application/octet-stream".into(), "AA".into()));
        let png = r#"#{ headers: #{ "content-type": "image/png" }, body: blob(1, 66) }"#;
        assert_eq!(seen(png), (200, "image/png".into(), "B".into()));
    }

    #[test]
    fn a_further_key_beside_the_status_is_named() {
        let (kind, why) = refused("#{ statusCode: 200, boddy: 1 }");
        assert_eq!(kind, FailureKind::BadResponse);
        assert!(why.contains("`boddy`"), "{why}");
    }

    #[test]
    fn a_status_outside_200_to_599_is_named() {
        for status in ["199", "600", "-1", "200.0", "\"200\"", "99999999", "()"] {
            let (kind, why) = refused(&format!("#{{ statusCode: {status} }}"));
            assert_eq!(kind, FailureKind::BadResponse);
            assert!(why.contains("from 200 to 599"), "{why}");
        }
    }

    #[test]
    fn what_json_cannot_hold_is_no_body() {
        for script in ["|| 1", "0.0/0.0", "#{ body: #{ a: blob(1) } }"] {
            let (kind, why) = refused(script);
            assert_eq!(kind, FailureKind::BadResponse, "{script}");
            assert!(why.contains("JSON cannot hold"), "{why}");
        }
    }

    #[test]
    fn a_body_beyond_the_limit_or_too_deep_is_a_size_failure() {
        let text = r#"#{ headers: #{ "content-type": "text/plain" }, body: s }"#;
        for script in [
            "blob(801)",
            "let s = \"\"; s.pad(599, '\\n'); s",
            "let s = \"\"; s.pad(601, 'a'); [s]",
            "let a = 1; for i in 0..65 { a = [a] } a",
        ] {
            assert_eq!(refused(script).0, FailureKind::Size, "{script}");
        }
        assert_eq!(refused(&format!("let s = \"\"; s.pad(601, 'a'); {text}")).0, FailureKind::Size);
        assert!(answer("blob(800)").is_ok());
        assert!(answer("let s = \"\"; s.pad(600, 'a'); s").is_ok());
        assert!(answer(&format!("let s = \"\"; s.pad(600, 'a'); {text}")).is_ok());
    }
}
