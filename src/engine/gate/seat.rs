//! A script thread's place at the gate, and what it does there: start, pause, resume, finish.

use std::{
    sync::{Arc, Condvar, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{super::meter::Alarm, Gate, Lane, Pause, Queued, State};

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
    /// The lane of its run, if it has one.
    pub(super) busy: Option<Lane>,
    /// Its run may use a core.
    pub(super) permit: bool,
}

impl Seat {
    pub(super) fn new(alarm: &'static Alarm) -> Self {
        Self { wake: Arc::new(Condvar::new()), alarm, called: false, busy: None, permit: false }
    }
}

impl State {
    /// Takes the next job for `seat`, if one may start now, and says when that was.
    pub(super) fn start(&mut self, seat: SeatNumber, has_memory: bool) -> Option<(Queued, Instant)> {
        let queued = self.lanes.start(has_memory)?;
        let began = Instant::now();
        if let Some(started) = &queued.started {
            started.get_or_init(|| began);
        }
        self.seats[seat.0].busy = Some(queued.job.lane);
        self.seats[seat.0].permit = true;
        Some((queued, began))
    }

    /// Ends the run of `seat`.
    pub(super) fn finish(&mut self, seat: SeatNumber) {
        self.give_permit(seat);
        if let Some(lane) = self.seats[seat.0].busy.take() {
            self.lanes.end(lane);
        }
    }

    /// Gives the permit of `seat` to who wants one back; whether it had one.
    fn give_permit(&mut self, seat: SeatNumber) -> bool {
        let seat = &mut self.seats[seat.0];
        let held = std::mem::take(&mut seat.permit);
        if let (true, Some(lane)) = (held, seat.busy) {
            self.lanes.pause(lane);
            self.resume();
        }
        held
    }

    /// Gives free permits to those who want theirs back, each within the share of its lane.
    fn resume(&mut self) {
        let (lanes, seats) = (&mut self.lanes, &mut self.seats);
        self.resumers.retain(|number| {
            let seat = &mut seats[number.0];
            let resumes = seat.busy.is_some_and(|lane| lanes.resume(lane));
            if resumes {
                seat.permit = true;
                seat.wake.notify_one();
            }
            !resumes
        });
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
        if state.give_permit(seat) {
            self.call_thread(&mut state).notify();
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
        state.resume();
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
