//! What scripts have left in memory that nothing can free, and when that is enough.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use crate::base::id::ScriptId;

/// From this many bytes on, left by all runs of one version, it runs no more.
const MOST: u64 = 16 << 20;

/// From this many bytes on, left by all its versions and drafts, a script runs no more.
const MOST_OF_ALL: u64 = 4 * MOST;

/// How many texts of one script are told apart; what older ones left counts for the script alone.
const TEXTS: usize = 16;

/// Which text of a script: a saved version, or a draft by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Text {
    Version(i32),
    Draft(u64),
}

impl Text {
    /// A draft.
    pub(in crate::engine) fn draft(source: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        source.hash(&mut hasher);
        Self::Draft(hasher.finish())
    }
}

/// Whether a text may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Verdict {
    /// It may.
    Run,
    /// It has left too much.
    TextIsEnough,
    /// The script's texts together have.
    ScriptIsEnough,
}

impl Verdict {
    /// What is said of a script that may not run.
    pub(in crate::engine) fn words(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::TextIsEnough => {
                "runs of this version have left 16 MiB of memory behind that nothing can free: a closure \
                 captures a value that holds the closure, or a value is put into itself by way of `ctx`; \
                 change that and save the script"
            }
            Self::ScriptIsEnough => {
                "runs of this script, its versions and drafts together, have left 64 MiB of memory behind \
                 that nothing can free; it runs again after PiCloud is restarted"
            }
        }
    }
}

/// What each script has left; only those that left something are in it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Leaks(Mutex<HashMap<ScriptId, Left>>);

/// What one script has left.
#[derive(Debug, Default)]
struct Left {
    total: u64,
    /// The last texts that left something, the latest last.
    texts: Vec<(Text, u64)>,
}

impl Leaks {
    /// Whether this text of the script may run.
    pub(in crate::engine) fn verdict(&self, script: ScriptId, text: Text) -> Verdict {
        let leaks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = leaks.get(&script) else { return Verdict::Run };
        if left.total >= MOST_OF_ALL {
            return Verdict::ScriptIsEnough;
        }
        let enough = left.texts.iter().any(|(of, bytes)| *of == text && *bytes >= MOST);
        if enough { Verdict::TextIsEnough } else { Verdict::Run }
    }

    /// Adds what a run has left.
    pub(in crate::engine) fn add(&self, script: ScriptId, text: Text, bytes: u64) {
        let mut leaks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = leaks.entry(script).or_default();
        left.total = left.total.saturating_add(bytes);
        let before = left.texts.iter().position(|(of, _)| *of == text).map(|at| left.texts.remove(at).1);
        left.texts.push((text, before.unwrap_or_default().saturating_add(bytes)));
        if left.texts.len() > TEXTS {
            left.texts.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_left_too_much_runs_no_more_until_it_is_saved_anew() {
        let (leaks, script) = (Leaks::default(), ScriptId::new());
        let (old, new, draft) = (Text::Version(1), Text::Version(2), Text::draft("x"));
        leaks.add(script, old, MOST - 1);
        assert_eq!(leaks.verdict(script, old), Verdict::Run);
        leaks.add(script, new, 1);
        leaks.add(script, old, 1);
        assert_eq!(leaks.verdict(script, old), Verdict::TextIsEnough);
        assert_eq!(leaks.verdict(script, new), Verdict::Run);
        assert_eq!(leaks.verdict(script, draft), Verdict::Run);
        assert_eq!(leaks.verdict(ScriptId::new(), old), Verdict::Run);
    }

    #[test]
    fn drafts_that_take_turns_do_not_begin_anew() {
        let (leaks, script) = (Leaks::default(), ScriptId::new());
        let (a, b) = (Text::draft("a"), Text::draft("b"));
        for _ in 0..4 {
            leaks.add(script, a, MOST / 4);
            leaks.add(script, b, MOST / 8);
        }
        assert_eq!(leaks.verdict(script, a), Verdict::TextIsEnough);
        assert_eq!(leaks.verdict(script, b), Verdict::Run);
    }

    #[test]
    fn a_script_whose_versions_left_too_much_together_runs_no_more() {
        let (leaks, script) = (Leaks::default(), ScriptId::new());
        for version in 1..=100 {
            leaks.add(script, Text::Version(version), MOST_OF_ALL / 100 + 1);
        }
        assert_eq!(leaks.verdict(script, Text::Version(101)), Verdict::ScriptIsEnough);
    }
}
