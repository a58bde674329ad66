//! JSON by Rhai's names: `parse_json` and the method `to_json` of maps.

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Module};

use super::{add, add_pure};
use crate::engine::{
    call,
    convert::{self, Unfit},
    guard,
};

/// What is reserved for a value, for an array or a string beside it, and for a map.
const VALUE: usize = 16;
const BOXED: usize = 64;
const MAP: usize = 640;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add(module, "parse_json", |text: ImmutableString| -> Result<Dynamic, Box<EvalAltResult>> {
        guard::room(estimate(text.as_bytes()))?;
        convert::from_json(text.as_bytes()).map_err(|why| call::thrown("invalid_json", why).into())
    });
    add_pure(module, "to_json", to_json);
}

fn to_json(map: &mut Map) -> Result<ImmutableString, Box<EvalAltResult>> {
    // The writer takes a value: the map is one for the time being.
    let value = Dynamic::from_map(std::mem::take(map));
    let written = convert::to_json(&value, call::string_bytes());
    *map = value.try_cast().unwrap_or_default();
    match written {
        Ok(text) => Ok(text.into()),
        Err(Unfit::TooDeep) => Err(guard::too_deep()),
        Err(Unfit::TooLarge { limit }) => match guard::string(limit.saturating_add(1)) {
            Ok(()) => Err(call::thrown("invalid_value", "the text would be too long").into()),
            Err(end) => Err(end),
        },
        Err(Unfit::NotJson(why)) => Err(call::thrown("invalid_value", why).into()),
    }
}

/// How many bytes the values of a JSON text take at most, roughly.
fn estimate(text: &[u8]) -> usize {
    let mut bytes = text.len();
    let mut in_string = false;
    let mut escaped = false;
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => {
                in_string = !in_string;
                bytes += BOXED / 2;
            }
            _ if in_string => (),
            b'{' => bytes += MAP,
            b'[' => bytes += BOXED + 4 * VALUE,
            // Twice, for an array that grows.
            b',' => bytes += 2 * VALUE,
            b':' => bytes += BOXED,
            _ => (),
        }
    }
    bytes
}
