//! One run, from its first moment to its outcome, on a script thread.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use rhai::{Dynamic, EvalAltResult, Position, Scope};

use super::{
    call,
    compile::{self, Cache, Compiled},
    failure::{self, failure},
    gate::{Gate, SeatNumber},
    job::{Code, Job},
    limits::Limits,
    logbook::LogLimits,
    outcome::{Failure, FailureKind, Outcome, Response},
    profile::Profiles,
    reply,
};
use crate::base::time::Timestamp;

/// What all runs share.
pub(super) struct Runner {
    pub profiles: Profiles,
    pub cache: Cache,
    pub log: LogLimits,
    /// The most bytes of a response's body.
    pub response_limit: usize,
}

impl Runner {
    /// Does the job, and hands its outcome over.
    pub(super) fn run(&self, job: Job, gate: &Arc<Gate>, seat: SeatNumber) {
        let Job { invocation, code, limits, done } = job;
        let execution = invocation.execution_id;
        let began = Instant::now();
        let started_at = Timestamp::now();
        call::begin(call::Start { invocation, limits: &limits, log: self.log, began, gate, seat });
        let mut at = Position::NONE;
        let ended = catch_unwind(AssertUnwindSafe(|| self.execute(&code, &limits, &mut at)));
        let end = call::end();
        let result = match (ended, end.stop) {
            (Err(_), _) => {
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
        let (logs, lost_log_lines) = end.logbook.into_lines();
        let duration = began.elapsed();
        done(Outcome { result, started_at, duration, operations: end.operations, logs, lost_log_lines });
    }

    /// Runs the code; `at` is where an error that ended it happened.
    fn execute(&self, code: &Code, limits: &Limits, at: &mut Position) -> Result<Response, Failure> {
        let engine = self.profiles.engine(limits.call_depth);
        let compiled = self.compiled(code, limits).map_err(compile::failure)?;
        let mut scope = Scope::new();
        match engine.eval_ast_with_scope::<Dynamic>(&mut scope, &compiled.0) {
            Ok(value) => reply::response(&value, self.response_limit),
            Err(error) => {
                let error: EvalAltResult = *error;
                *at = failure::position(&error, &compiled.0);
                Err(failure::of(error, *at, self.response_limit))
            }
        }
    }

    fn compiled(&self, code: &Code, limits: &Limits) -> Result<Compiled, Vec<compile::Problem>> {
        let compile = |source| compile::compile(self.profiles.engine(limits.call_depth), source);
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
