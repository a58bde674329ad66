//! Puts the layers together: defaults, file, variables, flags.

use std::path::Path;

use super::{Config, Error, Fault, KEYS, Key, Origin, Resolved, file};
use crate::system::hardware::Hardware;

/// The file that is read when no other is named, if it is there.
pub const DEFAULT_FILE: &str = "/etc/picloud/picloud.toml";

/// What the name of every variable of ours begins with.
const PREFIX: &str = "PICLOUD_";

/// Numbers that may not exceed one another, and whether the greater one follows
/// the smaller one up as long as nobody has set it.
const ORDERED: [(&str, &str, bool); 6] = [
    ("max_concurrent_executions", "max_in_flight_executions", true),
    ("max_operations", "max_operations_ceiling", false),
    ("max_call_depth", "max_call_depth_ceiling", false),
    ("max_log_lines", "max_log_lines_ceiling", false),
    ("max_memory_bytes_ceiling", "scripts_memory_bytes", true),
    ("max_memory_bytes", "max_memory_bytes_ceiling", false),
];

/// The environment of the process as text. What is not UTF-8 keeps a character
/// that no value allows.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let text = |part: std::ffi::OsString| part.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

impl Config {
    /// Resolves the configuration, or tells all that is wrong with it.
    ///
    /// `file` must be there if it is named; `env` may hold anything, but what
    /// begins with `PICLOUD_` must be known; `flags` are names of keys with
    /// their values.
    pub fn load(
        file: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, &str)],
        hardware: &Hardware,
    ) -> Result<Self, Error> {
        let mut layers = Layers::new(hardware);
        if let Some(path) = file {
            layers.file(path);
        }
        for (name, value) in env {
            layers.variable(&name, &value);
        }
        for (name, value) in flags {
            layers.flag(name, value);
        }
        layers.order();
        layers.finish()
    }
}

/// The layers put on one another so far.
struct Layers {
    config: Config,
    /// Where each key's value came from, in the order of `KEYS`.
    origins: Vec<Origin>,
    faults: Vec<Fault>,
}

impl Layers {
    fn new(hardware: &Hardware) -> Self {
        let origin = |key: &Key| if key.sized { Origin::Machine } else { Origin::Default };
        Self {
            config: Config::defaults(hardware),
            origins: KEYS.iter().map(origin).collect(),
            faults: Vec::new(),
        }
    }

    fn file(&mut self, path: &Path) {
        let text = match file::read(path) {
            Ok(text) => text,
            Err(fault) => return self.faults.push(fault),
        };
        let entries = match file::entries(path, &text) {
            Ok(entries) => entries,
            Err(faults) => return self.faults.extend(faults),
        };
        for entry in entries {
            let place = format!("{}:{}", path.display(), entry.line);
            let Some(index) = index(&entry.name) else {
                self.faults.push(unknown_in_file(place, &entry));
                continue;
            };
            let origin = Origin::File { path: path.to_owned(), line: entry.line };
            let text = entry.text(&KEYS[index].slot);
            self.give(
                index,
                text.as_deref(),
                origin,
                &Said { place: format!("{place}: {}", entry.name), written: &entry.written },
            );
        }
    }

    fn variable(&mut self, name: &str, value: &str) {
        if name == "JOURNAL_STREAM" {
            self.config.log.journal_stream = Some(value.to_owned());
        }
        if !name.starts_with(PREFIX) {
            return;
        }
        match KEYS.iter().position(|key| key.variable() == name) {
            Some(index) => {
                let origin = Origin::Variable(name.to_owned());
                self.give(
                    index,
                    Some(value),
                    origin,
                    &Said { place: name.to_owned(), written: &quoted(value) },
                );
            }
            None => self.faults.push(Fault::Unknown {
                place: "the environment".to_owned(),
                name: name.to_owned(),
                meant: nearest(name, KEYS.iter().map(Key::variable)),
            }),
        }
    }

