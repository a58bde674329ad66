//! What scripts have left in memory that nothing can free, and when that is enough.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
};

use crate::base::id::ScriptId;

/// From this many bytes on, left by all runs of one version, it runs no more.
pub(in crate::engine) const MOST: u64 = 16 << 20;

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

/// What each script's text has left; only texts that left something are in it.
#[derive(Debug, Default)]
pub(in crate::engine) struct Leaks(Mutex<HashMap<(ScriptId, bool), (Text, u64)>>);

impl Leaks {
    /// Whether this text has left too much to run again.
    pub(in crate::engine) fn is_enough(&self, script: ScriptId, text: Text) -> bool {
        let leaks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        leaks.get(&key(script, text)).is_some_and(|(of, bytes)| *of == text && *bytes >= MOST)
    }

    /// Adds what a run has left; another text of the script begins anew.
    pub(in crate::engine) fn add(&self, script: ScriptId, text: Text, bytes: u64) {
        let mut leaks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = leaks.entry(key(script, text)).or_insert((text, 0));
        if entry.0 != text {
            *entry = (text, 0);
        }
        entry.1 = entry.1.saturating_add(bytes);
    }
}

/// Drafts do not count for the saved script, nor it for them.
fn key(script: ScriptId, text: Text) -> (ScriptId, bool) {
    (script, matches!(text, Text::Draft(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_left_too_much_runs_no_more_until_it_is_saved_anew() {
        let (leaks, script) = (Leaks::default(), ScriptId::new());
        let (old, new, draft) = (Text::Version(1), Text::Version(2), Text::draft("x"));
        leaks.add(script, old, MOST - 1);
        assert!(!leaks.is_enough(script, old));
        leaks.add(script, old, 1);
        assert!(leaks.is_enough(script, old));
        assert!(!leaks.is_enough(script, new) && !leaks.is_enough(script, draft));
        assert!(!leaks.is_enough(ScriptId::new(), old));
        leaks.add(script, draft, MOST);
        assert!(leaks.is_enough(script, draft) && !leaks.is_enough(script, Text::draft("y")));
        leaks.add(script, new, 1);
        assert!(!leaks.is_enough(script, new));
    }
}
