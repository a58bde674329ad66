//! No value that a run can build is too deep for the stack of its thread.

use rhai::{Dynamic, FnPtr, Map};

use crate::{engine::gate::stack_bytes, system::allocator::held};

/// What the value of the tests holds, as much as a run may by default.
const MEMORY: usize = 32 << 20;

/// One more level around a value.
type Wrap = fn(Dynamic) -> Dynamic;

fn array(inner: Dynamic) -> Dynamic {
    vec![inner].into()
}

fn map(inner: Dynamic) -> Dynamic {
    Map::from([("a".into(), inner)]).into()
}

fn curried(inner: Dynamic) -> Dynamic {
    let mut pointer = FnPtr::new("f").expect("a name");
    pointer.add_curry(inner);
    pointer.into()
}

/// A closure that has captured the value.
fn captured(inner: Dynamic) -> Dynamic {
    curried(inner.into_shared())
}

fn captured_in_array(inner: Dynamic) -> Dynamic {
    array(captured(inner))
}

fn captured_in_map(inner: Dynamic) -> Dynamic {
    map(captured(inner))
}

/// Nests until the value holds as much as a run may.
fn nested(wrap: Wrap) -> Dynamic {
    let base = held();
    let mut value = Dynamic::UNIT;
    while held() - base < i64::try_from(MEMORY).unwrap_or(i64::MAX) {
        value = wrap(value);
    }
    value
}

fn on_a_script_threads_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(stack_bytes(MEMORY)).spawn(test);
    thread.expect("a thread").join().expect("it ends");
}

#[test]
fn dropping_and_cloning_the_deepest_value_fits() {
    for wrap in [array as Wrap, map, curried, captured, captured_in_array, captured_in_map] {
        on_a_script_threads_stack(move || {
            let value = nested(wrap);
            let copy = value.clone();
            drop(value);
            drop(copy);
        });
    }
}

#[test]
fn taking_the_deepest_value_apart_needs_no_stack() {
    for wrap in [array as Wrap, map, curried, captured, captured_in_array, captured_in_map] {
        let value = nested(wrap);
        crate::engine::run::take_apart(vec![value]);
    }
}
