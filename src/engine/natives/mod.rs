//! Rhai's native functions made harmless: ours win over those of its packages.
//!
//! A native runs between two operations, where nothing counts for it. What
//! Rhai's own functions do there in memory or time that is out of proportion
//! to what they were given, these do within the guard's bounds, and with the
//! same answers otherwise. `classes` holds what is said of every function that
//! is registered, and a test that none is missing.

mod arrays;
mod blobs;
mod chars;
mod concat;
mod equality;
mod json;
mod literal;
mod range;
mod reflect;
mod search;
mod sort;
mod split;
mod strings;
mod text;
mod walk;

pub(super) use literal::could_be_literal;
pub(super) use text::{Form, text};

use rhai::{EvalAltResult, FuncRegistration, Module, RhaiNativeFunc, Variant};

/// Registers all of them in the module that wins over the packages.
pub(super) fn register(module: &mut Module) {
    arrays::register(module);
    blobs::register(module);
    chars::register(module);
    concat::register(module);
    equality::register(module);
    json::register(module);
    reflect::register(module);
    search::register(module);
    sort::register(module);
    split::register(module);
    strings::register(module);
    text::register(module);
}

/// Registers a function that may change its first argument, which must not be a constant then.
fn add<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
    module: &mut Module,
    name: &str,
    function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) {
    FuncRegistration::new(name).with_purity(false).set_into_module(module, function);
}

/// Registers a function that leaves its first argument as it is.
fn add_pure<A: 'static, const N: usize, const X: bool, R: Variant + Clone, const F: bool>(
    module: &mut Module,
    name: &str,
    function: impl RhaiNativeFunc<A, N, X, R, F> + Send + Sync + 'static,
) {
    FuncRegistration::new(name).with_purity(true).set_into_module(module, function);
}

/// Whether an error ends the run, so that it must not be taken for an answer.
fn ends_the_run(error: &EvalAltResult) -> bool {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            ends_the_run(inner)
        }
        other => !other.is_catchable(),
    }
}
