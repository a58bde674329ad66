//! Reads the configuration file: TOML into names, lines and texts.

use std::{fs, path::Path};

use toml::de::{DeTable, DeValue};

use super::{Fault, Slot};
use crate::system;

/// One value of the file.
pub(super) struct Entry<'a> {
    /// Its name, with dots between tables and keys.
    pub(super) name: String,
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// How it is written there, on one line and not too long.
    pub(super) written: String,
    /// What the parser made of it.
    value: DeValue<'a>,
}

/// Reads the file's text.
pub(super) fn read(path: &Path) -> Result<String, Fault> {
    fs::read_to_string(path)
        .map_err(|error| Fault::Unreadable { path: path.to_owned(), why: system::words(&error) })
}

/// Takes the text apart. Text that is not TOML gives every fault the parser
/// finds and no entries: half a file read would blame keys that are right.
pub(super) fn entries<'a>(path: &Path, text: &'a str) -> Result<Vec<Entry<'a>>, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut faults: Vec<Fault> = errors.iter().map(|error| syntax(path, text, error)).collect();
        faults.dedup();
        return Err(faults);
    }
    let mut found = Vec::new();
    flatten(text, "", table.into_inner(), &mut found);
    found.sort_by_key(|entry| entry.line);
    Ok(found)
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Fault {
    let line = line(text, error.span().map_or(0, |span| span.start));
    // What follows the first line is what the parser expected, which is seldom what a person forgot.
    let why = error.message().lines().next().unwrap_or_default();
    let why = why.strip_suffix(", expected nothing").unwrap_or(why).to_owned();
    Fault::Syntax { place: format!("{}:{line}", path.display()), why }
}

fn flatten<'a>(text: &str, prefix: &str, table: DeTable<'a>, found: &mut Vec<Entry<'a>>) {
    for (key, value) in table {
        let line = line(text, key.span().start);
        let name = format!("{prefix}{}", key.get_ref());
        let written = shortened(text.get(value.span()).unwrap_or_default());
        match value.into_inner() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(text, &format!("{name}."), inner, found),
            value => found.push(Entry { name, line, written, value }),
        }
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn shortened(written: &str) -> String {
    const LONGEST: usize = 60;
    let first = written.lines().next().unwrap_or_default();
    let cut: String = first.chars().take(LONGEST).collect();
    if cut.len() < written.len() { format!("{cut}...") } else { cut }
}

impl Entry<'_> {
    /// The value as text for a slot, unless its type in the file is wrong for it.
    pub(super) fn text(&self, slot: &Slot) -> Option<String> {
        match (slot, &self.value) {
            (
                Slot::Count(..) | Slot::Large(..) | Slot::Size(..) | Slot::Floor(..) | Slot::Units(..),
                DeValue::Integer(number),
            ) => u64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string()),
            (Slot::Count(..) | Slot::Large(..) | Slot::Units(..), _) => None,
            (Slot::Switch(_), value) => value.as_bool().map(|yes| yes.to_string()),
            (Slot::Names(_) | Slot::Networks(_), DeValue::Array(names)) => {
                let names: Option<Vec<&str>> = names.iter().map(|name| name.get_ref().as_str()).collect();
                names.map(|names| names.join(","))
            }
            (_, value) => value.as_str().map(str::to_owned),
        }
    }
}
