//! The call: the one run that is under way on this script thread.
//!
//! Engines and modules are shared and know nothing of a run; what a native
//! needs of it is found here. The meter is apart from the rest because it is
//! read at every operation: counting costs one addition and one comparison.

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

use rhai::{Dynamic, EvalAltResult, Map, NativeCallContext, Position};

use super::{
    context,
    gate::{Gate, Pause, SeatNumber},
    invocation::Invocation,
    limits::Limits,
    logbook::{LogLimits, Logbook},
    outcome::FailureKind,
};

/// How many operations lie between two looks at the clock. Reading it at each one doubles a script's time.
const CLOCK_EVERY: u64 = 1024;

/// Why a run was stopped. A script cannot catch it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It used up its operations.
    Operations,
    /// It ran into its wall clock.
    Timeout,
    /// It logged too many lines.
    LogLines,
    /// It logged too long a line.
    LogLine,
    /// A value was nested too deeply to cross a border, or for a native to walk it.
    Depth,
    /// It held too much memory.
    Memory,
    /// A native was about to make too long a string.
    String,
    /// A native was about to make too large a blob.
    Blob,
    /// The engine stops.
    Engine,
}

impl Stop {
    /// The kind of failure it is.
    pub(super) fn kind(self) -> FailureKind {
        match self {
            Self::Operations => FailureKind::Operations,
            Self::Timeout => FailureKind::Timeout,
            Self::LogLines | Self::LogLine => FailureKind::LogLimit,
            Self::Memory => FailureKind::Memory,
            Self::Depth | Self::String | Self::Blob => FailureKind::Size,
            Self::Engine => FailureKind::Stopped,
        }
    }

    /// What happened, in words.
    pub(super) fn message(self, limits: &Limits, log: &LogLimits) -> String {
        match self {
            Self::Operations => format!("the script took more than {} operations", limits.operations),
            Self::Timeout => format!("the script ran longer than {:?}", limits.wall_clock),
            Self::LogLines => format!("the script logged more than {} lines", limits.log_lines),
            Self::LogLine => format!("the script logged a line longer than {} bytes", log.line_bytes),
            Self::Depth => format!("a value is nested more than {} deep", super::convert::MAX_DEPTH),
            Self::Memory => format!("the script held more than {} MiB of memory", limits.memory >> 20),
            Self::String => format!("a string would be longer than {} bytes", limits.string_bytes),
            Self::Blob => format!("a blob would be larger than {} bytes", limits.blob_bytes),
            Self::Engine => "PiCloud is stopping".to_owned(),
        }
    }
}

/// What is counted and looked at while a run goes on.
struct Meter {
    /// The most bytes of one string, and of one blob, that a native makes.
    string_bytes: Cell<usize>,
    blob_bytes: Cell<usize>,
    operations: Cell<u64>,
    /// The operation at which to look closer: at the clock, the budget, or a reason to stop.
    look_at: Cell<u64>,
    budget: Cell<u64>,
    deadline: Cell<Option<Instant>>,
    /// Set once: the run ends at its next operation, whatever caught the error.
    stop: Cell<Option<Stop>>,
}

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
    static METER: Meter = const {
        Meter {
            string_bytes: Cell::new(0),
            blob_bytes: Cell::new(0),
            operations: Cell::new(0),
            look_at: Cell::new(0),
            budget: Cell::new(0),
            deadline: Cell::new(None),
            stop: Cell::new(None),
        }
    };
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
}

/// What a run leaves behind.
pub(super) struct End {
    /// Operations taken.
    pub operations: u64,
    /// Why it was stopped, if it was.
    pub stop: Option<Stop>,
    /// What it logged.
    pub logbook: Logbook,
}

/// Begins a run on this thread.
pub(super) fn begin(start: Start<'_>) {
    METER.with(|meter| {
        meter.string_bytes.set(start.limits.string_bytes);
        meter.blob_bytes.set(start.limits.blob_bytes);
        meter.operations.set(0);
        meter.look_at.set(0);
        meter.budget.set(start.limits.operations);
        // A wall clock beyond what the machine's can count to is a day.
        let deadline = start.began.checked_add(start.limits.wall_clock);
        meter.deadline.set(Some(deadline.unwrap_or(start.began + Duration::from_secs(86_400))));
        meter.stop.set(None);
    });
    let call = Call {
        invocation: start.invocation,
        ctx: None,
        logbook: Logbook::new(start.log, start.limits.log_lines),
        gate: Arc::clone(start.gate),
        seat: start.seat,
    };
    CALL.with(|slot| *slot.borrow_mut() = Some(call));
}

