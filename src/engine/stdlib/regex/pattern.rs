//! Patterns: compiled within bounds, and kept for the next run that uses them.

use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError},
};

use lru::LruCache;
use regex_automata::{
    hybrid::{dfa, regex as hybrid},
    meta,
    nfa::thompson::{self, NFA},
};

use crate::engine::{
    guard,
    stdlib::native::{Fault, fault, shown},
};

/// The longest pattern. Compiling one of nothing but large classes takes a tenth of a second.
const MAX_BYTES: usize = 2 << 10;
/// What the automaton of a pattern may take: some fifty letters of any language, counted out.
const AUTOMATON: usize = 1 << 20;
/// What the table of a search's groups may take: it has a row for each state and a place in it for each group.
const GROUP_TABLE: usize = 4 << 20;
/// What a search may remember of the states it has seen.
const SEEN_STATES: usize = 256 << 10;
/// What all kept patterns may take together, and how many they may be.
const KEPT_BYTES: usize = 16 << 20;
const KEPT: NonZeroUsize = NonZeroUsize::new(256).expect("it is not zero");

/// A compiled pattern.
pub(super) struct Pattern {
    /// The fastest engine, which cannot be interrupted.
    pub(super) fast: meta::Regex,
    /// The automaton, for the engine that can be.
    pub(super) nfa: NFA,
    /// A fast engine that gives up where it would be slow, made when it is first needed.
    cautious: OnceLock<Option<hybrid::Regex>>,
    source: Box<str>,
}

impl Pattern {
    /// The engine that gives up; none can be made of a few patterns.
    pub(super) fn cautious(&self) -> Option<&hybrid::Regex> {
        let make = || guard::uncounted(|| cautious(&self.source, self.nfa.states().len()));
        self.cautious.get_or_init(make).as_ref()
    }

    /// How many groups it has, the whole match included.
    pub(super) fn groups(&self) -> usize {
        self.fast.captures_len()
    }

    /// The number of the group with a name.
    pub(super) fn group(&self, name: &str) -> Option<usize> {
        self.fast.group_info().to_index(regex_automata::PatternID::ZERO, name)
    }

    /// What it takes, about: the engine that gives up has two automata of its own.
    fn bytes(&self) -> usize {
        self.fast.memory_usage() + 3 * self.nfa.memory_usage() + self.source.len()
    }
}

/// The patterns that were used last, those of all runs together.
static PATTERNS: LazyLock<Mutex<Kept>> =
    LazyLock::new(|| Mutex::new(Kept { patterns: LruCache::new(KEPT), bytes: 0 }));

struct Kept {
    patterns: LruCache<Box<str>, Arc<Pattern>>,
    bytes: usize,
}

impl Kept {
    fn put(&mut self, pattern: &Arc<Pattern>) {
        self.bytes += pattern.bytes();
        let replaced = self.patterns.push(pattern.source.clone(), Arc::clone(pattern));
        self.bytes -= replaced.map_or(0, |(_, old)| old.bytes());
        while self.bytes > KEPT_BYTES {
            let Some((_, oldest)) = self.patterns.pop_lru() else { break };
            self.bytes -= oldest.bytes();
        }
    }
}

/// The compiled pattern, kept or new.
pub(super) fn compiled(source: &str) -> Result<Arc<Pattern>, Fault> {
    // It outlives the run, and what it drives out was not the run's either.
    if let Some(pattern) = guard::uncounted(|| found_or_made(source)) {
        return Ok(pattern);
    }
    // Once more for the words, which are the run's.
    compile(source).map(Arc::new).map_err(|why| fault("invalid_pattern", why))
}

fn found_or_made(source: &str) -> Option<Arc<Pattern>> {
    let kept = || PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pattern) = kept().patterns.get(source) {
        return Some(Arc::clone(pattern));
    }
    // Not under the lock: it takes up to some ten milliseconds.
    let pattern = Arc::new(compile(source).ok()?);
    kept().put(&pattern);
    Some(pattern)
}

pub(super) fn compile(source: &str) -> Result<Pattern, String> {
    if source.len() > MAX_BYTES {
        return Err(format!("a pattern has at most {MAX_BYTES} bytes"));
    }
    let config = meta::Regex::config()
        .nfa_size_limit(Some(AUTOMATON))
        .hybrid_cache_capacity(SEEN_STATES)
        .onepass_size_limit(Some(SEEN_STATES))
        .dfa(false);
    let fast = meta::Regex::builder().configure(config).build(source).map_err(|why| refused(source, &why))?;
    let nfa =
        NFA::compiler().configure(thompson::Config::new().nfa_size_limit(Some(AUTOMATON))).build(source);
    let nfa = nfa.map_err(|_| too_large(source))?;
    let places = nfa.states().len().saturating_mul(nfa.group_info().slot_len());
    if places.saturating_mul(2 * size_of::<usize>()) > GROUP_TABLE {
        return Err(format!("{} has too many groups for its size", shown(source)));
    }
    Ok(Pattern { fast, nfa, cautious: OnceLock::new(), source: source.into() })
}

fn refused(source: &str, why: &meta::BuildError) -> String {
    let Some(syntax) = why.syntax_error() else { return too_large(source) };
    // The error shows the pattern over several lines; the last of them is what is wrong.
    let text = syntax.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("{} is no pattern: {last}", shown(source))
}

fn too_large(source: &str) -> String {
    format!("{} takes more than {} KiB when it is compiled", shown(source), AUTOMATON >> 10)
}

/// An engine that gives up once it makes new states too often for the bytes it has read.
fn cautious(source: &str, states: usize) -> Option<hybrid::Regex> {
    let config = dfa::DFA::config()
        .cache_capacity(SEEN_STATES)
        .minimum_cache_clear_count(Some(3))
        // Making a state takes time in proportion to the automaton.
        .minimum_bytes_per_state(Some((states / 8).max(10)))
        // It gives up at the first letter outside ASCII then.
        .unicode_word_boundary(true);
    let limits = thompson::Config::new().nfa_size_limit(Some(2 * AUTOMATON));
    hybrid::Regex::builder().dfa(config).thompson(limits).build(source).ok()
}
