//! The meter: what is counted while a run goes on, and when the run has to end.
//!
//! One for each script thread. It is read at every operation, so that counting
//! costs one addition and two comparisons: with the alarm, which stands for the
//! operations, the clock and all other reasons, and with the memory the thread
//! may hold before it has to ask for more.

mod alarm;
mod pool;
mod visit;

use std::{
    cell::{Cell, RefCell},
    sync::Arc,
    time::{Duration, Instant},
};

pub(super) use alarm::{Alarm, Watch};
pub(super) use pool::Pool;
use visit::{LONG, MUCH, STRIDE};
pub(super) use visit::{leave, visit};

use super::{gate::Gate, limits::Limits, logbook::LogLimits, outcome::FailureKind};
use crate::system::allocator::held;

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
    /// It wanted memory, and all runs together hold what they may.
    MemoryOfAll,
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
            Self::MemoryOfAll => FailureKind::MemoryOfAll,
            Self::Depth | Self::String | Self::Blob => FailureKind::Size,
            Self::Engine => FailureKind::Stopped,
        }
    }

    /// What happened, in words.
    pub(super) fn message(self, limits: &Limits, log: &LogLimits) -> String {
        match self {
            Self::Operations => format!("the script took more than {} operations", limits.operations),
            Self::Timeout => format!("the script ran longer than {} s", limits.wall_clock.as_secs_f64()),
            Self::LogLines => format!("the script logged more than {} lines", limits.log_lines),
            Self::LogLine => format!("the script logged a line longer than {} bytes", log.line_bytes),
            Self::Depth => format!("a value is nested more than {} deep", super::convert::MAX_DEPTH),
            Self::Memory => format!("the script held more than {} of memory", size(limits.memory)),
            Self::MemoryOfAll => "all running scripts together hold the memory they may".to_owned(),
            Self::String => format!("a string would be longer than {}", size(limits.string_bytes)),
            Self::Blob => format!("a blob would be larger than {}", size(limits.blob_bytes)),
            Self::Engine => "PiCloud is stopping".to_owned(),
        }
    }
}

