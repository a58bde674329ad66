//! Request bodies: what they are by their content type, and whether they are it.
//!
//! A body is decoded where it arrives, so that one that cannot be is refused
//! before anything runs; values of the script language are made of it later,
//! on the script thread.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use mime::Mime;
use percent_encoding::percent_decode;

use super::convert;

/// A request body: as it came, and what it was found to be.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The bytes as they came: `ctx.request.body_bytes()`.
    pub raw: Bytes,
    /// What `ctx.request.body` is made of.
    pub content: Content,
}

/// What a body was found to be, by its content type.
#[derive(Clone, Debug, Default)]
pub enum Content {
    /// There was none: `()`.
    #[default]
    None,
    /// JSON whose syntax and depth were checked; the values are made from `raw` on the script thread.
    Json,
    /// Form fields in their order.
    Form(Vec<(String, String)>),
    /// The parts of `multipart/form-data` in their order.
    Multipart(Vec<Part>),
    /// Text.
    Text(String),
    /// Anything else: `raw` as a blob.
    Blob,
}

/// One part of a multipart body.
#[derive(Clone, Debug)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// What it holds.
    pub value: PartValue,
}

/// What one part of a multipart body holds.
#[derive(Clone, Debug)]
pub enum PartValue {
    /// A plain field.
    Text(String),
    /// A file.
    File {
        /// The name the sender gave it.
        filename: String,
        /// Its content type, if it was said.
        content_type: Option<String>,
        /// Its bytes.
        data: Bytes,
    },
}

/// Decodes a body by its content type; the error is the reason for a 422.
///
/// Without a body there is nothing to decode, whatever the content type says;
/// a body without a content type, or with one we do not know, is a blob.
pub async fn decode_request(content_type: Option<&str>, raw: Bytes) -> Result<Body, String> {
    if raw.is_empty() {
        return Ok(Body::default());
    }
    let told = content_type.and_then(|told| told.parse::<Mime>().ok());
    let content = match &told {
        Some(told) if is_json(told) => {
            convert::check_json(&raw).map_err(|why| format!("the body is not JSON: {why}"))?;
            Content::Json
        }
        Some(told) if told.essence_str() == mime::APPLICATION_WWW_FORM_URLENCODED.essence_str() => {
            Content::Form(form(&raw)?)
        }
        Some(told) if told.essence_str() == mime::MULTIPART_FORM_DATA.essence_str() => {
            Content::Multipart(multipart(told, raw.clone()).await?)
        }
        Some(told) if told.type_() == mime::TEXT => Content::Text(text(told, &raw)?),
        _ => Content::Blob,
    };
    Ok(Body { raw, content })
}

/// Whether a content type is JSON: `application/json`, or `application/something+json`.
pub(super) fn is_json(told: &Mime) -> bool {
    told.type_() == mime::APPLICATION && (told.subtype() == mime::JSON || told.suffix() == Some(mime::JSON))
}

fn form(raw: &[u8]) -> Result<Vec<(String, String)>, String> {
    raw.split(|byte| *byte == b'&')
        .filter(|field| !field.is_empty())
        .map(|field| {
            let middle = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
            let value = field.get(middle + 1..).unwrap_or_default();
            Ok((form_text(&field[..middle])?, form_text(value)?))
        })
        .collect()
}

/// Strict where `form_urlencoded` replaces what is not UTF-8: a script must not get another text than was sent.
fn form_text(encoded: &[u8]) -> Result<String, String> {
    let spaced: Vec<u8> = encoded.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let decoded = percent_decode(&spaced).decode_utf8();
    decoded.map(Into::into).map_err(|_| "the form holds text that is not UTF-8".to_owned())
}

async fn multipart(told: &Mime, raw: Bytes) -> Result<Vec<Part>, String> {
    let refused = |why: &dyn std::fmt::Display| format!("the body is not multipart/form-data: {why}");
    let boundary = multer::parse_boundary(told.as_ref()).map_err(|error| refused(&error))?;
    let whole = stream::iter([Ok::<_, Infallible>(raw)]);
    let mut fields = multer::Multipart::new(whole, boundary);
    let mut parts = Vec::new();
    while let Some(field) = fields.next_field().await.map_err(|error| refused(&error))? {
        let name = field.name().ok_or_else(|| refused(&"a part has no name"))?.to_owned();
        let filename = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let data = field.bytes().await.map_err(|error| refused(&error))?;
        let value = match filename {
            Some(filename) => PartValue::File { filename, content_type, data },
            None => PartValue::Text(
                String::from_utf8(data.into())
                    .map_err(|_| refused(&format_args!("the field `{name}` is not UTF-8")))?,
            ),
        };
        parts.push(Part { name, value });
    }
    Ok(parts)
}

