//! How a module of functions for scripts is described.

use rhai::Module;

use super::reference::Function;

/// A module scripts call as `name::function`.
///
/// It is built once and shared by all engines and runs, so its functions hold
/// no state: what they need of a run they find in the call.
#[derive(Clone, Copy)]
pub struct SdkModule {
    /// The name in scripts.
    pub name: &'static str,
    /// What it is for, in a sentence or two.
    pub about: &'static str,
    /// Its functions, in the order in which the manual shows them.
    pub functions: &'static [Function],
    /// Builds the module.
    pub build: fn() -> Module,
}
