//! One run, from its first moment to its outcome, on a script thread.

mod cycles;
mod leaks;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use rhai::{Dynamic, Position, Scope};

pub(super) use cycles::take_apart;
pub(super) use leaks::Leaks;
use leaks::{Text, Verdict};

use super::{
    call,
    compile::{self, Cache, Compiled},
    failure::{self, failure},
    gate::Turn,
    invocation::Invocation,
    job::{Code, Job, Lane},
    limits::Limits,
    logbook::LogLimits,
    meter::{self, Pool},
    outcome::{Failure, FailureKind, Level, Outcome, Response},
    profile::Profiles,
    reply::{self, Sizes},
};
use crate::base::{id::ScriptId, time::Timestamp};

/// What all runs share.
pub(super) struct Runner {
    pub profiles: Profiles,
    pub cache: Cache,
    pub pool: Arc<Pool>,
    pub leaks: Leaks,
    pub log: LogLimits,
    /// The most bytes of a response's body.
    pub response_limit: usize,
}

impl Runner {
    /// Does the job, and hands its outcome over.
    pub(super) fn run(&self, job: Job, turn: Turn<'_>) {
        let Job { invocation, code, limits, lane, done } = job;
        let Turn { gate, seat, began, waited, visits } = turn;
        let execution = invocation.execution_id;
        let (script, text) = identity(&invocation, &code);
        let started_at = Timestamp::now();
        let pool = &self.pool;
        call::begin(call::Start { invocation, limits: &limits, log: self.log, began, gate, seat, pool });
        let mut at = Position::NONE;
        let ended = catch_unwind(AssertUnwindSafe(|| match self.leaks.verdict(script, text) {
            Verdict::Run => self.execute((&code, lane), &limits, &mut at),
            refused => Err(meter::uncounted(|| failure(FailureKind::Leak, refused.words()))),
        }))
        // What a panic carries is the run's, and goes with it.
        .map_err(drop);
        let mut end = call::end();
        // What a panic leaves is ours.
        let left = if ended.is_ok() { end.left } else { 0 };
        let result = match (ended, end.stop) {
            (Err(()), _) => {
                tracing::error!(execution.id = %execution, "native code panicked in a run");
                Err(failure(FailureKind::Panic, "a fault of PiCloud ended the run"))
            }
            // What the script made of the error that stopped it does not count.
            (Ok(_), Some(stop)) => {
                let mut stopped = failure(stop.kind(), stop.message(&limits, &self.log));
                (stopped.line, stopped.column) = compile::line_and_column(at);
                Err(stopped)
            }
            (Ok(result), None) => result,
        };
        if left >= NOTICED {
            self.leaks.add(script, text, left);
            end.logbook.note(Level::Warn, &leaked(left));
        }
        let (logs, lost_log_lines) = end.logbook.into_lines();
        let duration = began.elapsed();
        let operations = end.operations;
        if let Code::Compiled(compiled) = &code {
            compiled.habit.took(end.long || duration > if visits { LONG } else { 4 * LONG });
        }
        done(Outcome { result, waited, started_at, duration, operations, logs, lost_log_lines });
    }

    /// Runs the code; `at` is where an error that ended it happened.
    ///
    /// In the background nobody is answered: what the script returns is dropped.
    fn execute(
        &self,
        (code, lane): (&Code, Lane),
        limits: &Limits,
        at: &mut Position,
    ) -> Result<Response, Failure> {
        let compiled = meter::uncounted(|| self.compiled(code).map_err(compile::failure))?;
        let engine = meter::uncounted(|| self.profiles.engine(limits.call_depth, compiled.names_ctx));
        let mut scope = Scope::new();
        let mut ended = engine.eval_ast_with_scope::<Dynamic>(&mut scope, &compiled.ast);
        // What comes of it outlives the run.
        let sizes = Sizes { body: self.response_limit, string: limits.string_bytes, blob: limits.blob_bytes };
        let result = meter::uncounted(|| match &mut ended {
            Ok(_) if lane == Lane::Background => Ok(reply::nothing()),
            Ok(value) => reply::response(value, sizes),
            Err(error) => {
                *at = failure::position(error, &compiled.ast);
                Err(failure::of(error, *at, sizes))
            }
        });
        if compiled.captures {
            let mut values: Vec<Dynamic> = scope.into_iter().map(|(_, value, _)| value).collect();
            values.extend(ended.map_or_else(|error| failure::into_thrown(*error), Some));
            take_apart(values);
        } else {
            drop((scope, ended));
        }
        // After the values, which share its texts.
        meter::uncounted(|| drop(compiled));
        result
    }

    fn compiled(&self, code: &Code) -> Result<Compiled, Vec<compile::Problem>> {
        let compile = |source| compile::compile(self.profiles.compiler(), source);
        match code {
            Code::Compiled(compiled) => Ok(compiled.clone()),
            Code::Draft(source) => compile(source),
            Code::Version { script, version, source } => {
                if let Some(compiled) = self.cache.get(*script, *version) {
                    return Ok(compiled);
                }
                let compiled = compile(source)?;
                self.cache.put(*script, *version, compiled.clone());
                Ok(compiled)
            }
        }
    }
}

/// From when on a run is too long for the thread of another.
const LONG: Duration = Duration::from_millis(1);

/// From how many bytes on what a run leaves is the script's doing: no value that holds itself is smaller.
const NOTICED: u64 = 256;

fn leaked(bytes: u64) -> String {
    format!(
        "the run left {bytes} bytes of memory behind that nothing can free: \
         a closure captures a value that holds the closure, or a value is put into itself by way of `ctx`"
    )
}

/// Which text of which script runs.
fn identity(invocation: &Invocation, code: &Code) -> (ScriptId, Text) {
    let text = match (invocation.script.version, code) {
        (_, Code::Draft(source)) => Text::draft(source),
        (version, _) => Text::Version(version.unwrap_or_default()),
    };
    (invocation.script.id, text)
}
