//! Arrays: `pad`, and `drain` and `retain` by a function, which Rhai does in quadratic time.

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, Module, NativeCallContext};

use super::{add, walk::deeper};
use crate::engine::guard::{self, Guarded, STEPS};

type Taken = Result<Array, Box<EvalAltResult>>;

/// The bytes of a value itself.
const VALUE: usize = size_of::<Dynamic>();

/// The bytes of a map's entry and its share of the tree.
const ENTRY: usize = 64;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add(module, "pad", pad);
    add(module, "drain", |context: NativeCallContext<'_>, array: &mut Array, filter: FnPtr| -> Taken {
        take_out(&context, array, &filter, "drain")
    });
    add(
        module,
        "drain",
        |context: NativeCallContext<'_>, array: &mut Array, filter: ImmutableString| -> Taken {
            take_out(&context, array, &FnPtr::new(filter)?, "drain")
        },
    );
    add(module, "retain", |context: NativeCallContext<'_>, array: &mut Array, filter: FnPtr| -> Taken {
        take_out(&context, array, &filter, "retain")
    });
    add(
        module,
        "retain",
        |context: NativeCallContext<'_>, array: &mut Array, filter: ImmutableString| -> Taken {
            take_out(&context, array, &FnPtr::new(filter)?, "retain")
        },
    );
}

#[expect(clippy::needless_pass_by_value, reason = "Rhai hands values over")]
fn pad(array: &mut Array, length: i64, item: Dynamic) -> Guarded {
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(array.len());
    if missing == 0 {
        return Ok(());
    }
    guard::room(missing.saturating_mul(VALUE + weight(&item, 0)?))?;
    array.reserve_exact(missing);
    for done in 0..missing {
        if done % STEPS == 0 {
            guard::check()?;
        }
        array.push(item.clone());
    }
    Ok(())
}

/// What a copy of a value takes beside the value itself; what is shared is not copied.
fn weight(value: &Dynamic, depth: usize) -> Result<usize, Box<EvalAltResult>> {
    if value.is_shared() {
        return Ok(0);
    }
    if let Ok(array) = value.as_array_ref() {
        let depth = deeper(depth)?;
        let inner = array.iter().map(|item| Ok(VALUE + weight(item, depth)?));
        return Ok(size_of::<Array>() + total(inner)?);
    }
    if let Ok(map) = value.as_map_ref() {
        let depth = deeper(depth)?;
        let inner = map.iter().map(|(key, item)| Ok(ENTRY + key.len() + weight(item, depth)?));
        return Ok(size_of::<Map>() + total(inner)?);
    }
    if let Some(f) = value.read_lock::<FnPtr>() {
        let depth = deeper(depth)?;
        let inner = f.curry().iter().map(|item| Ok(VALUE + weight(item, depth)?));
        return Ok(size_of::<FnPtr>() + total(inner)?);
    }
    Ok(value.as_blob_ref().map_or(0, |blob| size_of::<rhai::Blob>() + blob.len()))
}

fn total(
    parts: impl Iterator<Item = Result<usize, Box<EvalAltResult>>>,
) -> Result<usize, Box<EvalAltResult>> {
    parts.sum()
}

/// Takes out what the filter says yes to, or what it says no to, and gives it back.
fn take_out(context: &NativeCallContext<'_>, array: &mut Array, filter: &FnPtr, name: &'static str) -> Taken {
    let out = name == "drain";
    let mut taken = Array::new();
    let mut kept = Array::new();
    let mut items = std::mem::take(array).into_iter().enumerate();
    let mut failed = None;
    for (index, mut item) in items.by_ref() {
        let extra = [i64::try_from(index).unwrap_or(i64::MAX).into()];
        match filter.call_raw_with_extra_args(name, context, Some(&mut item), [], extra, Some(0)) {
            Ok(answer) if answer.as_bool().unwrap_or(false) == out => taken.push(item),
            Ok(_) => kept.push(item),
            Err(error) => {
                kept.push(item);
                failed = Some(error);
                break;
            }
        }
    }
    kept.extend(items.map(|(_, item)| item));
    *array = kept;
    failed.map_or(Ok(taken), Err)
}
