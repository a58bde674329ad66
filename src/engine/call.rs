//! The call: the one run that is under way on this script thread.
//!
//! Engines and modules are shared and know nothing of a run; what a native
//! needs of it is found here. What is counted is in the meter.

use std::{cell::RefCell, sync::Arc, time::Instant};

use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext, Position};

use super::{
    context,
    gate::{Gate, Pause, SeatNumber},
    invocation::Invocation,
    limits::Limits,
    logbook::{LogLimits, Logbook},
    meter::{self, Pool, Stop},
    run::take_apart,
};

/// What natives reach of the run.
struct Call {
    invocation: Invocation,
    /// `ctx`, made when the script first looks at it.
    ctx: Option<Dynamic>,
    logbook: Logbook,
    gate: Arc<Gate>,
    seat: SeatNumber,
}

thread_local! {
    static CALL: RefCell<Option<Call>> = const { RefCell::new(None) };
}

/// What a run needs to begin.
pub(super) struct Start<'a> {
    /// What the run is told.
    pub invocation: Invocation,
    /// What it may use.
    pub limits: &'a Limits,
    /// What it may log.
    pub log: LogLimits,
    /// When its wall clock began.
    pub began: Instant,
    /// The gate it came through.
    pub gate: &'a Arc<Gate>,
    /// Its thread's seat there.
    pub seat: SeatNumber,
    /// Where its memory comes from.
    pub pool: &'a Arc<Pool>,
}

/// What a run leaves behind.
pub(super) struct End {
    /// Operations taken.
    pub operations: u64,
    /// Why it was stopped, if it was.
    pub stop: Option<Stop>,
    /// Bytes it allocated that nothing will free.
    pub left: u64,
    /// What it logged.
    pub logbook: Logbook,
    /// Whether it was too long for the thread of another.
    pub long: bool,
}

/// Begins a run on this thread.
pub(super) fn begin(start: Start<'_>) {
    let call = Call {
        invocation: start.invocation,
        ctx: None,
        logbook: Logbook::new(start.log, start.limits.log_lines),
        gate: Arc::clone(start.gate),
        seat: start.seat,
    };
    CALL.with(|slot| *slot.borrow_mut() = Some(call));
    meter::begin(start.limits, start.began, start.gate, start.pool);
}

/// Ends the run on this thread, whose values are gone.
pub(super) fn end() -> End {
    let mut call = CALL.with(|slot| slot.borrow_mut().take());
    // The one thing of the call that the run itself made. A script can put what
    // it likes into its parts by way of a copy, `ctx` itself included.
    take_apart(call.as_mut().and_then(|call| call.ctx.take()).into_iter().collect());
    let meter::Reading { operations, stop, left, long } = meter::end();
    let logbook = call.map_or_else(Logbook::closed, |call| call.logbook);
    End { operations, stop, left, logbook, long }
}

/// Stops the run: the error for a native to return. What swallows it changes
/// nothing, for the run ends at its next operation.
pub(super) fn stop(why: Stop) -> EvalAltResult {
    meter::stop(why);
    EvalAltResult::ErrorTerminated(Dynamic::UNIT, Position::NONE)
}

/// The error a native throws: a map a script can match on.
pub(super) fn thrown(kind: &str, message: impl Into<String>) -> EvalAltResult {
    let mut map = Map::new();
    map.insert("kind".into(), kind.into());
    map.insert("message".into(), message.into().into());
    EvalAltResult::ErrorRuntime(Dynamic::from_map(map), Position::NONE)
}

/// The error with the place of the call it comes from, which Rhai itself adds
/// only to functions that are called without a module's name.
#[expect(clippy::unnecessary_box_returns, reason = "a native returns it as it is")]
pub(super) fn placed(context: &NativeCallContext<'_>, mut error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    error.set_position(context.call_position());
    error
}

/// `ctx` of the run on this thread.
pub(super) fn ctx() -> Result<Option<Dynamic>, Box<EvalAltResult>> {
    CALL.with(|slot| {
        // Not borrowed for writing while it is made: the guards that are asked then look at the call too.
        let made = match slot.borrow().as_ref() {
            Some(Call { ctx: Some(ctx), .. }) => return Ok(Some(ctx.clone())),
            Some(call) => context::make(&call.invocation)?,
            None => return Ok(None),
        };
        if let Some(call) = slot.borrow_mut().as_mut() {
            call.ctx = Some(made.clone());
        }
        Ok(Some(made))
    })
}

/// The request body of the run on this thread, as it came.
pub(super) fn raw_body() -> bytes::Bytes {
    CALL.with(|slot| {
        slot.borrow().as_ref().map(|call| call.invocation.request.body.raw.clone()).unwrap_or_default()
    })
}

/// The most bytes a line of the run's log may have.
pub(super) fn log_line_bytes() -> usize {
    CALL.with(|slot| slot.borrow().as_ref().map_or(0, |call| call.logbook.line_bytes()))
}

/// Writes into the run's log.
pub(super) fn log(write: impl FnOnce(&mut Logbook) -> Result<(), Stop>) -> Result<(), Box<EvalAltResult>> {
    let written = CALL.with(|slot| {
        let mut slot = slot.borrow_mut();
        // The log outlives the run and has its own bounds.
        slot.as_mut().map_or(Ok(()), |call| meter::uncounted(|| write(&mut call.logbook)))
    });
    written.map_err(|why| stop(why).into())
}

/// Waits until `until`, without the running permit, and ends the run if its deadline comes first.
pub(super) fn pause(until: Instant) -> Result<(), Box<EvalAltResult>> {
    let deadline = meter::deadline();
    let place = CALL.with(|slot| slot.borrow().as_ref().map(|call| (Arc::clone(&call.gate), call.seat)));
    let (Some(deadline), Some((gate, seat))) = (deadline, place) else { return Ok(()) };
    meter::leave();
    // What the gate makes meanwhile, threads included, is not the run's.
    match meter::uncounted(|| gate.pause(seat, until, deadline)) {
        Pause::Over => Ok(()),
        Pause::Deadline => Err(stop(Stop::Timeout).into()),
        Pause::CutOff => Err(stop(Stop::Engine).into()),
    }
}
