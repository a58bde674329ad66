//! `base64`: bytes as text, in the ordinary alphabet and in the one for URLs.

use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    encoded_len,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, fault, text, text_or_blob, with_bytes};
use crate::engine::{
    guard,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "base64", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Bytes as text of 64 letters: in the ordinary alphabet with padding, and in the one for URLs and file names without.";

const FUNCTIONS: &[Function] = &[
    function(
        &["encode(data) -> string"],
        "Encodes a string or a blob.",
        r#"base64::encode("Hello?")"#,
        r#""SGVsbG8/""#,
    ),
    function(
        &["decode(text) -> string or blob"],
        "Decodes to a string if the bytes are UTF-8, else to a blob. Padding may be missing.",
        r#"base64::decode("SGVsbG8/")"#,
        r#""Hello?""#,
    )
    .throws(&["invalid_base64"]),
    function(
        &["encode_url(data) -> string"],
        "The same in the alphabet for URLs.",
        r#"base64::encode_url("Hello?")"#,
        r#""SGVsbG8_""#,
    ),
    function(
        &["decode_url(text) -> string or blob"],
        "And back.",
        r#"base64::decode_url("SGVsbG8_")"#,
        r#""Hello?""#,
    )
    .throws(&["invalid_base64"]),
];

const PLAIN: GeneralPurpose = engine(&STANDARD, true);
const FOR_URLS: GeneralPurpose = engine(&URL_SAFE, false);

fn build() -> Module {
    Functions::new()
        .one("encode", |data| encode(data, &PLAIN, true))
        .one("decode", |text| decode(text, &PLAIN))
        .one("encode_url", |data| encode(data, &FOR_URLS, false))
        .one("decode_url", |text| decode(text, &FOR_URLS))
        .module()
}

/// Padding is written or not, as the alphabet is used; what is read may have it or not.
const fn engine(alphabet: &Alphabet, padded: bool) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_encode_padding(padded)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

fn encode(data: &Dynamic, engine: &GeneralPurpose, padded: bool) -> Answer {
    with_bytes(data, "the data", |bytes| {
        guard::string(encoded_len(bytes.len(), padded).unwrap_or(usize::MAX))?;
        Ok(engine.encode(bytes).into())
    })
}

fn decode(encoded: &Dynamic, engine: &GeneralPurpose) -> Answer {
    let encoded = text(encoded, "the text")?;
    let bytes = engine.decode(encoded.as_bytes());
    bytes.map(text_or_blob).map_err(|why| fault("invalid_base64", format!("the text is not base64: {why}")))
}
