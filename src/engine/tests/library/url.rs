//! `url`.

use super::*;

#[test]
fn components_are_encoded_by_rfc_3986() {
    all_give(&[
        (r#"url::encode("a b&c=d/é")"#, r#""a%20b%26c%3Dd%2F%C3%A9""#),
        (r#"url::encode("AZaz09-._~")"#, r#""AZaz09-._~""#),
        (r#"url::encode("\x00+")"#, r#""%00%2B""#),
        (r#"url::encode("")"#, r#""""#),
        ("url::encode(42) + url::encode(1.5) + url::encode(true) + url::encode(' ')", r#""421.5true%20""#),
        (r#"url::decode("a%20b+c%C3%A9")"#, r#""a b+cé""#),
        (r#"url::decode("")"#, r#""""#),
        (r#"url::decode(url::encode("%25 & ü")) == "%25 & ü""#, "true"),
    ]);
    all_throw(&[
        (r#"url::decode("100%")"#, "invalid_url", "the `%` at byte 3"),
        (r#"url::decode("%zz")"#, "invalid_url", "hexadecimal digits"),
        (r#"url::decode("%+1")"#, "invalid_url", "hexadecimal digits"),
        (r#"url::decode("é%é")"#, "invalid_url", "byte 2"),
        (r#"url::decode("%ff")"#, "invalid_url", "not UTF-8"),
        ("url::decode(1)", "invalid_argument", "the text must be a string"),
        (
            "url::encode([])",
            "invalid_argument",
            "the value must be a string, a number or a bool, not an array",
        ),
        ("url::encode(0.0 / 0.0)", "invalid_argument", "a finite number, not NaN"),
    ]);
}

#[test]
fn a_query_has_its_fields_in_the_order_of_their_keys() {
    all_give(&[
        (
            r#"url::encode_query(#{ q: "a b", page: 2, all: true, at: 1.5 })"#,
            r#""all=true&at=1.5&page=2&q=a%20b""#,
        ),
        (r#"url::encode_query(#{ tag: ["a", "b&c"], none: (), empty: "" })"#, r#""empty=&tag=a&tag=b%26c""#),
        ("url::encode_query(#{})", r#""""#),
        (r#"url::encode_query(#{ "a&b": "=" })"#, r#""a%26b=%3D""#),
        ("let v = 1; let f = || v; url::encode_query(#{ v: v, w: [v] })", r#""v=1&w=1""#),
    ]);
    all_throw(&[
        (
            "url::encode_query(#{ a: #{} })",
            "invalid_argument",
            "the field `a` must be a string, a number or a bool",
        ),
        ("url::encode_query(#{ a: [[1]] })", "invalid_argument", "the field `a`"),
        ("url::encode_query(#{ a: 1.0 / 0.0 })", "invalid_argument", "the field `a` must be a finite number"),
        ("url::encode_query(\"a=b\")", "invalid_argument", "the fields must be a map, not a string"),
    ]);
    all_end_by_size(&["let s = \"\"; s.pad(100_000, ' '); url::encode_query(#{ a: s, b: s, c: s, d: s })"]);
}

#[test]
fn a_url_is_taken_apart() {
    assert_eq!(
        given(r#"url::parse("HTTPS://ada:s%20t@Example.COM:8443/a%20b/../c?x=1&y=a+b&x=2#top")"#),
        r#"{"fragment":"top","host":"example.com","params":{"x":["1","2"],"y":"a b"},"password":"s%20t","path":"/c","port":8443,"query":"x=1&y=a+b&x=2","scheme":"https","username":"ada"}"#
    );
    all_give(&[
        (
            r#"url::parse("http://pi.local")"#,
            r#"{"fragment":null,"host":"pi.local","params":{},"password":null,"path":"/","port":80,"query":null,"scheme":"http","username":null}"#,
        ),
        (
            r#"let u = url::parse("mailto:ada@example.com"); [u.scheme, u.host, u.port, u.path]"#,
            r#"["mailto",null,null,"ada@example.com"]"#,
        ),
        (r#"url::parse("http://[::1]:80/").host"#, r#""[::1]""#),
        (r#"url::parse("http://bücher.example/").host"#, r#""xn--bcher-kva.example""#),
        (r#"url::parse("http://h/?").query"#, r#""""#),
        (r#"url::parse("http://h/?a").params"#, r#"{"a":""}"#),
    ]);
    let long = "let s = \"http://h/\"; s.pad(65_537, 'a'); url::parse(s)";
    all_throw(&[
        (r#"url::parse("/path")"#, "invalid_url", "`/path` is no URL: relative URL without a base"),
        (r#"url::parse("")"#, "invalid_url", "is no URL"),
        (r#"url::parse("http://")"#, "invalid_url", "empty host"),
        (r#"url::parse("http://h:99999/")"#, "invalid_url", "invalid port"),
        (r#"url::parse("http://a\x00b/")"#, "invalid_url", "`http://a\\0b/`"),
        (long, "invalid_url", "at most 65536 bytes"),
        ("url::parse(1)", "invalid_argument", "the URL must be a string"),
    ]);
    assert_eq!(given("let s = \"http://h/?\"; s.pad(65_536, '&'); url::parse(s).params"), "{}");
    assert_eq!(
        given("let s = \"http://\"; s.pad(60_000, 'ü'); try { url::parse(s) } catch { return 1; } 1"),
        "1"
    );
}
