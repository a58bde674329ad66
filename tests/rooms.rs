//! The rules of the house that no compiler knows.
//!
//! Each rule is a pure function from a path and a text to what is wrong with
//! them, so that each can also be shown to catch a planted fault. The floors
//! are in `rooms/floors.rs`, what one file may hold in `rooms/files.rs`, what
//! must agree across files in `rooms/whole.rs`.

#![expect(clippy::expect_used, reason = "a test that cannot read the tree has failed")]

#[path = "rooms/code.rs"]
mod code;
#[path = "rooms/files.rs"]
mod files;
#[path = "rooms/floors.rs"]
mod floors;
#[path = "rooms/whole.rs"]
mod whole;

use std::path::Path;

use walkdir::WalkDir;

/// A file of the repository.
pub(crate) struct Source {
    /// Where it is, from the repository's root.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

/// Reads the text of one file of the repository.
fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// All Rust files below the given folders, in the order of their paths.
fn sources(folders: &[&str]) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in folders.iter().filter(|folder| root.join(folder).exists()) {
        for entry in WalkDir::new(root.join(folder)).sort_by_file_name() {
            let entry = entry.expect("the tree can be read");
            if entry.path().extension().is_some_and(|end| end == "rs") {
                let path = entry.path().strip_prefix(root).expect("it lies below the root");
                let path = path.to_string_lossy().into_owned();
                found.push(Source { text: read(&path), path });
            }
        }
    }
    assert!(!found.is_empty(), "no Rust files below {folders:?}");
    found
}

/// Applies a rule to each file and fails with all that is wrong.
fn obeyed(folders: &[&str], rule: impl Fn(&str, &str) -> Vec<String>) {
    let wrong: Vec<String> = sources(folders).iter().flat_map(|file| rule(&file.path, &file.text)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
