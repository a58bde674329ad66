//! The manual of scripts is what the reference says.

use std::{fs, path::Path};

#[test]
fn the_manual_is_what_the_reference_says() {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/sdk.md");
    let manual = picloud::engine::reference::manual();
    if fs::read_to_string(&written).is_ok_and(|text| text == manual) {
        return;
    }
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk.md");
    fs::write(&fresh, manual).expect("a file can be written");
    panic!(
        "docs/sdk.md is not what the code says; if the code is right, run: cp {} docs/sdk.md",
        fresh.display()
    );
}
