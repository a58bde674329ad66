//! `url`: percent-encoding, queries, and the parts of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use rhai::{Dynamic, ImmutableString, Map, Module};
use url::Url;

use super::native::{Answer, Fault, Functions, fault, shown, text, unlike};
use crate::engine::{
    context, guard,
    pace::Pace,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "url", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "URLs and their parts.";

const FUNCTIONS: &[Function] = &[
    function(&["encode(value) -> string"], "A string, number or bool as a component of a URL: all but letters, digits and `-._~` is percent-encoded, a space as `%20`.", r#"url::encode("Ada & Bob/7")"#, r#""Ada%20%26%20Bob%2F7""#),
    function(&["decode(text) -> string"], "And back; a `+` stays one.", r#"url::decode("Ada%20%26%20Bob")"#, r#""Ada & Bob""#).throws(&["invalid_url"]),
    function(&["encode_query(fields) -> string"], "A map as a query, in the order of its keys. An array repeats its key, `()` leaves it out.", r#"url::encode_query(#{ q: "a b", page: 2, tag: ["x", "y"] })"#, r#""page=2&q=a%20b&tag=x&tag=y""#),
    function(&["parse(text) -> map"], "The parts of an absolute URL: `scheme`, `username`, `password`, `host`, `port` (the scheme's own if it is not said), `path`, `query`, `fragment` as they stand there, and `params`, the decoded query, in which a repeated key has an array. What is not there is `()`.", r#"let u = url::parse("https://pi.local/search?q=a+b#top");
[u.host, u.port, u.path, u.params, u.fragment]"#, r#"["pi.local",443,"/search",{"q":"a b"},"top"]"#).throws(&["invalid_url"]),
];

/// What RFC 3986 calls unreserved stays as it is, all else is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest URL that is taken apart.
const MAX_URL: usize = 64 << 10;

fn build() -> Module {
    Functions::new()
        .one("encode", encode)
        .one("decode", decode)
        .one("encode_query", encode_query)
        .one("parse", parse)
        .module()
}

fn encode(value: &Dynamic) -> Answer {
    let mut out = String::new();
    push(&mut out, &plain(value, "the value")?)?;
    Ok(out.into())
}

/// Appends `text`, encoded, if there is room for it.
fn push(out: &mut String, text: &str) -> Result<(), Fault> {
    let kept = text.bytes().filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)).count();
    let encoded = kept + text.len().saturating_sub(kept).saturating_mul(3);
    guard::string(out.len().saturating_add(encoded))?;
    out.reserve(encoded);
    out.extend(utf8_percent_encode(text, RESERVED));
    Ok(())
}

fn decode(encoded: &Dynamic) -> Answer {
    let encoded = text(encoded, "the text")?;
    let broken = encoded.match_indices('%').find(|(at, _)| {
        let digits = encoded.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if let Some((at, _)) = broken {
        let message =
            format!("two hexadecimal digits must follow the `%` at byte {at}; a `%` itself is `%25`");
        return Err(fault("invalid_url", message));
    }
    match percent_decode(encoded.as_bytes()).decode_utf8() {
        Ok(text) => Ok(text.into_owned().into()),
        Err(_) => Err(fault("invalid_url", "the decoded text is not UTF-8")),
    }
}

fn encode_query(fields: &Dynamic) -> Answer {
    let Some(fields) = fields.read_lock::<Map>() else {
        return Err(unlike(fields, "the fields", "a map"));
    };
    let (mut out, pace) = (String::new(), Pace::default());
    for (key, value) in fields.iter() {
        match value.read_lock::<rhai::Array>() {
            Some(values) => {
                for value in values.iter() {
                    pace.step(0)?;
                    push_field(&mut out, key, value)?;
                }
            }
            None => push_field(&mut out, key, value)?,
        }
        pace.step(0)?;
    }
    Ok(out.into())
}

fn push_field(out: &mut String, key: &str, value: &Dynamic) -> Result<(), Fault> {
    if value.is_unit() {
        return Ok(());
    }
    let value = plain(value, &format!("the field {}", shown(key)))?;
    if !out.is_empty() {
        out.push('&');
    }
    push(out, key)?;
    out.push('=');
    push(out, &value)
}

/// A value that has one obvious form as text.
fn plain(value: &Dynamic, what: &str) -> Result<ImmutableString, Fault> {
    if let Ok(number) = value.as_int() {
        return Ok(number.to_string().into());
    }
    if let Ok(yes) = value.as_bool() {
        return Ok(yes.to_string().into());
    }
    match value.as_float() {
        Ok(number) if number.is_finite() => Ok(format!("{number:?}").into()),
        Ok(number) => Err(fault("invalid_argument", format!("{what} must be a finite number, not {number}"))),
        Err(_) => text(value, what).map_err(|_| unlike(value, what, "a string, a number or a bool")),
    }
}

fn parse(address: &Dynamic) -> Answer {
    let address = text(address, "the URL")?;
    if address.len() > MAX_URL {
        return Err(fault("invalid_url", format!("a URL has at most {MAX_URL} bytes")));
    }
    let url = Url::parse(&address)
        .map_err(|why| fault("invalid_url", format!("{} is no URL: {why}", shown(&address))))?;
    // A parameter takes two bytes of the query and some hundred as a value.
    guard::room(url.query().map_or(0, str::len).saturating_mul(100))?;
    let pairs: Vec<_> = url.query_pairs().collect();
    let params = context::grouped(pairs.iter().map(|(key, value)| (&**key, (&**value).into())));
    let or_unit = |part: Option<&str>| part.filter(|part| !part.is_empty()).map_or(Dynamic::UNIT, Into::into);
    let parts = [
        ("scheme", url.scheme().into()),
        ("username", or_unit(Some(url.username()))),
        ("password", or_unit(url.password())),
        ("host", or_unit(url.host_str())),
        ("port", url.port_or_known_default().map_or(Dynamic::UNIT, |port| i64::from(port).into())),
        ("path", url.path().into()),
        ("query", url.query().map_or(Dynamic::UNIT, Into::into)),
        ("fragment", url.fragment().map_or(Dynamic::UNIT, Into::into)),
        ("params", Dynamic::from_map(params)),
    ];
    Ok(Dynamic::from_map(parts.into_iter().map(|(key, value)| (key.into(), value)).collect()))
}