    fn flag(&mut self, name: &str, value: &str) {
        match index(name) {
            Some(index) => {
                let flag = format!("--{}", KEYS[index].flag());
                let said = Said { place: flag.clone(), written: &quoted(value) };
                self.give(index, Some(value), Origin::Flag(flag), &said);
            }
            None => self.faults.push(Fault::Unknown {
                place: "the command line".to_owned(),
                name: name.to_owned(),
                meant: nearest(name, KEYS.iter().map(|key| key.name.to_owned())),
            }),
        }
    }

    /// Sets a key, or notes that the value is not allowed.
    fn give(&mut self, index: usize, text: Option<&str>, origin: Origin, said: &Said<'_>) {
        let slot = &KEYS[index].slot;
        if text.is_some_and(|text| slot.set(&mut self.config, text).is_ok()) {
            self.origins[index] = origin;
            return;
        }
        let value = if slot.is_secret() { "the value (not shown)" } else { said.written };
        self.faults.push(Fault::Value {
            place: said.place.clone(),
            value: value.to_owned(),
            allowed: slot.allowed(),
        });
    }

    /// Keeps what may not exceed one another in order: what nobody set gives
    /// way; two that were set wrongly are a fault.
    fn order(&mut self) {
        for (less, more, follows) in ORDERED {
            let (Some(low), Some(high)) = (index(less), index(more)) else { continue };
            let (low_value, high_value) = (self.number(low), self.number(high));
            if low_value <= high_value {
                continue;
            }
            if !self.is_set(low) {
                self.copy(high, low);
            } else if follows && !self.is_set(high) {
                self.copy(low, high);
            } else {
                let place = format!("{}: {less}", self.origins[low]);
                let allowed = format!("at most {more}, which is {}", self.text(high));
                let value = self.text(low);
                self.faults.push(Fault::Value { place, value, allowed });
            }
        }
    }

    fn is_set(&self, index: usize) -> bool {
        !matches!(self.origins[index], Origin::Default | Origin::Machine)
    }

    fn number(&mut self, index: usize) -> u64 {
        KEYS[index].slot.number(&mut self.config).unwrap_or_default()
    }

    fn text(&mut self, index: usize) -> String {
        KEYS[index].slot.show(&mut self.config)
    }

    fn copy(&mut self, from: usize, to: usize) {
        let text = self.text(from);
        // One that is out of the other's range leaves it at that, and is refused where it was set.
        let _ = KEYS[to].slot.set(&mut self.config, &text);
    }

    fn finish(mut self) -> Result<Config, Error> {
        if !self.faults.is_empty() {
            return Err(Error(self.faults));
        }
        let show = |(key, origin): (&Key, Origin)| Resolved {
            key: key.name,
            value: key.slot.show(&mut self.config),
            origin,
        };
        self.config.resolved = KEYS.iter().zip(self.origins).map(show).collect();
        Ok(self.config)
    }
}

/// A value as it was given, for the fault it may be.
struct Said<'a> {
    place: String,
    written: &'a str,
}

fn quoted(value: &str) -> String {
    format!("{value:?}")
}

fn index(name: &str) -> Option<usize> {
    KEYS.iter().position(|key| key.name == name)
}

fn unknown_in_file(place: String, entry: &file::Entry<'_>) -> Fault {
    let table = format!("{}.", entry.name);
    let inside: Vec<&str> = KEYS.iter().filter_map(|key| key.name.strip_prefix(&table)).collect();
    if inside.is_empty() {
        let meant = nearest(&entry.name, KEYS.iter().map(|key| key.name.to_owned()));
        Fault::Unknown { place, name: entry.name.clone(), meant }
    } else {
        let allowed = format!("a table with {}", inside.join(" and "));
        Fault::Value { place: format!("{place}: {}", entry.name), value: entry.written.clone(), allowed }
    }
}

/// The name most like `given`, if one is like it.
fn nearest(given: &str, names: impl Iterator<Item = String>) -> Option<String> {
    const ALIKE: f64 = 0.75;
    let alike = |name: String| (strsim::normalized_damerau_levenshtein(given, &name), name);
    let best = names.map(alike).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}
