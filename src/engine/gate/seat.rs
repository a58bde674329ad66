//! A script thread's place at the gate, and what it does there: start, pause, resume, finish.

use std::{
    sync::{Arc, Condvar, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{super::meter::Alarm, Gate, Job, Pause, Sizes, State};

/// Which seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct SeatNumber(pub(super) usize);

/// What the gate knows of one script thread.
pub(super) struct Seat {
    /// What the thread waits on, whatever it waits for.
    pub(super) wake: Arc<Condvar>,
    /// What ends its runs in time.
    pub(super) alarm: &'static Alarm,
    /// It was called for work.
    pub(super) called: bool,
    /// It has a run.
    pub(super) busy: bool,
    /// Its run may use a core.
    pub(super) permit: bool,
}

impl Seat {
    pub(super) fn new(alarm: &'static Alarm) -> Self {
        Self { wake: Arc::new(Condvar::new()), alarm, called: false, busy: false, permit: false }
    }
}

impl State {
    /// Takes the next job for `seat`, if one may start now.
    pub(super) fn start(&mut self, sizes: Sizes, seat: SeatNumber) -> Option<Job> {
        if self.free(sizes) == 0 {
            return None;
        }
        let queued = self.queue.pop_front()?;
        queued.started.get_or_init(Instant::now);
        self.running += 1;
        self.in_flight += 1;
        self.seats[seat.0].busy = true;
        self.seats[seat.0].permit = true;
        Some(*queued.job)
    }

    /// Ends the run of `seat`.
    pub(super) fn finish(&mut self, sizes: Sizes, seat: SeatNumber) {
        let held = std::mem::take(&mut self.seats[seat.0].permit);
        let busy = std::mem::take(&mut self.seats[seat.0].busy);
        self.in_flight -= u32::from(busy);
        if held {
            self.running -= 1;
            self.resume(sizes);
        }
    }

    /// Gives free permits to those who want theirs back.
    fn resume(&mut self, sizes: Sizes) {
        while self.running < sizes.running {
            let Some(seat) = self.resumers.pop_front() else { return };
            self.running += 1;
            self.seats[seat.0].permit = true;
            self.seats[seat.0].wake.notify_one();
        }
    }
}

impl Gate {
    /// Waits until `until` or the `deadline`, whichever is first, without the running permit.
    ///
    /// A run that is cut short does not get its permit back: all it has left to do is to end.
    pub(in crate::engine) fn pause(
        self: &Arc<Self>,
        seat: SeatNumber,
        until: Instant,
        deadline: Instant,
    ) -> Pause {
        let mut state = self.lock();
        if std::mem::take(&mut state.seats[seat.0].permit) {
            state.running -= 1;
            state.resume(self.sizes);
            if let Some(wake) = self.call_thread(&mut state) {
                wake.notify_one();
            }
        }
        let wake = Arc::clone(&state.seats[seat.0].wake);
        loop {
            let now = Instant::now();
            if self.is_cut_off() {
                return Pause::CutOff;
            }
            if now >= deadline {
                return Pause::Deadline;
            }
            if now >= until {
                break;
            }
            state = wait(&wake, state, until.min(deadline) - now);
        }
        state.resumers.push_back(seat);
        state.resume(self.sizes);
        while !state.seats[seat.0].permit {
            let now = Instant::now();
            if now >= deadline || self.is_cut_off() {
                state.resumers.retain(|other| *other != seat);
                return if self.is_cut_off() { Pause::CutOff } else { Pause::Deadline };
            }
            state = wait(&wake, state, deadline - now);
        }
        Pause::Over
    }
}

fn wait<'a>(wake: &Condvar, state: MutexGuard<'a, State>, longest: Duration) -> MutexGuard<'a, State> {
    wake.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0
}
