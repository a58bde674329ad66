//! From text to something that runs: compiling, and keeping what was compiled.

pub(super) mod reserved;
pub(super) mod syntax;

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
};

use lru::LruCache;
use rhai::{AST, Engine, LexError, ParseErrorType, Position};

use super::{
    checked,
    outcome::{Failure, FailureKind},
};
use crate::{base::id::ScriptId, system::allocator::held};

/// A script ready to run.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub(super) ast: Arc<AST>,
    /// It has closures that capture.
    pub(super) captures: bool,
    /// It names `ctx`.
    pub(super) names_ctx: bool,
    /// How long its runs are.
    pub(super) habit: Arc<Habit>,
    /// Bytes of memory it takes.
    weight: usize,
}

/// Whether the last runs of a script were short, which says where the next is made.
#[derive(Debug, Default)]
pub(super) struct Habit(AtomicU8);

impl Habit {
    /// So many short runs in a row make a script short again.
    const PROBATION: u8 = 16;

    /// Notes a run.
    pub(super) fn took(&self, long: bool) {
        let before = self.0.load(Relaxed);
        let after = if long { Self::PROBATION } else { before.saturating_sub(1) };
        // Two runs that end at once may count as one.
        if before != after {
            self.0.store(after, Relaxed);
        }
    }

    /// Whether the next run is taken to be short.
    pub(super) fn is_short(&self) -> bool {
        self.0.load(Relaxed) == 0
    }
}

impl Compiled {
    fn new(ast: AST, source: &str, weight: usize) -> Self {
        let captures = syntax::captures(&ast);
        // Also where it stands in a text or a comment: that costs little.
        let names_ctx = source.contains(reserved::NAME);
        Self { ast: Arc::new(ast), captures, names_ctx, habit: Arc::default(), weight }
    }
}

/// Something that keeps a script from being saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: Option<u32>,
    /// The column in that line, from 1.
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
}

/// The most functions a script may have, closures included.
pub(super) const MOST_FUNCTIONS: usize = 1000;

/// What the compiled scripts in the cache may weigh for each entry it may have.
const WEIGHT_EACH: usize = 64 * 1024;

/// Compiled scripts by version, the least recently used out first.
pub(super) struct Cache(Mutex<Kept>);

struct Kept {
    scripts: LruCache<(ScriptId, i32), Compiled>,
    /// Bytes they take together.
    weight: usize,
    most: usize,
}

impl Cache {
    /// A cache for `entries` scripts of ordinary size, at least one.
    pub(super) fn new(entries: u32) -> Self {
        let entries = NonZeroUsize::new(entries as usize).unwrap_or(NonZeroUsize::MIN);
        let most = entries.get().saturating_mul(WEIGHT_EACH);
        Self(Mutex::new(Kept { scripts: LruCache::new(entries), weight: 0, most }))
    }

    /// The compiled version, if it is at hand.
    pub(super) fn get(&self, script: ScriptId, version: i32) -> Option<Compiled> {
        self.lock().scripts.get(&(script, version)).cloned()
    }

