//! Hands runs to the engine and their outcomes to who waits.
//!
//! A synchronous run is dispatched in memory: its caller takes a place in the
//! inbox, the engine runs the script behind the gate, the outcome is recorded
//! and answered. A caller that goes away stops nothing: the run ends, and its
//! outcome is recorded and counted as abandoned.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::PgPool;

use super::{Behind, Inbox, Recorder, behind::Ending, settle};
use crate::{
    base::{
        Error, Result,
        id::{RouteId, ScriptId},
        time::Timestamp,
    },
    engine::{Code, Engine, Failure, FailureKind, Invocation, Job, Lane, Limits, Outcome, Ticket},
    store::{execution::NewAttempt, script},
    system::metrics::Metrics,
};

/// How long after its wall clock a run may still hand over its own outcome: it
/// looks at the clock often, but for a native that cannot be interrupted.
const GRACE: Duration = Duration::from_millis(250);

/// Hands runs to the engine; cheap to clone.
#[derive(Clone)]
pub struct Dispatcher(Arc<Parts>);

/// What the dispatcher works with.
pub struct Parts {
    /// Where scripts run.
    pub engine: Engine,
    /// Where outcomes are recorded.
    pub recorder: Recorder,
    /// Where the source of a script is that is not compiled yet.
    pub db: PgPool,
    /// Where runs are counted.
    pub metrics: Metrics,
    /// How long a caller waits for the gate.
    pub permit_wait: Duration,
    /// Where callers wait.
    pub inbox: Inbox,
    /// Where runs under way are recorded.
    pub behind: Behind,
}

/// One run somebody waits for.
pub struct Work {
    /// What the run is told.
    pub invocation: Invocation,
    /// What runs.
    pub code: What,
    /// What it may use.
    pub limits: Limits,
    /// What set it off, for the log.
    pub cause: Cause,
}

/// What runs.
pub enum What {
    /// A saved version of a script.
    Version(ScriptId, i32),
    /// Text that is run unsaved.
    Draft(Arc<str>),
}

/// What set a run off, beyond what the script is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause {
    /// The route that matched.
    pub route: Option<RouteId>,
}

impl Dispatcher {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Runs `work` and waits for its outcome.
    ///
    /// The caller hears of a run past its wall clock at once, also when a
    /// native keeps it from ending. A caller that goes away takes along a run
    /// that has not started; one that has started runs to its end.
    ///
    /// [`Error::Busy`] if the gate has no room in time; [`Error::Unavailable`]
    /// if the script's source is needed and the database is away.
    pub async fn run(&self, work: Work) -> Result<Outcome> {
        let code = self.code(work.code).await?;
        let wall_clock = work.limits.wall_clock;
        let mut place = self.0.inbox.register();
        let (begun, ending) = self.0.behind.began(settle::row(&work.invocation, work.cause, place.id()));
        let done = self.done(ending, settle::begun(&work.invocation, work.cause));
        let lane = Lane::Interactive;
        let job = Job { invocation: work.invocation, code, limits: work.limits, lane, done };
        let ticket = Waiting(self.hand_in(job)?);
        begun.handed_in(ticket.0.start());
        if let Ok(outcome) = tokio::time::timeout(self.0.permit_wait, place.outcome()).await {
            return outcome.ok_or_else(lost);
        }
        if ticket.0.cancel() {
            return Err(self.full());
        }
        // One that was neither started nor cancelled has its outcome already: the engine stops.
        let started = ticket.0.started().unwrap_or_else(Instant::now);
        let until = tokio::time::Instant::from_std(started + wall_clock + GRACE);
        if let Ok(outcome) = tokio::time::timeout_at(until, place.outcome()).await {
            return outcome.ok_or_else(lost);
        }
        place.answered();
        Ok(timed_out(wall_clock))
    }

    /// Hands a job in: to a task of its own on this thread if it may start at
    /// once and promises to be short, else to the script threads.
    fn hand_in(&self, job: Job) -> Result<Ticket> {
        match self.0.engine.enter(Box::new(job)) {
            Ok(visit) => {
                let ticket = visit.ticket();
                tokio::spawn(async move { visit.run() });
                Ok(ticket)
            }
            Err(job) => self.0.engine.submit(*job).map_err(|_| self.full()),
        }
    }

    /// The compiled script, or its source for the engine to compile.
    async fn code(&self, what: What) -> Result<Code> {
        let (script, version) = match what {
            What::Draft(source) => return Ok(Code::Draft(source)),
            What::Version(script, version) => (script, version),
        };
        let code = saved(&self.0.engine, &self.0.db, script, version).await?;
        code.ok_or_else(|| Error::NotFound("script".to_owned()))
    }

    /// What happens on the script thread once the run has ended. It is recorded
    /// before it is answered: who reads the log after the answer finds it there.
    /// A job that never starts drops this, and the note with it.
    fn done(&self, ending: Ending, begun: NewAttempt) -> Box<dyn FnOnce(Outcome) + Send> {
        let this = self.clone();
        Box::new(move |outcome| {
            let Parts { recorder, metrics, inbox, behind, .. } = &*this.0;
            let row = ending.row();
            settle::tell(begun.execution_id, begun.attempt, &outcome);
            settle::waited(metrics, Lane::Interactive, &outcome);
            settle::record(recorder, metrics, settle::ended(begun, &outcome));
            if let Err(outcome) = inbox.answer(row.inbox_id, outcome) {
                metrics.abandoned.with_label_values(&[&row.app_id.to_string()]).inc();
                behind.abandoned(settle::abandoned(row, &outcome));
            }
        })
    }

    fn full(&self) -> Error {
        self.0.metrics.refused.inc();
        Error::Busy {
            why: "too many scripts are running right now".to_owned(),
            retry_after: Duration::from_secs(1),
        }
    }
}

/// A saved version: compiled if it is at hand, else its source for the engine to compile.
pub(super) async fn saved(
    engine: &Engine,
    db: &PgPool,
    script: ScriptId,
    version: i32,
) -> Result<Option<Code>> {
    if let Some(compiled) = engine.compiled(script, version) {
        return Ok(Some(Code::Compiled(compiled)));
    }
    let source = script::source(db, script, version).await?;
    Ok(source.map(|source| Code::Version { script, version, source: source.into() }))
}

/// A run whose caller waits: the job of one who goes away before it starts is taken back.
struct Waiting(Ticket);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// What the caller of a run hears that has not ended though its time is over.
/// What it came to in the end is recorded when it does.
fn timed_out(wall_clock: Duration) -> Outcome {
    let failure = Failure {
        kind: FailureKind::Timeout,
        message: format!("the script ran longer than {} s", wall_clock.as_secs()),
        line: None,
        column: None,
        response: None,
    };
    Outcome {
        result: Err(failure),
        waited: Duration::ZERO,
        started_at: Timestamp::now(),
        duration: wall_clock,
        operations: 0,
        logs: Vec::new(),
        lost_log_lines: 0,
    }
}

fn lost() -> Error {
    Error::internal("a run ended without an outcome")
}
