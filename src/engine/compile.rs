//! From text to something that runs: compiling, and keeping what was compiled.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use rhai::{AST, Engine, LexError, ParseErrorType, Position};

use super::{
    outcome::{Failure, FailureKind},
    reserved, syntax,
};
use crate::base::id::ScriptId;

/// A script ready to run.
#[derive(Clone, Debug)]
pub struct Compiled(pub(super) Arc<AST>);

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

/// Compiled scripts by version, the least recently used out first.
pub(super) struct Cache(Mutex<LruCache<(ScriptId, i32), Compiled>>);

impl Cache {
    /// A cache for `entries` scripts, at least one.
    pub(super) fn new(entries: u32) -> Self {
        let entries = NonZeroUsize::new(entries as usize).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(entries)))
    }

    /// The compiled version, if it is at hand.
    pub(super) fn get(&self, script: ScriptId, version: i32) -> Option<Compiled> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.get(&(script, version)).cloned()
    }

    /// Keeps a compiled version.
    pub(super) fn put(&self, script: ScriptId, version: i32, compiled: Compiled) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let out = cache.push((script, version), compiled);
        drop(cache);
        // Dropping a large script takes a while: not under the lock.
        drop(out);
    }
}

/// Compiles `source`, or says all that is wrong with it, in the order of the text.
pub(super) fn compile(engine: &Engine, source: &str) -> Result<Compiled, Vec<Problem>> {
    let (compiled, declared) = reserved::watch(|| engine.compile(source));
    let mut problems: Vec<Problem> = declared.into_iter().map(|at| problem(at, reserved::DECLARED)).collect();
    match compiled {
        Ok(ast) => {
            let assigned = syntax::assignments_to(&ast, reserved::NAME);
            problems.extend(assigned.into_iter().map(|at| problem(at, reserved::ASSIGNED)));
            if problems.is_empty() {
                return Ok(Compiled(Arc::new(ast)));
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
        let compiled = || Compiled(Arc::new(AST::empty()));
        cache.put(a, 1, compiled());
        cache.put(b, 1, compiled());
        assert!(cache.get(a, 1).is_some());
        cache.put(c, 1, compiled());
        assert!(cache.get(b, 1).is_none());
        assert!(cache.get(a, 1).is_some() && cache.get(c, 1).is_some());
        assert!(cache.get(a, 2).is_none(), "another version is another script");
    }
}
