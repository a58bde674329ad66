//! Looking for a value in an array: `in`, `contains`, `index_of` and `dedup`.

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Module, NativeCallContext};

use super::{add, add_pure, ends_the_run, equality::Equality, range::offset};

type Found = Result<i64, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add_pure(module, "contains", |context: NativeCallContext<'_>, array: &mut Array, value: Dynamic| {
        position(&context, array, &value, 0).map(|found| found.is_some())
    });
    add_pure(module, "index_of", |context: NativeCallContext<'_>, array: &mut Array, value: Dynamic| {
        position(&context, array, &value, 0).map(as_index)
    });
    add_pure(
        module,
        "index_of",
        |context: NativeCallContext<'_>, array: &mut Array, value: Dynamic, start: i64| {
            position(&context, array, &value, start).map(as_index)
        },
    );
    add_pure(
        module,
        "index_of",
        |context: NativeCallContext<'_>, array: &mut Array, value: ImmutableString| {
            by_name_or_value(&context, array, value, 0)
        },
    );
    add_pure(
        module,
        "index_of",
        |context: NativeCallContext<'_>, array: &mut Array, value: ImmutableString, start: i64| {
            by_name_or_value(&context, array, value, start)
        },
    );
    add(module, "dedup", |context: NativeCallContext<'_>, array: &mut Array| {
        let mut equality = Equality::new(&context);
        // As in Rhai, values that cannot be compared are different.
        dedup(array, |a, b| equality.items(a, b).or_else(unless_stopped))
    });
    add(module, "dedup", |context: NativeCallContext<'_>, array: &mut Array, same: FnPtr| {
        dedup_by(&context, array, &same)
    });
    add(module, "dedup", |context: NativeCallContext<'_>, array: &mut Array, same: ImmutableString| {
        dedup_by(&context, array, &FnPtr::new(same)?)
    });
}

fn position(
    context: &NativeCallContext<'_>,
    array: &Array,
    value: &Dynamic,
    start: i64,
) -> Result<Option<usize>, Box<EvalAltResult>> {
    let mut equality = Equality::new(context);
    for (index, item) in array.iter().enumerate().skip(offset(array.len(), start)) {
        if equality.items(item, value)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

/// A string may name a function that is asked about each item; if there is none of the name, it is the value.
fn by_name_or_value(
    context: &NativeCallContext<'_>,
    array: &mut Array,
    value: ImmutableString,
    start: i64,
) -> Found {
    if let (Ok(function), false) = (FnPtr::new(value.clone()), array.is_empty()) {
        match first_that(context, array, &function, start) {
            Err(error) if is_missing(&error, &value) => (),
            found => return found,
        }
    }
    position(context, array, &value.into(), start).map(as_index)
}

fn first_that(context: &NativeCallContext<'_>, array: &mut Array, asked: &FnPtr, start: i64) -> Found {
    let start = offset(array.len(), start);
    for (index, item) in array.iter_mut().enumerate().skip(start) {
        let extra = [as_index(Some(index)).into()];
        let answer = asked.call_raw_with_extra_args("index_of", context, Some(item), [], extra, Some(0))?;
        if answer.as_bool().unwrap_or(false) {
            return Ok(as_index(Some(index)));
        }
    }
    Ok(-1)
}

fn is_missing(error: &EvalAltResult, function: &str) -> bool {
    match error {
        EvalAltResult::ErrorFunctionNotFound(signature, _) => signature.starts_with(function),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => {
            matches!(&**inner, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with(function))
        }
        _ => false,
    }
}

fn dedup_by(
    context: &NativeCallContext<'_>,
    array: &mut Array,
    same: &FnPtr,
) -> Result<(), Box<EvalAltResult>> {
    dedup(array, |a, b| {
        let answer = same.call_raw(context, None, [a.clone(), b.clone()]);
        // As in Rhai, what a function throws here counts for nothing.
        answer.map(|answer| answer.as_bool().unwrap_or(false)).or_else(unless_stopped)
    })
}

/// Keeps the first of each row of items that are the same; the first error ends it.
fn dedup(
    array: &mut Array,
    mut same: impl FnMut(&Dynamic, &Dynamic) -> Result<bool, Box<EvalAltResult>>,
) -> Result<(), Box<EvalAltResult>> {
    let mut failed = None;
    array.dedup_by(|later, kept| {
        if failed.is_some() {
            return false;
        }
        same(kept, later).unwrap_or_else(|error| {
            failed = Some(error);
            false
        })
    });
    failed.map_or(Ok(()), Err)
}

/// Passes an error on if the run is to end; otherwise the answer is no.
fn unless_stopped(error: Box<EvalAltResult>) -> Result<bool, Box<EvalAltResult>> {
    if ends_the_run(&error) { Err(error) } else { Ok(false) }
}

fn as_index(found: Option<usize>) -> i64 {
    found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1)
}
