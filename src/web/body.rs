//! Request bodies: read within bounds of size and time, and taken as JSON.

use std::time::Duration;

use aide::{OperationInput, generate::GenContext, openapi::Operation};
use axum::{Json, extract::FromRequest, extract::Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::state::State;
use crate::base::{Error, FieldError, Result};

/// How much of an oversized body is read and dropped, so that the client gets
/// to see the 413 instead of a broken connection.
const DRAIN_LIMIT: usize = 8 * 1024 * 1024;

/// A JSON body. The order of its checks is the API's: media type, size, syntax, fields.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &State) -> Result<Self> {
        require_json(request.headers())?;
        let http = &state.config.http;
        let bytes = read(request.into_body(), http.body_limit, http.request_timeout).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: schemars::JsonSchema> OperationInput for Body<T> {
    fn operation_input(ctx: &mut GenContext, operation: &mut Operation) {
        Json::<T>::operation_input(ctx, operation);
    }
}

/// Refuses a media type other than JSON.
pub fn require_json(headers: &HeaderMap) -> Result<()> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let media = media.and_then(|text| text.parse::<mime::Mime>().ok());
    let is_json = media.is_some_and(|m| {
        m.type_() == mime::APPLICATION && (m.subtype() == mime::JSON || m.suffix() == Some(mime::JSON))
    });
    if is_json {
        Ok(())
    } else {
        Err(Error::UnsupportedMedia("send the body as application/json".to_owned()))
    }
}

/// Parses a JSON object: broken syntax anywhere is [`Error::Malformed`], a
/// wrong field [`Error::Invalid`] with its path.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
    // A struct would take an array for its fields in order, which nobody means.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::invalid("body", "must be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        // A value of the wrong kind where a word is wanted is no data error to serde: what can
        // be read as any JSON is well-formed.
        if inner.is_data() || serde_json::from_slice::<Value>(bytes).is_ok() {
            Error::Invalid(vec![field_error(&path, &inner.to_string())])
        } else {
            malformed(&inner)
        }
    })?;
    Ok(value)
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::Malformed(format!("the body is not JSON: {error}"))
}

/// Names the field an error of serde is about: an unknown or missing one stands in the message, not in the path.
pub(super) fn field_error(path: &str, message: &str) -> FieldError {
    let message = message.split(" at line ").next().unwrap_or(message);
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next());
    let field = match (named, path) {
        (Some(name), "." | "") => name.to_owned(),
        (Some(name), path) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        (Some(name), path) => format!("{path}.{name}"),
        (None, "." | "") => "body".to_owned(),
        (None, path) => path.to_owned(),
    };
    FieldError { field, message: message.to_owned() }
}

/// Reads a body of at most `limit` bytes within `time`.
pub async fn read(body: axum::body::Body, limit: usize, time: Duration) -> Result<Bytes> {
    match tokio::time::timeout(time, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => Err(Error::Slow { limit: time }),
    }
}

async fn collect(mut body: axum::body::Body, limit: usize) -> Result<Bytes> {
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    let mut seen = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Error::Malformed(format!("the body broke off: {e}")))?;
        let Ok(data) = frame.into_data() else { continue };
        seen += data.len();
        if seen > limit.max(DRAIN_LIMIT) {
            return Err(Error::TooLarge { limit });
        }
        if seen > limit {
            continue;
        }
        // Most bodies arrive in one piece, which is then handed on uncopied.
        match first.take() {
            None if all.is_empty() => first = Some(data),
            None => all.extend_from_slice(&data),
            Some(one) => {
                all.extend_from_slice(&one);
                all.extend_from_slice(&data);
            }
        }
    }
    if seen > limit {
        return Err(Error::TooLarge { limit });
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[allow(dead_code, reason = "only its errors are looked at")]
        sandbox: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[allow(dead_code, reason = "only its errors are looked at")]
        lines: u8,
        #[serde(default)]
        #[allow(dead_code, reason = "only its errors are looked at")]
        word: Option<Word>,
    }

    #[derive(Debug, serde::Deserialize)]
    enum Word {
        One,
    }

    fn field(json: &str) -> String {
        match parse::<Outer>(json.as_bytes()) {
            Err(Error::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_wrong_field_is_named_with_its_path() {
        assert_eq!(field(r#"{"sandbocks":{}}"#), "sandbocks");
        assert_eq!(field(r#"{"sandbox":{"line":1}}"#), "sandbox.line");
        assert_eq!(field(r#"{"sandbox":{"lines":"many"}}"#), "sandbox.lines");
        assert_eq!(field(r#"{"sandbox":{}}"#), "sandbox.lines");
        assert_eq!(field("{}"), "sandbox");
        for word in ["1", "[]", r#""Two""#, "true"] {
            assert_eq!(
                field(&format!(r#"{{"sandbox":{{"lines":1,"word":{word}}}}}"#)),
                "sandbox.word",
                "{word}"
            );
        }
    }

    #[test]
    fn broken_syntax_is_malformed_not_invalid() {
        for broken in [
            "",
            "{",
            r#"{"sandbox":{"lines":1}} x"#,
            "\u{1}",
            r#"{"sandbox":1"#,
            r#"{"other":1"#,
            r#"{"sandbox":{"lines":1e999}}"#,
        ] {
            assert!(matches!(parse::<Outer>(broken.as_bytes()), Err(Error::Malformed(_))), "{broken}");
        }
    }

    #[test]
    fn only_an_object_has_fields() {
        assert_eq!(field("[1]"), "body");
        assert_eq!(field("1"), "body");
    }

    #[tokio::test]
    async fn a_body_at_the_limit_passes_and_one_beyond_does_not() {
        let time = Duration::from_secs(5);
        assert!(read(axum::body::Body::from("abcd"), 4, time).await.is_ok());
        assert!(matches!(
            read(axum::body::Body::from("abcde"), 4, time).await,
            Err(Error::TooLarge { limit: 4 })
        ));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_runs_into_the_time_limit() {
        let never =
            axum::body::Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        let error = read(never, 4, Duration::from_millis(1)).await;
        assert!(matches!(error, Err(Error::Slow { .. })));
    }
}
