//! Sorting: `sort`, `sort_by`, `sort_desc`, and `order` and its kin, which sort a copy.
//!
//! A stable merge sort of our own: it ends with the run, and an order that
//! contradicts itself gives some order instead of a panic.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Module, NativeCallContext, Position};

use super::{add, ends_the_run, walk::Steps};
use crate::engine::guard;

/// How many items that need no function to be compared are sorted between two looks at whether the run is to end.
const RUN: usize = 64 * 1024;

type Sorted = Result<(), Box<EvalAltResult>>;
type Compared = Result<Ordering, Box<EvalAltResult>>;
type Copied = Result<Array, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    for name in ["sort", "sort_by"] {
        add(module, name, |context: NativeCallContext<'_>, array: &mut Array, order: FnPtr| -> Sorted {
            by_function(&context, array, &order)
        });
    }
    add(
        module,
        "sort",
        |context: NativeCallContext<'_>, array: &mut Array, order: ImmutableString| -> Sorted {
            by_function(&context, array, &FnPtr::new(order)?)
        },
    );
    add(module, "sort", |array: &mut Array| -> Sorted { by_value(array, |order| order) });
    add(module, "sort_desc", |array: &mut Array| -> Sorted { by_value(array, Ordering::reverse) });
    for name in ["order", "order_by"] {
        add(module, name, |context: NativeCallContext<'_>, array: &mut Array, order: FnPtr| -> Copied {
            let mut copy = array.clone();
            by_function(&context, &mut copy, &order)?;
            Ok(copy)
        });
    }
    add(module, "order", |array: &mut Array| -> Copied { ordered(array, |order| order) });
    add(module, "order_desc", |array: &mut Array| -> Copied { ordered(array, Ordering::reverse) });
}

fn ordered(array: &Array, direction: fn(Ordering) -> Ordering) -> Copied {
    let mut copy = array.clone();
    by_value(&mut copy, direction)?;
    Ok(copy)
}

/// Sorts by what a function says: a number, or whether the first of two comes first.
fn by_function(context: &NativeCallContext<'_>, array: &mut Array, order: &FnPtr) -> Sorted {
    merge_sort(array, 1, &mut |a, b| {
        let answer = match order.call_raw(context, None, [a.clone(), b.clone()]) {
            Ok(answer) => answer,
            Err(error) if ends_the_run(&error) => return Err(error),
            // As in Rhai, what the function throws is no answer.
            Err(_) => Dynamic::UNIT,
        };
        if let Ok(number) = answer.as_int() {
            return Ok(number.cmp(&0));
        }
        Ok(match answer.as_bool() {
            Ok(true) => Ordering::Less,
            Ok(false) => Ordering::Greater,
            Err(_) => a.type_id().cmp(&b.type_id()),
        })
    })
}

/// Sorts values that are all of one type, which has an order.
fn by_value(array: &mut Array, direction: fn(Ordering) -> Ordering) -> Sorted {
    let Some(first) = array.first() else { return Ok(()) };
    if array.len() == 1 {
        return Ok(());
    }
    let kind = first.type_id();
    if array.iter().any(|item| item.type_id() != kind) {
        return Err(not_sortable("elements of different types cannot be sorted".to_owned()));
    }
    if first.is_string() {
        return by_text(array, direction);
    }
    if first.is_unit() {
        return Ok(());
    }
    let Some(compare) = order_of(first) else {
        return Err(not_sortable(format!("elements of {} cannot be sorted", first.type_name())));
    };
    for run in array.chunks_mut(RUN) {
        run.sort_by(|a, b| direction(compare(a, b)));
        guard::check()?;
    }
    merge_sort(array, RUN, &mut |a, b| Ok(direction(compare(a, b))))
}

/// How values of the type of `value` are ordered, if that takes no time to speak of.
fn order_of(value: &Dynamic) -> Option<fn(&Dynamic, &Dynamic) -> Ordering> {
    if value.is_int() {
        Some(|a, b| a.as_int().ok().cmp(&b.as_int().ok()))
    } else if value.is_float() {
        Some(|a, b| a.as_float().ok().partial_cmp(&b.as_float().ok()).unwrap_or(Ordering::Equal))
    } else if value.is_char() {
        Some(|a, b| a.as_char().ok().cmp(&b.as_char().ok()))
    } else if value.is_bool() {
        Some(|a, b| a.as_bool().ok().cmp(&b.as_bool().ok()))
    } else {
        None
    }
}

fn by_text(array: &mut Array, direction: fn(Ordering) -> Ordering) -> Sorted {
    let mut steps = Steps::default();
    merge_sort(array, 1, &mut |a, b| {
        let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) else {
            return Ok(Ordering::Equal);
        };
        if a.ptr_eq(&b) {
            return Ok(Ordering::Equal);
        }
        steps.bytes(a.len().min(b.len()))?;
        Ok(direction(a.as_str().cmp(b.as_str())))
    })
}

#[expect(clippy::unnecessary_box_returns, reason = "a native returns it as it is")]
fn not_sortable(why: String) -> Box<EvalAltResult> {
    EvalAltResult::ErrorFunctionNotFound(why, Position::NONE).into()
}

/// Sorts an array in which each `run` of items is sorted already. If
/// comparing fails the array is as it was.
fn merge_sort(
    array: &mut Array,
    run: usize,
    compare: &mut dyn FnMut(&Dynamic, &Dynamic) -> Compared,
) -> Sorted {
    if array.len() <= run {
        return Ok(());
    }
    let mut order: Vec<usize> = (0..array.len()).collect();
    let mut merged = Vec::with_capacity(order.len());
    let mut width = run;
    let mut steps = Steps::default();
    while width < order.len() {
        for pair in order.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some((&a, rest_a)), Some((&b, rest_b))) = (left.split_first(), right.split_first()) {
                steps.value()?;
                if compare(&array[a], &array[b])? == Ordering::Greater {
                    merged.push(b);
                    right = rest_b;
                } else {
                    merged.push(a);
                    left = rest_a;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut order, &mut merged);
        merged.clear();
        width *= 2;
    }
    *array = order.into_iter().map(|index| std::mem::take(&mut array[index])).collect();
    Ok(())
}
