//! `json`, and that making values of JSON ends with the run.

use super::*;
use crate::engine::body::decode_request;

#[test]
fn values_are_text_and_back() {
    all_give(&[
        (r#"json::parse("{\"a\": [1, 2.0, null, true]}")"#, r#"{"a":[1,2.0,null,true]}"#),
        (r#"json::parse(" \"\\u0000\" ") == "\x00""#, "true"),
        (r#"json::parse("null")"#, "()"),
        (r#"json::parse("[1]".to_blob())"#, "[1]"),
        (r#"json::parse("12345678901234567890") > 1.0e19"#, "true"),
        (r#"json::stringify(#{ b: 1, a: [(), "x", 1.0] })"#, r#""{\"a\":[null,\"x\",1.0],\"b\":1}""#),
        ("json::stringify(())", r#""null""#),
        (
            "json::stringify_pretty(#{ a: [1, 2], b: #{}, c: [] })",
            r#""{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": []\n}""#,
        ),
        ("let v = [1, #{ a: 'c' }]; json::parse(json::stringify(v)) == [1, #{ a: \"c\" }]", "true"),
        ("let v = [1, #{ a: [] }]; json::parse(json::stringify_pretty(v)) == v", "true"),
        ("let a = [1]; let f = || a.push(2); f.call(); json::stringify(a)", r#""[1,2]""#),
    ]);
}

#[test]
fn what_is_no_json_is_thrown() {
    let deep = format!("json::parse(\"{}\")", "[".repeat(100));
    let endless = "let s = \"\"; s.pad(500_000, '['); json::parse(s)";
    all_throw(&[
        ("json::parse(\"{\")", "invalid_json", "line 1 column 1"),
        ("json::parse(\"\")", "invalid_json", "the text is not JSON"),
        ("json::parse(\"NaN\")", "invalid_json", "the text is not JSON"),
        ("json::parse(\"[1] x\")", "invalid_json", "trailing characters"),
        ("json::parse(blob(2, 255))", "invalid_json", "the text is not JSON"),
        ("json::parse(#{})", "invalid_argument", "the text must be a string or a blob, not a map"),
        (&deep, "invalid_json", "nested more than 64 deep"),
        (endless, "invalid_json", "nested more than 64 deep"),
        ("json::stringify(0.0 / 0.0)", "invalid_value", "JSON cannot hold NaN"),
        ("json::stringify(#{ a: [|| 1] })", "invalid_value", "a function, which is at a[0]"),
        ("json::stringify_pretty([blob(1)])", "invalid_value", "a blob"),
    ]);
}

#[test]
fn what_is_too_deep_or_too_long_to_write_ends_the_run() {
    all_end_by_size(&[
        "let a = 1; for i in 0..65 { a = [a] } json::stringify(a)",
        "let m = #{}; let f = || m; m.f = m; for i in 0..70 { m = #{ m: m } } json::stringify_pretty(m)",
        "let s = \"\"; s.pad(1_048_575, 'a'); json::stringify(s)",
        "let s = \"\"; s.pad(300_000, '\\x01'); json::stringify(s)",
        "let s = \"\"; s.pad(100_000, 'a'); json::stringify([s, s, s, s, s, s, s, s, s, s, s])",
        "let a = []; for i in 0..9000 { a.push(i) } for i in 0..62 { a = [a] } json::stringify_pretty(a)",
    ]);
}

#[test]
fn a_text_that_is_parsed_as_the_time_runs_out_ends_the_run() {
    let source = "let s = \"0,0\"; for i in 0..17 { s += \",\" + s } loop { json::parse(`[${s}]`); }";
    let outcome = run_on(&ENGINE, source, |job| job.limits.wall_clock = Duration::from_millis(300));
    assert!(outcome.duration < Duration::from_secs(5), "{:?}", outcome.duration);
    assert_eq!(failure_of(outcome).kind, FailureKind::Timeout);
}

#[tokio::test]
async fn a_body_that_is_made_as_the_time_runs_out_ends_the_run() {
    let raw = bytes::Bytes::from(format!("[{}0]", "{},".repeat(300_000)));
    let body = decode_request(Some("application/json"), raw).await.expect("a body");
    let outcome = run_on(&ENGINE, "ctx.request.body", |job| {
        job.limits.wall_clock = Duration::ZERO;
        job.invocation.request.body = body;
    });
    assert_eq!(failure_of(outcome).kind, FailureKind::Timeout);
}