/// Ends the run on this thread.
pub(super) fn end() -> End {
    let call = CALL.with(|slot| slot.borrow_mut().take());
    METER.with(|meter| End {
        operations: meter.operations.get(),
        stop: meter.stop.get(),
        logbook: call.map_or_else(Logbook::closed, |call| call.logbook),
    })
}

/// Counts one operation, and says whether the run has to stop here.
///
/// Rhai's own count starts anew in closures that natives call, so it is not used.
pub(super) fn operation() -> Option<Stop> {
    METER.with(|meter| {
        let operations = meter.operations.get() + 1;
        meter.operations.set(operations);
        if operations < meter.look_at.get() { None } else { look_closer(meter, operations) }
    })
}

/// Looks whether the run is to end, for a native that takes long.
pub(super) fn look() -> Option<Stop> {
    METER.with(|meter| look_closer(meter, meter.operations.get()))
}

/// Asks for `bytes` of memory on top of what the run holds.
pub(super) fn room(bytes: usize) -> Result<(), Stop> {
    if bytes > (32 << 20) { Err(Stop::Memory) } else { Ok(()) }
}

/// The most bytes of one string that a native makes.
pub(super) fn string_bytes() -> usize {
    METER.with(|meter| meter.string_bytes.get())
}

/// The most bytes of one blob that a native makes.
pub(super) fn blob_bytes() -> usize {
    METER.with(|meter| meter.blob_bytes.get())
}

#[cold]
fn look_closer(meter: &Meter, operations: u64) -> Option<Stop> {
    if meter.stop.get().is_none() {
        let budget = meter.budget.get();
        if operations > budget {
            meter.stop.set(Some(Stop::Operations));
        } else if meter.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
            meter.stop.set(Some(Stop::Timeout));
        } else if is_cut_off() {
            meter.stop.set(Some(Stop::Engine));
        } else {
            meter.look_at.set((operations + CLOCK_EVERY).min(budget.saturating_add(1)));
        }
    }
    meter.stop.get()
}

fn is_cut_off() -> bool {
    CALL.with(|slot| slot.borrow().as_ref().is_some_and(|call| call.gate.is_cut_off()))
}

/// Stops the run: the error for a native to return. What swallows it changes
/// nothing, for the run ends at its next operation.
pub(super) fn stop(why: Stop) -> EvalAltResult {
    METER.with(|meter| {
        if meter.stop.get().is_none() {
            meter.stop.set(Some(why));
        }
        meter.look_at.set(0);
    });
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
pub(super) fn ctx() -> Option<Dynamic> {
    CALL.with(|slot| {
        // Not borrowed for writing while it is made: the guards that are asked then look at the call too.
        let ctx = {
            let slot = slot.borrow();
            let call = slot.as_ref()?;
            if let Some(ctx) = &call.ctx {
                return Some(ctx.clone());
            }
            context::make(&call.invocation)
        };
        slot.borrow_mut().as_mut()?.ctx = Some(ctx.clone());
        Some(ctx)
    })
}

/// The request body of the run on this thread, as it came.
pub(super) fn raw_body() -> bytes::Bytes {
    CALL.with(|slot| {
        slot.borrow().as_ref().map(|call| call.invocation.request.body.raw.clone()).unwrap_or_default()
    })
}

/// Writes into the run's log.
pub(super) fn log(write: impl FnOnce(&mut Logbook) -> Result<(), Stop>) -> Result<(), Box<EvalAltResult>> {
    let written =
        CALL.with(|slot| slot.borrow_mut().as_mut().map_or(Ok(()), |call| write(&mut call.logbook)));
    written.map_err(|why| stop(why).into())
}

/// Waits until `until`, without the running permit, and ends the run if its deadline comes first.
pub(super) fn pause(until: Instant) -> Result<(), Box<EvalAltResult>> {
    let deadline = METER.with(|meter| meter.deadline.get());
    let place = CALL.with(|slot| slot.borrow().as_ref().map(|call| (Arc::clone(&call.gate), call.seat)));
    let (Some(deadline), Some((gate, seat))) = (deadline, place) else { return Ok(()) };
    match gate.pause(seat, until, deadline) {
        Pause::Over => Ok(()),
        Pause::Deadline => Err(stop(Stop::Timeout).into()),
        Pause::CutOff => Err(stop(Stop::Engine).into()),
    }
}
