//! How a module of functions for scripts is described.

use rhai::Module;

/// A module scripts call as `name::function`.
///
/// It is built once and shared by all engines and runs, so its functions hold
/// no state: what they need of a run they find in the call.
#[derive(Clone, Copy)]
pub struct SdkModule {
    /// The name in scripts.
    pub name: &'static str,
    /// Builds the module.
    pub build: fn() -> Module,
}
