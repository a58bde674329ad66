//! What every script has besides Rhai's own packages: no I/O, always there.

mod base;
mod base64;
mod crypto;
mod hex;
mod json;
pub(super) mod log;
mod native;
mod random;
mod regex;
mod time;
mod url;

pub(super) use base::base;

use super::sdk::SdkModule;

/// The modules of the standard library, by name.
pub(super) const STDLIB: &[SdkModule] = &[
    base64::MODULE,
    crypto::MODULE,
    hex::MODULE,
    json::MODULE,
    log::MODULE,
    random::MODULE,
    regex::MODULE,
    time::MODULE,
    url::MODULE,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted_and_unique() {
        let names: Vec<_> = STDLIB.iter().map(|module| module.name).collect();
        assert!(names.is_sorted() && names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    }
}
