//! Going through a text from match to match.

use std::{cell::RefCell, sync::Arc};

use regex_automata::{Anchored, Input, Span, hybrid::regex as hybrid, meta, util::captures::Captures};

use super::{pattern::Pattern, vm};
use crate::engine::{guard, stdlib::native::Fault};

/// States times bytes up to which a search is done by the fastest engine, which
/// cannot be interrupted: a fifth of a second at worst.
const LIGHT: usize = 1 << 24;

/// What a search needs beside the pattern, kept on the thread for the next one with the same pattern.
struct Scratch {
    pattern: Arc<Pattern>,
    fast: meta::Cache,
    cautious: Option<hybrid::Cache>,
}

impl Scratch {
    fn bytes(&self) -> usize {
        self.fast.memory_usage() + self.cautious.as_ref().map_or(0, hybrid::Cache::memory_usage)
    }
}

/// How many scratches a thread keeps, and what they may take together.
const KEPT: usize = 4;
const KEPT_BYTES: usize = 256 << 10;

thread_local! {
    /// The last used is the last.
    static SCRATCHES: RefCell<Vec<Scratch>> = const { RefCell::new(Vec::new()) };
}

/// Calls `act` with a search for `pattern` through `text`.
pub(super) fn search<R>(pattern: Arc<Pattern>, text: &str, act: impl FnOnce(&mut Search<'_>) -> R) -> R {
    // What is kept on the thread is no run's.
    let mut scratch = guard::uncounted(|| taken(pattern));
    let answer = act(&mut Search { text, at: 0, last_end: None, light: LIGHT, scratch: &mut scratch });
    guard::uncounted(|| put_back(scratch));
    answer
}

fn taken(pattern: Arc<Pattern>) -> Scratch {
    let kept = SCRATCHES.with(|kept| {
        let mut kept = kept.borrow_mut();
        let at = kept.iter().position(|scratch| Arc::ptr_eq(&scratch.pattern, &pattern))?;
        Some(kept.remove(at))
    });
    kept.unwrap_or_else(|| Scratch { fast: pattern.fast.create_cache(), cautious: None, pattern })
}

fn put_back(scratch: Scratch) {
    SCRATCHES.with(|kept| {
        let mut kept = kept.borrow_mut();
        kept.push(scratch);
        while kept.len() > KEPT || kept.iter().map(Scratch::bytes).sum::<usize>() > KEPT_BYTES {
            kept.remove(0);
        }
    });
}

/// A search through a text.
pub(super) struct Search<'t> {
    text: &'t str,
    /// Where the next match may begin at the earliest.
    at: usize,
    /// Where the last match ended.
    last_end: Option<usize>,
    /// States times bytes up to which the fastest engine does it.
    pub(super) light: usize,
    scratch: &'t mut Scratch,
}

impl Search<'_> {
    /// What is searched for.
    pub(super) fn pattern(&self) -> &Pattern {
        &self.scratch.pattern
    }

    /// The next match.
    pub(super) fn next(&mut self) -> Result<Option<Span>, Fault> {
        guard::check()?;
        let mut found = self.find()?;
        // An empty match right where the last one ended is part of it.
        if found.is_some_and(|span| span.is_empty() && self.last_end == Some(span.end)) {
            self.at += 1;
            found = self.find()?;
        }
        if let Some(span) = found {
            self.at = span.end;
            self.last_end = Some(span.end);
        }
        Ok(found)
    }

    /// The groups of the next match, the whole match first.
    pub(super) fn next_groups(&mut self) -> Result<Option<Vec<Option<Span>>>, Fault> {
        let Some(whole) = self.next()? else { return Ok(None) };
        if self.pattern().groups() == 1 {
            return Ok(Some(vec![Some(whole)]));
        }
        if !self.is_light(whole.len()) {
            return vm::search(&self.pattern().nfa, self.text, whole, Anchored::Yes);
        }
        let Scratch { pattern, fast, .. } = &mut *self.scratch;
        let mut groups = Captures::all(pattern.fast.group_info().clone());
        let input = Input::new(self.text).span(whole).anchored(Anchored::Yes);
        guard::uncounted(|| pattern.fast.search_captures_with(fast, &input, &mut groups));
        Ok(groups.is_match().then(|| groups.iter().collect()))
    }

    fn find(&mut self) -> Result<Option<Span>, Fault> {
        if self.at > self.text.len() {
            return Ok(None);
        }
        let span = Span { start: self.at, end: self.text.len() };
        let input = Input::new(self.text).span(span);
        let is_light = self.is_light(span.len());
        let Scratch { pattern, fast, cautious } = &mut *self.scratch;
        if is_light {
            let found = guard::uncounted(|| pattern.fast.search_with(fast, &input));
            return Ok(found.map(|found| found.span()));
        }
        if let Some(engine) = pattern.cautious() {
            let found = guard::uncounted(|| {
                engine.try_search(cautious.get_or_insert_with(|| engine.create_cache()), &input).ok()
            });
            if let Some(found) = found {
                return Ok(found.map(|found| found.span()));
            }
        }
        let groups = vm::search(&pattern.nfa, self.text, span, Anchored::No)?;
        Ok(groups.and_then(|groups| groups.first().copied().flatten()))
    }

    fn is_light(&self, bytes: usize) -> bool {
        self.pattern().nfa.states().len().saturating_mul(bytes) <= self.light
    }
}
