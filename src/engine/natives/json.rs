//! JSON by Rhai's names: `parse_json` and the method `to_json` of maps.

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Module};

use super::{add, add_pure};
use crate::engine::{convert, meter};

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add(module, "parse_json", |text: ImmutableString| -> Result<Dynamic, Box<EvalAltResult>> {
        Ok(convert::from_json(text.as_bytes())?)
    });
    add_pure(module, "to_json", to_json);
}

fn to_json(map: &mut Map) -> Result<ImmutableString, Box<EvalAltResult>> {
    // The writer takes a value: the map is one for the time being.
    let value = Dynamic::from_map(std::mem::take(map));
    let written = convert::to_json(&value, meter::limits().string_bytes);
    *map = value.try_cast().unwrap_or_default();
    Ok(written?.into())
}
