//! `random`: numbers, bytes and names nobody can guess, from the system's generator.

use rand::{TryRngCore as _, rngs::OsRng};
use rhai::{Dynamic, Module};

use super::native::{Answer, Fault, Functions, fault, int};
use crate::engine::{
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "random", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str =
    "Numbers, bytes and names nobody can guess: from the system's generator, fit for tokens and keys.";

const FUNCTIONS: &[Function] = &[
    function(
        &["int(low, high) -> int"],
        "An integer from `low` to `high`, both included.",
        "let n = random::int(1, 6);\nn >= 1 && n <= 6",
        "true",
    )
    .throws(&["out_of_range"]),
    function(&["float() -> float"], "A float from 0.0 to below 1.0.", "random::float() < 1.0", "true"),
    function(&["bytes(count) -> blob"], "So many bytes, at most 65 536.", "random::bytes(16).len()", "16")
        .throws(&["out_of_range"]),
    function(
        &["string(count) -> string"],
        "So many letters and digits (A-Z, a-z, 0-9), at most 4 096.",
        "random::string(24).len()",
        "24",
    )
    .throws(&["out_of_range"]),
    function(&["uuid() -> string"], "A UUID of version 4.", "random::uuid().len()", "36"),
];

const MAX_BYTES: i64 = 64 << 10;
const MAX_LETTERS: i64 = 4 << 10;
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

fn build() -> Module {
    Functions::new()
        .two("int", between)
        .none("float", float)
        .one("bytes", bytes)
        .one("string", string)
        .none("uuid", uuid)
        .module()
}

fn between(low: &Dynamic, high: &Dynamic) -> Answer {
    let (low, high) = (int(low, "the lower bound")?, int(high, "the upper bound")?);
    if low > high {
        return Err(fault("out_of_range", format!("the lower bound {low} is above the upper bound {high}")));
    }
    let choices = u128::from(high.abs_diff(low)) + 1;
    // 128 bits for at most 2^64 choices: the remainder favours none by more than one in 2^64.
    let offset = u64::try_from(u128::from_le_bytes(some()?) % choices).unwrap_or_default();
    Ok(low.wrapping_add_unsigned(offset).into())
}

/// From 0 to below 1, in steps of 2^-53: as fine as floats near 1 are.
#[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
fn float() -> Answer {
    let bits = u64::from_le_bytes(some()?) >> 11;
    Ok((bits as f64 / (1_u64 << 53) as f64).into())
}

fn bytes(count: &Dynamic) -> Answer {
    let mut bytes = vec![0; size(count, MAX_BYTES)?];
    fill(&mut bytes)?;
    Ok(Dynamic::from_blob(bytes))
}

fn string(count: &Dynamic) -> Answer {
    let count = size(count, MAX_LETTERS)?;
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let letters = some::<256>()?;
        // Six bits choose; the two values that have no letter are thrown away, so that all are as likely.
        let letters = letters.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63)));
        text.extend(letters.take(count - text.len()).map(|letter| char::from(*letter)));
    }
    Ok(text.into())
}

fn uuid() -> Answer {
    Ok(uuid::Builder::from_random_bytes(some()?).into_uuid().to_string().into())
}

fn size(count: &Dynamic, most: i64) -> Result<usize, Fault> {
    let count = int(count, "the length")?;
    let fits = usize::try_from(count).ok().filter(|_| count <= most);
    fits.ok_or_else(|| fault("out_of_range", format!("the length must be from 0 to {most}, not {count}")))
}

fn some<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<(), Fault> {
    OsRng
        .try_fill_bytes(bytes)
        .map_err(|error| fault("unavailable", format!("the system has no random numbers: {error}")))
}
