//! `hex`: bytes as pairs of hexadecimal digits.

use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, fault, text, text_or_blob, with_bytes};
use crate::engine::{
    guard,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "hex", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Bytes as pairs of hexadecimal digits.";

const FUNCTIONS: &[Function] = &[
    function(
        &["encode(data) -> string"],
        "Encodes a string or a blob, in lower case.",
        r#"hex::encode("Pi")"#,
        r#""5069""#,
    ),
    function(
        &["decode(text) -> string or blob"],
        "Decodes to a string if the bytes are UTF-8, else to a blob.",
        r#"hex::decode("5069")"#,
        r#""Pi""#,
    )
    .throws(&["invalid_hex"]),
];

fn build() -> Module {
    Functions::new().one("encode", encode).one("decode", decode).module()
}

/// The bytes in lower-case digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let pairs = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    pairs.map(|half| char::from(DIGITS[usize::from(half)])).collect()
}

fn encode(data: &Dynamic) -> Answer {
    with_bytes(data, "the data", |bytes| {
        guard::string(bytes.len().saturating_mul(2))?;
        Ok(digits(bytes).into())
    })
}

fn decode(encoded: &Dynamic) -> Answer {
    let encoded = text(encoded, "the text")?;
    if encoded.len() % 2 == 1 {
        return Err(fault("invalid_hex", "the text is not hex: it has an odd number of digits"));
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes = encoded.as_bytes().chunks_exact(2).map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?));
    match bytes.collect::<Option<Vec<u8>>>() {
        Some(bytes) => Ok(text_or_blob(bytes)),
        None => Err(fault("invalid_hex", "the text is not hex: it holds something else than 0-9, a-f, A-F")),
    }
}
