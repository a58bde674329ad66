//! `base64`: bytes as text, in the ordinary alphabet and in the one for URLs.

use base64::{
    Engine as _,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    encoded_len,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use rhai::{Dynamic, Module};

use super::native::{Answer, Functions, fault, text, text_or_blob, with_bytes};
use crate::engine::{guard, sdk::SdkModule};

/// The module.
pub(in crate::engine) const MODULE: SdkModule = SdkModule { name: "base64", build };

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
