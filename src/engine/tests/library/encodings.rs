//! `base64`, `hex` and `crypto`.

use super::*;

#[test]
fn base64_is_text_of_bytes_and_back() {
    all_give(&[
        (r#"base64::encode("")"#, r#""""#),
        (r#"base64::encode("f")"#, r#""Zg==""#),
        (r#"base64::encode("foobar")"#, r#""Zm9vYmFy""#),
        ("base64::encode('é')", r#""w6k=""#),
        ("base64::encode(blob(3, 255))", r#""////""#),
        ("base64::encode_url(blob(3, 255))", r#""____""#),
        (r#"base64::encode_url("f")"#, r#""Zg""#),
        (r#"base64::decode("Zm9vYmFy")"#, r#""foobar""#),
        (r#"base64::decode("Zg==") + base64::decode("Zg")"#, r#""ff""#),
        (r#"base64::decode_url("Zg") + base64::decode_url("Zg==")"#, r#""ff""#),
        (r#"base64::decode("")"#, r#""""#),
        (r#"base64::decode("AA==") == "\x00""#, "true"),
        (r#"type_of(base64::decode("////"))"#, r#""blob""#),
        (r#"base64::decode("////") == blob(3, 255)"#, "true"),
        ("base64::decode_url(base64::encode_url(blob(5, 251))) == blob(5, 251)", "true"),
        ("base64::encode(blob(0))", r#""""#),
        ("let s = \"shared\"; let f = || s; base64::encode(s)", r#""c2hhcmVk""#),
    ]);
}

#[test]
fn what_is_no_base64_is_thrown() {
    all_throw(&[
        (r#"base64::decode("a")"#, "invalid_base64", "not base64"),
        (r#"base64::decode("Zg===")"#, "invalid_base64", "not base64"),
        (r#"base64::decode("Z g=")"#, "invalid_base64", "offset 1"),
        (r#"base64::decode("____")"#, "invalid_base64", "not base64"),
        (r#"base64::decode_url("////")"#, "invalid_base64", "not base64"),
        (r#"base64::decode("Zh==")"#, "invalid_base64", "not base64"),
        (r#"base64::decode("é")"#, "invalid_base64", "not base64"),
        ("base64::decode(blob(4))", "invalid_argument", "the text must be a string, not a blob"),
        ("base64::encode(1)", "invalid_argument", "the data must be a string or a blob, not an integer"),
        ("base64::encode([1])", "invalid_argument", "not an array"),
        ("base64::encode(())", "invalid_argument", "not ()"),
    ]);
}

#[test]
fn hex_is_two_digits_a_byte() {
    all_give(&[
        (r#"hex::encode("")"#, r#""""#),
        (r#"hex::encode("az\x00")"#, r#""617a00""#),
        ("hex::encode(blob(2, 254))", r#""fefe""#),
        (r#"hex::decode("617A00") == "az\x00""#, "true"),
        (r#"hex::decode("fefe") == blob(2, 254)"#, "true"),
        (r#"hex::decode("")"#, r#""""#),
    ]);
    all_throw(&[
        (r#"hex::decode("abc")"#, "invalid_hex", "odd number"),
        (r#"hex::decode("0g")"#, "invalid_hex", "0-9, a-f, A-F"),
        (r#"hex::decode("0x41")"#, "invalid_hex", "0-9, a-f, A-F"),
        (r#"hex::decode("+1")"#, "invalid_hex", "0-9, a-f, A-F"),
        (r#"hex::decode("é")"#, "invalid_hex", "0-9, a-f, A-F"),
        ("hex::decode(41)", "invalid_argument", "not an integer"),
        ("hex::encode(#{})", "invalid_argument", "not a map"),
    ]);
}

#[test]
fn what_an_encoding_makes_longer_than_a_string_may_be_ends_the_run() {
    all_end_by_size(&[
        "hex::encode(blob(524_289))",
        "base64::encode(blob(800_000))",
        "base64::encode_url(blob(8_000_000))",
        r#"let s = ""; s.pad(400_000, 'ü'); url::encode(s)"#,
    ]);
    assert_eq!(given("hex::encode(blob(524_288)).len()"), "1048576");
}

#[test]
fn hashes_are_those_of_the_standards() {
    all_give(&[
        (r#"crypto::sha256("")"#, r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#),
        (r#"crypto::sha256("abc")"#, r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad""#),
        // RFC 4231, cases 1, 2 and 6.
        (
            r#"crypto::hmac_sha256(blob(20, 0x0b), "Hi There")"#,
            r#""b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7""#,
        ),
        (
            r#"crypto::hmac_sha256("Jefe", "what do ya want for nothing?")"#,
            r#""5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843""#,
        ),
        (
            r#"crypto::hmac_sha256(blob(131, 0xaa), "Test Using Larger Than Block-Size Key - Hash Key First")"#,
            r#""60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54""#,
        ),
        (r#"crypto::hmac_sha256("", blob(0)).len()"#, "64"),
        // More than one stretch.
        (
            "crypto::sha256(blob(1_000_000, 97))",
            r#""cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0""#,
        ),
        (r#"crypto::sha256("abc") == crypto::sha256("abc".to_blob())"#, "true"),
    ]);
    all_throw(&[
        ("crypto::sha256(1)", "invalid_argument", "the data must be"),
        ("crypto::hmac_sha256((), \"\")", "invalid_argument", "the key must be"),
        (
            "crypto::hmac_sha256(\"\", 1.5)",
            "invalid_argument",
            "the data must be a string or a blob, not a float",
        ),
    ]);
}

#[test]
fn secrets_are_compared_by_their_bytes() {
    all_give(&[
        (r#"crypto::constant_time_eq("abc", "abc")"#, "true"),
        (r#"crypto::constant_time_eq("abc", "abd")"#, "false"),
        (r#"crypto::constant_time_eq("abc", "ab")"#, "false"),
        (r#"crypto::constant_time_eq("", "")"#, "true"),
        (r#"crypto::constant_time_eq("abc", "abc".to_blob())"#, "true"),
        ("let s = \"x\"; let f = || s; crypto::constant_time_eq(s, s)", "true"),
    ]);
    all_throw(&[
        ("crypto::constant_time_eq(1, \"a\")", "invalid_argument", "the first value"),
        ("crypto::constant_time_eq(\"a\", ())", "invalid_argument", "the second value"),
    ]);
}
