//! `crypto`: fingerprints of data, and comparing secrets.

use hmac::{Hmac, Mac};
use rhai::{Dynamic, Module};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{
    hex::digits,
    native::{Answer, Functions, fault, with_bytes},
};
use crate::engine::{
    guard,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "crypto", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Fingerprints of strings and blobs, and comparing secrets.";

const FUNCTIONS: &[Function] = &[
    function(
        &["sha256(data) -> string"],
        "The SHA-256 of a string or a blob, in hexadecimal digits.",
        r#"crypto::sha256("Pi").sub_string(0, 8)"#,
        r#""4d87941d""#,
    ),
    function(
        &["hmac_sha256(key, data) -> string"],
        "The HMAC-SHA-256, with which webhooks are signed, in hexadecimal digits.",
        r#"crypto::hmac_sha256("key", "data").len()"#,
        "64",
    ),
    function(
        &["constant_time_eq(a, b) -> bool"],
        "Whether two strings or blobs are the same. Takes as long wherever they differ, so that nobody can guess a secret by the clock.",
        r#"let expected = crypto::hmac_sha256("key", "data");
crypto::constant_time_eq(expected, "not it")"#,
        "false",
    ),
];

/// How much is hashed between two looks at the clock.
const STRETCH: usize = 256 << 10;

fn build() -> Module {
    Functions::new()
        .one("sha256", sha256)
        .two("hmac_sha256", hmac_sha256)
        .two("constant_time_eq", constant_time_eq)
        .module()
}

fn sha256(data: &Dynamic) -> Answer {
    with_bytes(data, "the data", |bytes| {
        let mut hash = Sha256::new();
        for stretch in bytes.chunks(STRETCH) {
            guard::check()?;
            hash.update(stretch);
        }
        Ok(digits(&hash.finalize()).into())
    })
}

fn hmac_sha256(key: &Dynamic, data: &Dynamic) -> Answer {
    let mut hash = with_bytes(key, "the key", |key| {
        Hmac::<Sha256>::new_from_slice(key).map_err(|error| fault("invalid_argument", error.to_string()))
    })?;
    with_bytes(data, "the data", |bytes| {
        for stretch in bytes.chunks(STRETCH) {
            guard::check()?;
            hash.update(stretch);
        }
        Ok(digits(&hash.finalize().into_bytes()).into())
    })
}

/// Takes the same time wherever the first difference is; only the lengths can be told from it.
fn constant_time_eq(a: &Dynamic, b: &Dynamic) -> Answer {
    with_bytes(a, "the first value", |a| {
        with_bytes(b, "the second value", |b| Ok(bool::from(a.ct_eq(b)).into()))
    })
}
