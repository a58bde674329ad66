//! Takes apart what a run leaves, so that values that hold one another are freed.
//!
//! A closure shares what it captures, and values that are shared are freed when
//! nobody holds them. In `let x = #{}; let f = || x; x.f = f;` the map holds
//! the closure and the closure the map, for ever. What can still be reached
//! from the variables and the result of a run is emptied here; what the script
//! has lost sight of before is found only by the count of what is left.

use rhai::{Array, Dynamic, FnPtr, Map};

/// Empties `values` and all that they hold.
///
/// A list of what is still to be emptied instead of recursion: values may be
/// nested to any depth.
pub(in crate::engine) fn take_apart(mut values: Vec<Dynamic>) {
    while let Some(mut value) = values.pop() {
        if let Some(mut array) = value.write_lock::<Array>() {
            let items = std::mem::take(&mut *array);
            values.extend(items.into_iter().filter(holds_others));
        } else if let Some(mut map) = value.write_lock::<Map>() {
            let items = std::mem::take(&mut *map);
            values.extend(items.into_values().filter(holds_others));
        } else if let Some(mut pointer) = value.write_lock::<FnPtr>() {
            let curried = pointer.iter_curry_mut().map(std::mem::take);
            values.extend(curried.filter(holds_others));
        }
    }
}

fn holds_others(value: &Dynamic) -> bool {
    value.is_shared() || value.is_array() || value.is_map() || value.is_fnptr()
}

#[cfg(test)]
mod tests {
    use rhai::{Engine, Scope};

    use super::*;
    use crate::system::allocator::held;

    /// The bytes that running `source` leaves, and that are left when its scope and result were taken apart.
    fn left(source: &str) -> [i64; 2] {
        [false, true].map(|apart| {
            let mut engine = Engine::new_raw();
            engine.set_max_strings_interned(0);
            let ast = engine.compile(source).expect("it parses");
            let before = held();
            let mut scope = Scope::new();
            let value: Dynamic = engine.eval_ast_with_scope(&mut scope, &ast).expect("it runs");
            let mut values = vec![value];
            values.extend(scope.into_iter().map(|(_, value, _)| value));
            if apart {
                take_apart(values);
            } else {
                drop(values);
            }
            held() - before
        })
    }

    #[test]
    fn a_cycle_in_reach_is_undone() {
        for source in [
            "let x = #{}; let f = || x; x.f = f; ()",
            "let x = #{}; let f = || x; x.f = f; x",
            "let a = [#{}]; { let x = #{ big: \"some text that is long enough\" }; let f = || x; x.f = f; a[0].x = x; } ()",
            "let x = #{}; let y = #{}; let f = || [x, y]; let g = || [x, y]; x.f = f; y.g = g; ()",
        ] {
            let [leaked, undone] = left(source);
            assert!(leaked > 0, "{source} leaves nothing");
            assert_eq!(undone, 0, "{source}");
        }
    }

    #[test]
    fn without_cycles_nothing_is_left_anyway() {
        for source in ["let x = 1; let f = || x; f.call()", "let x = #{ a: [1, 2] }; let f = |y| x.a; [f, x]"]
        {
            assert_eq!(left(source), [0, 0], "{source}");
        }
    }
}
