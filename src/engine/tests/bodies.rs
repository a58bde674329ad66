//! Request bodies as scripts see them.

use super::*;
use crate::engine::body::decode_request;

async fn seen(content_type: &str, raw: &[u8], source: &str) -> String {
    let raw = bytes::Bytes::copy_from_slice(raw);
    let body = decode_request(Some(content_type), raw).await.expect("a body that can be decoded");
    body_of(run_on(&engine(|_| ()), source, |job| job.invocation.request.body = body))
}

#[tokio::test]
async fn json_becomes_values() {
    let raw = br#"{"a":[1,1.0,-0.0,1e16,18446744073709551615],"n":"\u0000","u":null}"#;
    let answer = seen("application/json", raw, "ctx.request.body").await;
    assert_eq!(answer, r#"{"a":[1,1.0,-0.0,1e16,1.8446744073709552e19],"n":"\u0000","u":null}"#);
}

#[tokio::test]
async fn json_may_be_64_deep_on_its_way_in_and_out() {
    let nested = "[".repeat(64) + "1" + "]".repeat(64).as_str();
    assert_eq!(seen("application/json", nested.as_bytes(), "ctx.request.body").await, nested);
}

#[tokio::test]
async fn a_form_becomes_a_map_with_arrays_of_repeated_fields() {
    let told = "application/x-www-form-urlencoded";
    assert_eq!(seen(told, b"b=1&a=x&a=y+z", "ctx.request.body").await, r#"{"a":["x","y z"],"b":"1"}"#);
}

#[tokio::test]
async fn multipart_becomes_a_map_with_files() {
    let part =
        |head: &str, data: &str| format!("--X\r\ncontent-disposition: form-data; {head}\r\n\r\n{data}\r\n");
    let raw = [
        part("name=\"t\"", "hi"),
        part("name=\"f\"; filename=\"a.txt\"\r\ncontent-type: text/plain", "abc"),
        part("name=\"g\"; filename=\"b\"", "d"),
        part("name=\"g\"; filename=\"c\"", "e"),
        "--X--\r\n".to_owned(),
    ]
    .concat();
    let source = "let b = ctx.request.body; [b.t, b.f.filename, b.f.content_type, b.f.data.len(), \
                  type_of(b.f.data), b.g.len(), b.g[1].filename, b.g[0].content_type]";
    assert_eq!(
        seen("multipart/form-data; boundary=X", raw.as_bytes(), source).await,
        r#"["hi","a.txt","text/plain",3,"blob",2,"c",null]"#
    );
}

#[tokio::test]
async fn text_is_a_string_and_anything_else_a_blob() {
    assert_eq!(seen("text/plain", "é".as_bytes(), "ctx.request.body").await, "\"é\"");
    let source =
        "[type_of(ctx.request.body), ctx.request.body[1], ctx.request.body_bytes() == ctx.request.body]";
    assert_eq!(seen("image/png", &[1, 255], source).await, r#"["blob",255,true]"#);
}
