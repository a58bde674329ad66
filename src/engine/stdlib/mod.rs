//! What every script has besides Rhai's own packages: no I/O, always there.

use rhai::Module;

mod base;
pub(super) mod log;

pub(super) use base::base;

/// A module scripts call as `name::function`.
pub(super) struct SdkModule {
    /// The name in scripts.
    pub name: &'static str,
    /// Builds the module; called once, for all engines and runs.
    pub build: fn() -> Module,
}

/// The modules of the standard library, by name.
pub(super) const STDLIB: &[SdkModule] = &[log::MODULE];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted_and_unique() {
        let names: Vec<_> = STDLIB.iter().map(|module| module.name).collect();
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