fn text(told: &Mime, raw: &[u8]) -> Result<String, String> {
    if let Some(charset) = told.get_param(mime::CHARSET) {
        if charset != "utf-8" && charset != "us-ascii" {
            return Err(format!("text in the charset {charset} cannot be decoded: send UTF-8"));
        }
    }
    let text = std::str::from_utf8(raw);
    text.map(str::to_owned).map_err(|error| format!("the body is not UTF-8 text: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn decoded(content_type: &str, raw: &[u8]) -> Result<Content, String> {
        let told = Some(content_type).filter(|told| !told.is_empty());
        decode_request(told, Bytes::copy_from_slice(raw)).await.map(|body| body.content)
    }

    async fn refused(content_type: &str, raw: &[u8]) -> String {
        decoded(content_type, raw).await.expect_err("the body is refused")
    }

    #[tokio::test]
    async fn json_is_checked_for_syntax_and_depth() {
        for told in ["application/json", "application/vnd.api+json; charset=utf-8", "APPLICATION/JSON"] {
            assert!(matches!(decoded(told, b"{\"a\":1}").await, Ok(Content::Json)), "{told}");
            assert!(refused(told, b"{").await.contains("line 1 column"), "{told}");
        }
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(decoded("application/json", nested(64).as_bytes()).await.is_ok());
        assert!(refused("application/json", nested(65).as_bytes()).await.contains("more than 64 deep"));
    }

    #[tokio::test]
    async fn a_form_keeps_its_fields_in_order() {
        let told = "application/x-www-form-urlencoded; charset=utf-8";
        let Ok(Content::Form(fields)) = decoded(told, b"b=1&a=x+y%26&b=&c&=d&&e=f%3Dg=h").await else {
            panic!("not a form");
        };
        let fields: Vec<_> = fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let expected = [("b", "1"), ("a", "x y&"), ("b", ""), ("c", ""), ("", "d"), ("e", "f=g=h")];
        assert_eq!(fields, expected);
        assert!(refused(told, b"a=%ff").await.contains("not UTF-8"));
    }

    #[tokio::test]
    async fn multipart_tells_fields_from_files() {
        let told = "multipart/form-data; boundary=XX";
        let raw = b"--XX\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nhi\r\n\
            --XX\r\ncontent-disposition: form-data; name=\"f\"; filename=\"f.bin\"\r\n\
            content-type: image/png\r\n\r\n\xff\x00\r\n--XX--\r\n";
        let Ok(Content::Multipart(parts)) = decoded(told, raw).await else { panic!("not multipart") };
        assert_eq!(parts.len(), 2);
        assert!(matches!(&parts[0].value, PartValue::Text(text) if text == "hi"));
        assert!(matches!(&parts[1].value, PartValue::File { filename, content_type, data }
            if filename == "f.bin" && content_type.as_deref() == Some("image/png") && data[..] == [0xff, 0]));
    }

    #[tokio::test]
    async fn multipart_that_is_cut_short_is_refused() {
        let told = "multipart/form-data; boundary=XX";
        let cut = b"--XX\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nhi";
        for (told, raw) in [
            (told, &cut[..]),
            (told, b"--YY--"),
            ("multipart/form-data", cut),
            (told, b"--XX\r\ncontent-disposition: form-data\r\n\r\nhi\r\n--XX--\r\n"),
            (told, b"--XX\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n--XX--\r\n"),
        ] {
            assert!(refused(told, raw).await.contains("multipart"), "{raw:?}");
        }
    }

    #[tokio::test]
    async fn text_is_utf_8_or_refused() {
        let text = decoded("text/plain", "é".as_bytes()).await;
        assert!(matches!(text, Ok(Content::Text(text)) if text == "é"));
        assert!(decoded("text/csv; charset=UTF-8", b"a").await.is_ok());
        assert!(refused("text/plain", b"\xe9").await.contains("not UTF-8"));
        assert!(refused("text/plain; charset=latin1", b"a").await.contains("charset latin1"));
    }

    #[tokio::test]
    async fn anything_else_is_a_blob_and_nothing_is_nothing() {
        for told in ["", "image/png", "application/octet-stream", "nonsense", "multipart/mixed; boundary=a"] {
            assert!(matches!(decoded(told, b"x").await, Ok(Content::Blob)), "{told}");
        }
        for told in ["", "application/json", "multipart/form-data"] {
            assert!(matches!(decoded(told, b"").await, Ok(Content::None)), "{told}");
        }
    }

    #[tokio::test]
    async fn the_bytes_are_kept_as_they_came() {
        let body = decode_request(Some("application/json"), Bytes::from_static(b" [1.0 ] ")).await;
        assert!(body.is_ok_and(|body| body.raw[..] == *b" [1.0 ] "));
    }
}
