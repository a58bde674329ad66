//! Rhai engines, one for each sandbox profile, built once and shared by all script threads.
//!
//! A profile is what an engine cannot be told per run: how deeply functions
//! may call one another. All else reaches natives through the call.

use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Module};
use rhai::{
    Engine, OptimizationLevel,
    packages::{Package, StandardPackage},
};

use super::{
    call, checked,
    compile::{self, reserved},
    meter,
    outcome::Level,
    sdk::SdkModule,
    stdlib,
};

/// The deepest nesting of an expression in the source, in functions and outside.
const EXPRESSION_DEPTH: usize = 64;

/// The engines.
pub(super) struct Profiles {
    packages: Arc<Module>,
    base: Arc<Module>,
    modules: Vec<(&'static str, Arc<Module>)>,
    /// The engines for each call depth, from 1, without `ctx` and with it, each
    /// made when the first script asks for it.
    by_call_depth: Vec<[OnceLock<Engine>; 2]>,
}

impl Profiles {
    /// Engines for call depths up to `deepest`, with the standard library and `modules`.
    pub(super) fn new(deepest: u32, modules: &[SdkModule]) -> Self {
        let all = stdlib::STDLIB.iter().chain(modules);
        Self {
            packages: StandardPackage::new().as_shared_module(),
            base: Arc::new(stdlib::base()),
            modules: all.map(|module| (module.name, Arc::new((module.build)()))).collect(),
            by_call_depth: (0..deepest.max(1)).map(|_| Default::default()).collect(),
        }
    }

    /// The engine that compiles, and runs what it compiled a function deep.
    pub(super) fn compiler(&self) -> &Engine {
        self.engine(1, true)
    }

    /// The engine whose scripts may call `depth` functions deep.
    ///
    /// What makes `ctx` visible everywhere is asked for every variable, so a
    /// script that never names it runs on one that does not know it.
    pub(super) fn engine(&self, depth: u32, ctx: bool) -> &Engine {
        let last = self.by_call_depth.len();
        let depth = (depth as usize).clamp(1, last);
        self.by_call_depth[depth - 1][usize::from(ctx)].get_or_init(|| self.build(depth, ctx))
    }

    fn build(&self, depth: usize, ctx: bool) -> Engine {
        let mut engine = Engine::new_raw();
        engine.register_global_module(Arc::clone(&self.packages));
        // After the packages, so that ours win.
        engine.register_global_module(Arc::clone(&self.base));
        for (name, module) in &self.modules {
            engine.register_static_module(name, Arc::clone(module));
        }
        engine
            .disable_symbol("eval")
            .disable_symbol("import")
            // Folding constants gains nothing measurable and blurs where an error happened.
            .set_optimization_level(OptimizationLevel::None)
            .set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH)
            .set_max_call_levels(depth)
            .set_max_functions(compile::MOST_FUNCTIONS)
            // Rhai's size limits stay off: any of them makes `push` quadratic.
            .on_progress(|_| meter::operation().map(|_| Dynamic::UNIT))
            .on_print(|text| stdlib::log::print(Level::Info, text))
            .on_debug(|text, _, _| stdlib::log::print(Level::Debug, text));
        if ctx {
            #[expect(deprecated, reason = "Rhai marks its volatile interfaces so; there is no other")]
            engine.on_var(|name, _, _| if name == reserved::NAME { call::ctx() } else { Ok(None) });
        }
        reserved::install(&mut engine);
        checked::install(&mut engine);
        engine
    }
}
