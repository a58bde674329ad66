//! Alarms: how a run learns that its time is over without reading the clock.
//!
//! Reading it at each operation doubles a script's time, and reading it every
//! so many operations notices late where a single one may take milliseconds.
//! So one thread waits for the earliest deadline and rings: it sets the run's
//! next look at itself to "now".

use std::{
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

/// No deadline, or one that is not known yet.
const NEVER: u64 = u64::MAX;

/// What rings on one script thread.
#[derive(Debug)]
pub(in crate::engine) struct Alarm {
    /// The operation at which the run looks closer at itself; 0 rings.
    look_at: AtomicU64,
    /// When it rings, in nanoseconds since the watch was made.
    due: AtomicU64,
}

impl Alarm {
    pub(in crate::engine) const fn new() -> Self {
        Self { look_at: AtomicU64::new(0), due: AtomicU64::new(NEVER) }
    }

    /// Whether a run that has come to this operation has to look closer at itself.
    #[inline]
    pub(in crate::engine) fn rings(&self, operation: u64) -> bool {
        operation >= self.look_at.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Rings at once.
    pub(in crate::engine) fn ring(&self) {
        self.look_at.store(0, SeqCst);
    }

    /// Rings at `operation` at the latest, and not before unless somebody rings.
    ///
    /// Look for the reasons to ring after this: one that came before it is gone with it.
    pub(in crate::engine) fn reset(&self, operation: u64) {
        // A swap, not a store: it reads the ring that came first, and with it why it rang.
        self.look_at.swap(operation, SeqCst);
    }
}

/// Rings alarms when they are due.
#[derive(Debug)]
pub(in crate::engine) struct Watch {
    began: Instant,
    /// When its thread looks next, at the latest.
    next: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    alarms: Vec<&'static Alarm>,
    closed: bool,
}

impl Watch {
    /// A watch with its thread.
    pub(in crate::engine) fn start() -> Arc<Self> {
        let watch = Arc::new(Self {
            began: Instant::now(),
            next: AtomicU64::new(NEVER),
            state: Mutex::new(State { alarms: Vec::new(), closed: false }),
            changed: Condvar::new(),
        });
        let on_duty = Arc::clone(&watch);
        let made = thread::Builder::new().name("script-watch".to_owned()).spawn(move || on_duty.serve());
        if let Err(error) = made {
            // Runs then end at their other limits, and are answered in time all the same.
            tracing::error!(%error, "could not make the thread that ends scripts in time");
        }
        watch
    }

    /// A new alarm under this watch. It is never freed: a seat has it for good, and seats are reused.
    pub(in crate::engine) fn alarm(&self) -> &'static Alarm {
        let alarm: &'static Alarm = Box::leak(Box::new(Alarm::new()));
        self.lock().alarms.push(alarm);
        alarm
    }

    /// Has `alarm` ring at `deadline`.
    pub(in crate::engine) fn set(&self, alarm: &Alarm, deadline: Instant) {
        let due = self.nanoseconds(deadline);
        alarm.due.store(due, SeqCst);
        // The thread says "never" before it reads the alarms: either it has
        // read this one's, or it is seen here that it has not.
        if due < self.next.load(SeqCst) {
            // Under the lock, so that it does not come between the thread's look and its wait.
            let state = self.lock();
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Has `alarm` ring no more by itself.
    pub(in crate::engine) fn unset(alarm: &Alarm) {
        alarm.due.store(NEVER, SeqCst);
    }

    /// Rings all alarms now.
    pub(in crate::engine) fn ring_all(&self) {
        for alarm in &self.lock().alarms {
            alarm.ring();
        }
    }

    /// Lets the thread go.
    pub(in crate::engine) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    fn serve(&self) {
        let mut state = self.lock();
        while !state.closed {
            self.next.store(NEVER, SeqCst);
            let now = self.nanoseconds(Instant::now());
            let mut next = NEVER;
            for alarm in &state.alarms {
                let due = alarm.due.load(SeqCst);
                if due > now {
                    next = next.min(due);
                // Unless a new run has begun meanwhile.
                } else if alarm.due.compare_exchange(due, NEVER, SeqCst, SeqCst).is_ok() {
                    alarm.ring();
                }
            }
            self.next.store(next, SeqCst);
            state = if next == NEVER {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                let span = Duration::from_nanos(next - now);
                self.changed.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.began).as_nanos();
        u64::try_from(since).unwrap_or(NEVER - 1)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits until `alarm` rings, for what no channel tells; the time it took.
    fn wait(alarm: &Alarm) -> Duration {
        let began = Instant::now();
        while !alarm.rings(5) {
            assert!(began.elapsed() < Duration::from_secs(60), "it never rang");
            thread::yield_now();
        }
        began.elapsed()
    }

    #[test]
    fn an_alarm_rings_when_it_is_due_and_not_before() {
        let watch = Watch::start();
        let (late, soon) = (watch.alarm(), watch.alarm());
        late.reset(1000);
        soon.reset(1000);
        watch.set(late, Instant::now() + Duration::from_secs(3600));
        watch.set(soon, Instant::now() + Duration::from_millis(30));
        assert!(wait(soon) >= Duration::from_millis(29));
        assert!(!late.rings(999) && late.rings(1000));
        watch.close();
    }

    #[test]
    fn a_deadline_that_has_passed_rings_at_once() {
        let watch = Watch::start();
        let alarm = watch.alarm();
        alarm.reset(1000);
        watch.set(alarm, Instant::now().checked_sub(Duration::from_millis(1)).unwrap_or_else(Instant::now));
        wait(alarm);
        watch.close();
    }

    #[test]
    fn an_alarm_that_was_unset_does_not_ring() {
        let watch = Watch::start();
        let (unset, other) = (watch.alarm(), watch.alarm());
        unset.reset(1000);
        other.reset(1000);
        watch.set(unset, Instant::now() + Duration::from_millis(20));
        Watch::unset(unset);
        watch.set(other, Instant::now() + Duration::from_millis(40));
        wait(other);
        assert!(!unset.rings(999));
        watch.close();
    }

    #[test]
    fn all_ring_when_told() {
        let watch = Watch::start();
        let alarms = [watch.alarm(), watch.alarm()];
        for alarm in alarms {
            alarm.reset(1000);
        }
        watch.ring_all();
        assert!(alarms.iter().all(|alarm| alarm.rings(0)));
        watch.close();
    }
}