/// Bytes in words: in the largest unit that divides them.
pub(super) fn size(bytes: usize) -> String {
    const UNITS: [(&str, usize); 2] = [("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, unit)| bytes >= *unit && bytes % unit == 0);
    unit.map_or_else(|| format!("{bytes} bytes"), |(name, unit)| format!("{} {name}", bytes / unit))
}

struct Meter {
    operations: Cell<u64>,
    /// None on a thread that is no script thread.
    alarm: Cell<Option<&'static Alarm>>,
    /// What the thread may hold before the run has to look closer, as the allocator counts it.
    enough: Cell<i64>,
    /// What the thread held when the run began, as the allocator counts it.
    base: Cell<i64>,
    /// What the run has taken from the pool.
    granted: Cell<i64>,
    limits: Cell<Limits>,
    deadline: Cell<Option<Instant>>,
    /// Set once: the run ends at its next operation, whatever caught the error.
    stop: Cell<Option<Stop>>,
    /// On the thread of another, which a run leaves that turns out to be long.
    visits: Cell<bool>,
    /// When the run is too long for that thread, or tries to leave it again.
    leaves_at: Cell<Option<Instant>>,
    /// Whether it was too long.
    long: Cell<bool>,
}

/// What the runs share.
struct Shared {
    pool: Arc<Pool>,
    gate: Arc<Gate>,
}

fn with_shared<T>(act: impl FnOnce(&Shared) -> T) -> Option<T> {
    SHARED.with(|slot| slot.borrow().as_ref().map(act))
}

thread_local! {
    static METER: Meter = const {
        Meter {
            operations: Cell::new(0),
            alarm: Cell::new(None),
            enough: Cell::new(0),
            base: Cell::new(0),
            granted: Cell::new(0),
            limits: Cell::new(Limits::NONE),
            deadline: Cell::new(None),
            stop: Cell::new(None),
            visits: Cell::new(false),
            leaves_at: Cell::new(None),
            long: Cell::new(false),
        }
    };
    /// Apart, since the meter, which has nothing to drop, is reached without a question.
    static SHARED: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// Gives this thread its alarm, for all runs it will have.
pub(super) fn install(alarm: &'static Alarm) {
    METER.with(|meter| meter.alarm.set(Some(alarm)));
}

/// What a run came to.
pub(super) struct Reading {
    /// Operations taken.
    pub operations: u64,
    /// Why it was stopped, if it was.
    pub stop: Option<Stop>,
    /// Bytes it allocated and never freed.
    pub left: u64,
    /// Whether it was too long for the thread of another, or would have been.
    pub long: bool,
}

/// Begins to count a run that started at `began`.
pub(super) fn begin(limits: &Limits, began: Instant, gate: &Arc<Gate>, pool: &Arc<Pool>) {
    METER.with(|meter| {
        // A wall clock beyond what the machine's can count to is a day.
        let deadline = began.checked_add(limits.wall_clock).unwrap_or(began + Duration::from_secs(86_400));
        meter.operations.set(0);
        meter.limits.set(*limits);
        meter.deadline.set(Some(deadline));
        meter.stop.set(None);
        meter.granted.set(0);
        meter.leaves_at.set(began.checked_add(LONG));
        meter.long.set(false);
        let shared = Shared { pool: Arc::clone(pool), gate: Arc::clone(gate) };
        SHARED.with(|slot| *slot.borrow_mut() = Some(shared));
        meter.base.set(held());
        meter.allow();
        if let Some(alarm) = meter.alarm.get() {
            // The first operation looks: at a time that is over already, at an engine that stops.
            alarm.reset(1);
            gate.watch().set(alarm, deadline);
        }
    });
}

/// Ends the count; all the run's values are gone.
pub(super) fn end() -> Reading {
    METER.with(|meter| {
        meter.alarm.get().into_iter().for_each(Watch::unset);
        let left = (held() - meter.base.get()).max(0);
        if let Some(shared) = SHARED.with(|slot| slot.borrow_mut().take()) {
            // What can never be freed stays taken.
            shared.pool.give((meter.granted.get() - left).max(0));
        }
        meter.granted.set(0);
        meter.deadline.set(None);
        let (operations, stop, long) = (meter.operations.get(), meter.stop.get(), meter.long.get());
        Reading { operations, stop, left: left.unsigned_abs(), long }
    })
}

/// Counts one operation, and says whether the run has to stop here.
///
/// Rhai's own count starts anew in closures that natives call, so it is not used.
#[inline]
pub(super) fn operation() -> Option<Stop> {
    METER.with(|meter| {
        let operations = meter.operations.get() + 1;
        meter.operations.set(operations);
        if meter.rings(operations) || held() > meter.enough.get() { meter.look_closer() } else { None }
    })
}

/// Looks whether the run is to end, for a native that takes long.
pub(super) fn look() -> Result<(), Stop> {
    METER.with(|meter| {
        meter.leave_if_long(0);
        if meter.rings(meter.operations.get()) || held() > meter.enough.get() {
            meter.look_closer().map_or(Ok(()), Err)
        } else {
            Ok(())
        }
    })
}

/// Asks for `bytes` of memory on top of what the run holds.
pub(super) fn room(bytes: usize) -> Result<(), Stop> {
    METER.with(|meter| {
        if let Some(why) = meter.stop.get() {
            return Err(why);
        }
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        meter.leave_if_long(bytes);
        meter.ask(bytes)
    })
}

/// Has the run end at its next operation.
pub(super) fn stop(why: Stop) {
    METER.with(|meter| {
        if meter.stop.get().is_none() {
            meter.stop.set(Some(why));
        }
        meter.ring();
    });
}

/// The limits of the run on this thread.
pub(super) fn limits() -> Limits {
    METER.with(|meter| meter.limits.get())
}

/// When the run on this thread has to be over.
pub(super) fn deadline() -> Option<Instant> {
    METER.with(|meter| meter.deadline.get())
}

/// Does something whose memory is not the run's: what it allocates outlives the run, or is bounded otherwise.
///
/// Nothing that has memory of its own may come out of it for the run to free,
/// nor may the run's own be freed within: the count would be off by it.
pub(super) fn uncounted<T>(act: impl FnOnce() -> T) -> T {
    /// Puts the count right, also when the act panics and where one lies within another.
    struct Before {
        held: i64,
        base: i64,
    }

    impl Drop for Before {
        fn drop(&mut self) {
            METER.with(|meter| {
                meter.base.set(self.base + held() - self.held);
                meter.settle();
                meter.allow();
            });
        }
    }

    let _before = Before { held: held(), base: METER.with(|meter| meter.base.get()) };
    act()
}

impl Meter {
    #[inline]
    fn rings(&self, operation: u64) -> bool {
        self.alarm.get().is_none_or(|alarm| alarm.rings(operation))
    }

    fn ring(&self) {
        self.alarm.get().into_iter().for_each(Alarm::ring);
    }

    #[cold]
    fn look_closer(&self) -> Option<Stop> {
        if self.stop.get().is_none() {
            let budget = self.limits.get().operations;
            // Before the reasons are looked at: a ring that comes after this is heard at the next operation.
            self.leave_if_long(0);
            let stride = if self.visits.get() { self.operations.get() + STRIDE } else { u64::MAX };
            let next = budget.saturating_add(1).min(stride);
            self.alarm.get().into_iter().for_each(|alarm| alarm.reset(next));
            let why = if self.operations.get() > budget {
                Some(Stop::Operations)
            } else if self.deadline.get().is_some_and(|deadline| Instant::now() >= deadline) {
                Some(Stop::Timeout)
            } else if with_shared(|shared| shared.gate.is_cut_off()).unwrap_or_default() {
                Some(Stop::Engine)
            } else {
                self.ask(0).err()
            };
            self.stop.set(why);
        }
        let why = self.stop.get();
        if why.is_some() {
            self.ring();
        }
        why
    }

    /// No run holds less than nothing. Where it seems to, something was freed
    /// that was not counted, and must not be credited.
    fn settle(&self) {
        self.base.set(self.base.get().min(held()));
    }

    /// Sees to it that the run may hold `more` than it does now.
    fn ask(&self, more: i64) -> Result<(), Stop> {
        self.settle();
        let wanted = (held() - self.base.get()).saturating_add(more);
        if wanted > self.limit() {
            return Err(Stop::Memory);
        }
        let missing = wanted - pool::FREE - self.granted.get();
        if missing > 0 {
            let granted = with_shared(|shared| shared.pool.take(missing)).flatten();
            let granted = granted.ok_or(Stop::MemoryOfAll)?;
            self.granted.set(self.granted.get() + granted);
            self.allow();
        }
        Ok(())
    }

    fn allow(&self) {
        let most = self.limit().min(pool::FREE + self.granted.get());
        // A visit looks closer before that: it leaves with much.
        let most = if self.visits.get() && !self.long.get() { most.min(MUCH) } else { most };
        self.enough.set(self.base.get() + most);
    }

    fn limit(&self) -> i64 {
        i64::try_from(self.limits.get().memory).unwrap_or(i64::MAX)
    }
}