    /// Keeps a compiled version, unless it weighs more than all together may.
    pub(super) fn put(&self, script: ScriptId, version: i32, compiled: Compiled) {
        let mut out = Vec::new();
        let mut kept = self.lock();
        if compiled.weight > kept.most {
            return;
        }
        kept.weight += compiled.weight;
        out.extend(kept.scripts.push((script, version), compiled).map(|(_, old)| old));
        kept.weight -= out.iter().map(|old| old.weight).sum::<usize>();
        while kept.weight > kept.most {
            let Some((_, old)) = kept.scripts.pop_lru() else { break };
            kept.weight -= old.weight;
            out.push(old);
        }
        drop(kept);
        // Dropping a large script takes a while: not under the lock.
        drop(out);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compiles `source`, or says all that is wrong with it, in the order of the text.
pub(super) fn compile(engine: &Engine, source: &str) -> Result<Compiled, Vec<Problem>> {
    let before = held();
    let (compiled, declared) = reserved::watch(|| engine.compile(source));
    let mut problems: Vec<Problem> = declared.into_iter().map(|at| problem(at, reserved::DECLARED)).collect();
    match compiled {
        Ok(ast) => {
            let assigned = syntax::assignments_to(&ast, reserved::NAME);
            problems.extend(assigned.into_iter().map(|at| problem(at, reserved::ASSIGNED)));
            match checked::apply(&ast) {
                Ok(checked) if problems.is_empty() => {
                    drop(ast);
                    let weight = usize::try_from(held() - before).unwrap_or(0);
                    return Ok(Compiled::new(checked, source, weight));
                }
                Ok(_) => (),
                Err(calls) => problems.extend(calls.into_iter().map(|at| problem(at, checked::TOO_MANY))),
            }
        }
        Err(error) => problems.push(problem(error.1, &describe(&error.0))),
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

/// What a script that does not compile comes to when it is run.
pub(super) fn failure(problems: Vec<Problem>) -> Failure {
    let first = problems.into_iter().next();
    let (line, column) = first.as_ref().map_or((None, None), |problem| (problem.line, problem.column));
    let message = first.map_or_else(|| "the script does not parse".to_owned(), |problem| problem.message);
    Failure { kind: FailureKind::Parse, message, line, column, response: None }
}

/// A position as line and column, each from 1.
pub(super) fn line_and_column(at: Position) -> (Option<u32>, Option<u32>) {
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok());
    (number(at.line()), number(at.position()))
}

fn problem(at: Position, message: &str) -> Problem {
    let (line, column) = line_and_column(at);
    Problem { line, column, message: message.to_owned() }
}

fn describe(error: &ParseErrorType) -> String {
    match error {
        ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) | ParseErrorType::Reserved(word)
            if matches!(word.as_str(), "import" | "eval") =>
        {
            format!("`{word}` is not available in PiCloud scripts")
        }
        ParseErrorType::ExprTooDeep => "expressions are nested too deeply: at most 64".to_owned(),
        ParseErrorType::TooManyFunctions => {
            format!("too many functions and closures: at most {MOST_FUNCTIONS}")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_script_goes_first() {
        let cache = Cache::new(2);
        let (a, b, c) = (ScriptId::new(), ScriptId::new(), ScriptId::new());
        let compiled = || Compiled::new(AST::empty(), "", 1);
        cache.put(a, 1, compiled());
        cache.put(b, 1, compiled());
        assert!(cache.get(a, 1).is_some());
        cache.put(c, 1, compiled());
        assert!(cache.get(b, 1).is_none());
        assert!(cache.get(a, 1).is_some() && cache.get(c, 1).is_some());
        assert!(cache.get(a, 2).is_none(), "another version is another script");
    }

    #[test]
    fn heavy_scripts_push_out_more_than_one() {
        let cache = Cache::new(3);
        let weighing = |weight| Compiled::new(AST::empty(), "", weight);
        let (a, b, c) = (ScriptId::new(), ScriptId::new(), ScriptId::new());
        cache.put(a, 1, weighing(WEIGHT_EACH));
        cache.put(b, 1, weighing(WEIGHT_EACH));
        cache.put(c, 1, weighing(3 * WEIGHT_EACH));
        assert!(cache.get(a, 1).is_none() && cache.get(b, 1).is_none() && cache.get(c, 1).is_some());
        cache.put(a, 2, weighing(4 * WEIGHT_EACH));
        assert!(cache.get(a, 2).is_none(), "too heavy for the cache");
        assert!(cache.get(c, 1).is_some(), "and it pushes nothing out");
        cache.put(c, 1, weighing(WEIGHT_EACH));
        cache.put(a, 1, weighing(2 * WEIGHT_EACH));
        assert!(
            cache.get(a, 1).is_some() && cache.get(c, 1).is_some(),
            "what replaces a script weighs instead of it"
        );
    }
}
