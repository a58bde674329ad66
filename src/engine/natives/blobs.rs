//! Blobs: those of a size from an argument, and as arrays and text.

use rhai::{Array, Blob, Dynamic, EvalAltResult, ImmutableString, Module};

use super::{add, add_pure};
use crate::engine::guard::{self, Guarded};

type Made<T> = Result<T, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add(module, "blob", |length: i64| of_byte(length, 0));
    add(module, "blob", of_byte);
    add(module, "pad", pad);
    add_pure(module, "to_array", |blob: &mut Blob| -> Made<Array> {
        guard::room(blob.len() * size_of::<Dynamic>())?;
        Ok(blob.iter().map(|byte| i64::from(*byte).into()).collect())
    });
    add(module, "as_string", |blob: Blob| -> Made<ImmutableString> { Ok(text(blob)?.into()) });
    add(module, "+", |string: ImmutableString, blob: Blob| -> Made<ImmutableString> {
        Ok(string + text(blob)?)
    });
    add(module, "+", |blob: Blob, string: ImmutableString| -> Made<ImmutableString> {
        let mut joined = text(blob)?;
        joined.push_str(&string);
        Ok(joined.into())
    });
    for name in ["+=", "append"] {
        add(module, name, |string: &mut ImmutableString, blob: Blob| -> Guarded {
            *string += text(blob)?;
            Ok(())
        });
    }
}

fn of_byte(length: i64, value: i64) -> Made<Blob> {
    let length = usize::try_from(length).unwrap_or(0);
    guard::blob(length)?;
    Ok(vec![byte(value); length])
}

fn pad(blob: &mut Blob, length: i64, value: i64) -> Guarded {
    let length = usize::try_from(length).unwrap_or(0);
    if length > blob.len() {
        guard::blob(length)?;
        blob.resize(length, byte(value));
    }
    Ok(())
}

/// The lowest eight bits, as everywhere in Rhai.
fn byte(value: i64) -> u8 {
    value.to_le_bytes()[0]
}

/// The text of UTF-8; what is none is replaced.
fn text(blob: Blob) -> Made<String> {
    match String::from_utf8(blob) {
        Ok(text) => Ok(text),
        Err(broken) => {
            // Each byte may become the three of the replacement character.
            guard::room(broken.as_bytes().len().saturating_mul(3))?;
            Ok(String::from_utf8_lossy(broken.as_bytes()).into_owned())
        }
    }
}
