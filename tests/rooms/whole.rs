//! What must agree across files.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Source, code, read, sources};

/// The files a folder may hold beside its `mod.rs`.
const MAX_FILES: usize = 15;

/// Finds folders in which nobody finds anything any more.
fn crowded(paths: &[&str]) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for (folder, file) in paths.iter().filter_map(|path| path.rsplit_once('/')) {
        *folders.entry(folder).or_default() += usize::from(file != "mod.rs");
    }
    let found = folders.into_iter().filter(|(_, files)| *files > MAX_FILES);
    found.map(|(folder, files)| format!("{folder}: {files} files, {MAX_FILES} are allowed")).collect()
}

/// The places where an error becomes a response.
fn error_responses(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let tokens = code::tokens(&file.text);
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "IntoResponse") {
            let mut of = tokens[at + 1..].iter().take_while(|t| t.text != "{");
            let implements = of.next().is_some_and(|t| t.text == "for");
            if implements && of.any(|t| t.text.ends_with("Error")) {
                found.push(format!("{}:{}", file.path, token.line));
            }
        }
    }
    found
}

/// Checks that migrations are `NNNN_name.sql`, counted from 1 without a gap.
fn misnumbered(names: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let expected = format!("{:04}_", at + 1);
        let word =
            name.strip_prefix(&expected).and_then(|rest| rest.strip_suffix(".sql")).unwrap_or_default();
        if word.is_empty() || !word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        {
            wrong.push(format!("migrations/{name}: {expected}<name>.sql was expected"));
        }
    }
    wrong
}

/// The version of the newest entry of a changelog: `## [1.2.3] - ...`.
fn newest_version(changelog: &str) -> Option<&str> {
    let heading = changelog.lines().find_map(|line| line.strip_prefix("## ["))?;
    heading.split(']').next()
}

/// The variants of `enum Error` with the status that their comment names: `(404)`.
fn documented_statuses(source: &str) -> BTreeMap<String, String> {
    let body = source.split_once("pub enum Error {").map_or("", |(_, rest)| rest);
    let mut found = BTreeMap::new();
    let mut status = String::new();
    for line in body.lines().take_while(|line| *line != "}") {
        if let Some(comment) = line.strip_prefix("    /// ") {
            let bracketed = comment.split('(').skip(1).filter_map(|part| part.get(..3));
            let number = bracketed.filter(|part| part.chars().all(|c| c.is_ascii_digit())).last();
            status = number.map_or(status, str::to_owned);
        } else if line.starts_with("    ") && line[4..].starts_with(|c: char| c.is_ascii_uppercase()) {
            let name: String = line[4..].chars().take_while(char::is_ascii_alphanumeric).collect();
            found.insert(name, std::mem::take(&mut status));
        }
    }
    found
}

/// The rows `| Variant | status | ...` of the table in `docs/errors.md`.
fn listed_statuses(page: &str) -> BTreeMap<String, String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
    cells
        .filter(|row| row.len() > 2)
        .map(|row| (row[0].trim_end_matches('`').to_owned(), row[1].to_owned()))
        .collect()
}

/// The names of the metrics that are made: the first literal after the registry.
fn made_metrics(source: &str) -> BTreeSet<String> {
    let made = source.split("&all,").skip(1).chain(source.split("&metrics.registry,").skip(1));
    let names = made.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    names.map(|name| format!("picloud_{name}")).collect()
}

/// The names in the first column of the table in `docs/metrics.md`.
fn listed_metrics(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

#[test]
fn no_folder_is_crowded() {
    let files = sources(&["src"]);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(crowded(&paths), Vec::<String>::new());
    let planted: Vec<String> = (0..16).map(|n| format!("src/attic/box{n}.rs")).collect();
    let planted: Vec<&str> = planted.iter().map(String::as_str).collect();
    assert_eq!(crowded(&planted).len(), 1);
    assert_eq!(crowded(&planted[..15]), Vec::<String>::new());
}

#[test]
fn an_error_becomes_a_response_in_one_place() {
    let found = error_responses(&sources(&["src"]));
    assert_eq!(found.len(), 1, "{found:?}");
    let second = Source {
        path: "src/api/apps.rs".to_owned(),
        text: "impl axum::response::IntoResponse for AppError {}".to_owned(),
    };
    assert_eq!(error_responses(&[second]), ["src/api/apps.rs:1"]);
}

#[test]
fn migrations_are_numbered_without_a_gap() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).expect("it is there");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != "README.md");
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(misnumbered(&names), Vec::<String>::new());
    assert!(!names.is_empty());
    assert_eq!(misnumbered(&["0001_users.sql", "0003_apps.sql"]).len(), 1);
    assert_eq!(misnumbered(&["0001_users.sql", "0001_apps.sql"]).len(), 1);
    assert_eq!(misnumbered(&["0001_Users.sql", "0002.sql", "0003_a.txt"]).len(), 3);
}

#[test]
fn the_changelog_begins_with_this_version() {
    assert_eq!(newest_version(&read("CHANGELOG.md")), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(newest_version("# Changes\n\n## [0.2.0] - soon\n\n## [0.1.0]\n"), Some("0.2.0"));
}

#[test]
fn every_error_is_in_the_docs_with_its_status() {
    let documented = documented_statuses(&read("src/base/error.rs"));
    assert!(documented.len() >= 10, "{documented:?}");
    assert_eq!(listed_statuses(&read("docs/errors.md")), documented);
    let planted = "pub enum Error {\n    /// Gone (410): (see 3.2) forget it.\n    #[error(\"gone\")]\n    Gone {\n        \
                   /// Since (999).\n        Since: u8,\n    },\n    /// Odd.\n    Odd(String),\n}\n";
    let expected = [("Gone", "410"), ("Odd", "")].map(|(name, status)| (name.to_owned(), status.to_owned()));
    assert_eq!(documented_statuses(planted), BTreeMap::from(expected));
    assert_eq!(
        listed_statuses("| `Gone` | 410 | 1 |\n|---|---|---|\n").get("Gone").map(String::as_str),
        Some("410")
    );
}

#[test]
fn every_metric_is_in_the_docs() {
    let made = made_metrics(&read("src/system/metrics.rs"));
    assert!(made.len() >= 19, "{made:?}");
    assert_eq!(listed_metrics(&read("docs/metrics.md")), made);
    let planted = "a: counter(&all, \"a_total\", \"A.\"), b: gauges(\n &all,\n \"b\",\n \"B.\", &[\"c\"])";
    let expected = ["picloud_a_total", "picloud_b"].map(str::to_owned);
    assert_eq!(made_metrics(planted), BTreeSet::from(expected));
    assert_eq!(listed_metrics("| `picloud_a_total` | counter |\n|---|---|\n").len(), 1);
}
