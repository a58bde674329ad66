//! The baseline: an engine with Rhai's standard packages and no limit of any kind.

use std::time::{Duration, Instant};

use rhai::{
    Dynamic, Engine, Module, OptimizationLevel, Scope,
    packages::{Package, StandardPackage},
};

/// Runs `source` on a bare engine, compiled once; each call is one run.
pub(crate) fn runs(source: &'static str) -> Box<dyn FnMut() -> Duration> {
    let engine = engine();
    let ast = engine.compile(source).expect("the bench's script parses");
    Box::new(move || {
        let began = Instant::now();
        let mut scope = Scope::new();
        let value: Dynamic = engine.eval_ast_with_scope(&mut scope, &ast).expect("the bench's script runs");
        std::hint::black_box(&value);
        began.elapsed()
    })
}

fn engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_expr_depths(64, 64);
    let mut time = Module::new();
    time.set_native_fn("now_ms", || Ok(now_ms()));
    engine.register_static_module("time", time.into());
    engine
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
}
