//! Whether two values are equal: `==` and `!=` of arrays and maps.
//!
//! What is equal is what Rhai's own operators say, 1 and 1.0 included; but no
//! deeper than values may be nested, and with looks at whether the run is to end.

use rhai::{Array, Dynamic, EvalAltResult, Map, Module, NativeCallContext};

use super::{
    add_pure,
    walk::{Steps, deeper},
};
use crate::engine::call;

/// How many bytes are compared between two looks at whether the run is to end.
const STRETCH: usize = 64 * 1024;

type Answer = Result<bool, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    add_pure(module, "==", |context: NativeCallContext<'_>, a: &mut Array, b: Array| arrays(&context, a, &b));
    add_pure(module, "!=", |context: NativeCallContext<'_>, a: &mut Array, b: Array| {
        arrays(&context, a, &b).map(|equal| !equal)
    });
    add_pure(module, "==", |context: NativeCallContext<'_>, a: &mut Map, b: Map| maps(&context, a, &b));
    add_pure(module, "!=", |context: NativeCallContext<'_>, a: &mut Map, b: Map| {
        maps(&context, a, &b).map(|equal| !equal)
    });
}

fn arrays(context: &NativeCallContext<'_>, a: &Array, b: &Array) -> Answer {
    Equality::new(context).arrays(a, b, 0)
}

fn maps(context: &NativeCallContext<'_>, a: &Map, b: &Map) -> Answer {
    Equality::new(context).maps(a, b, 0)
}

/// Compares values; one for all comparisons of a native, for it counts their steps.
pub(super) struct Equality<'a> {
    context: &'a NativeCallContext<'a>,
    steps: Steps,
}

impl<'a> Equality<'a> {
    /// Nothing compared yet.
    pub(super) fn new(context: &'a NativeCallContext<'a>) -> Self {
        Self { context, steps: Steps::default() }
    }

    /// Whether two values, each within an array, are equal.
    pub(super) fn items(&mut self, a: &Dynamic, b: &Dynamic) -> Answer {
        self.values(a, b, 1)
    }

    fn values(&mut self, a: &Dynamic, b: &Dynamic, depth: usize) -> Answer {
        self.steps.value()?;
        if a.is_shared() || b.is_shared() {
            let (Some(a), Some(b)) = (a.read_lock::<Dynamic>(), b.read_lock::<Dynamic>()) else {
                return Err(call::thrown("in_use", "a value is compared while it is being changed").into());
            };
            return self.values(&a, &b, depth);
        }
        if let (Ok(a), Ok(b)) = (a.as_int(), b.as_int()) {
            return Ok(a == b);
        }
        if let (Ok(a), Ok(b)) = (a.as_immutable_string_ref(), b.as_immutable_string_ref()) {
            return Ok(a.ptr_eq(&b) || self.bytes(a.as_bytes(), b.as_bytes())?);
        }
        if let (Ok(a), Ok(b)) = (a.as_array_ref(), b.as_array_ref()) {
            return self.arrays(&a, &b, depth);
        }
        if let (Ok(a), Ok(b)) = (a.as_map_ref(), b.as_map_ref()) {
            return self.maps(&a, &b, depth);
        }
        if let (Ok(a), Ok(b)) = (a.as_blob_ref(), b.as_blob_ref()) {
            return self.bytes(&a, &b);
        }
        self.by_operator(a, b)
    }

    fn arrays(&mut self, a: &Array, b: &Array, depth: usize) -> Answer {
        let depth = deeper(depth)?;
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b) {
            if !self.values(a, b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn maps(&mut self, a: &Map, b: &Map, depth: usize) -> Answer {
        let depth = deeper(depth)?;
        if a.len() != b.len() {
            return Ok(false);
        }
        // Both are in the order of their keys.
        for ((key, a), (other, b)) in a.iter().zip(b) {
            if !self.bytes(key.as_bytes(), other.as_bytes())? || !self.values(a, b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn bytes(&mut self, a: &[u8], b: &[u8]) -> Answer {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.chunks(STRETCH).zip(b.chunks(STRETCH)) {
            self.steps.bytes(a.len())?;
            if a != b {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Values that hold no others, at least on one side: as the operator finds it.
    fn by_operator(&self, a: &Dynamic, b: &Dynamic) -> Answer {
        // One that holds others differs from every other type, and is not cloned to find that out.
        if is_container(a) || is_container(b) {
            return Ok(false);
        }
        let compared = self.context.call_native_fn_raw("==", true, &mut [&mut a.clone(), &mut b.clone()]);
        match compared {
            Ok(equal) => Ok(equal.as_bool().unwrap_or(false)),
            // Values of different types that nobody compares are different.
            Err(error) if not_comparable(&error) && a.type_id() != b.type_id() => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_container(value: &Dynamic) -> bool {
    value.is_array() || value.is_map() || value.is_blob()
}

fn not_comparable(error: &EvalAltResult) -> bool {
    matches!(error, EvalAltResult::ErrorFunctionNotFound(signature, _) if signature.starts_with("=="))
}
