//! The script threads: made when there is work for one more, kept for good, replaced when they die.

use std::{
    sync::{Arc, Condvar, PoisonError},
    thread,
};

use super::{super::meter, Gate, SeatNumber, State, Turn, seat::Seat};
use crate::system::stack::Stack;

/// The stack of a thread whose runs hold at most `memory` bytes.
///
/// Dropping and cloning a value recurse as deep as it is nested, and a stack
/// that ends there ends the process. Each level holds memory, and needs at most
/// four times as much stack; call levels of a script, up to 128, take 10 to 27
/// KiB each. Only what was touched costs memory.
pub(in crate::engine) fn stack_bytes(memory: usize) -> usize {
    // Frames that are not optimised are larger.
    const LEVELS: usize = if cfg!(debug_assertions) { 16 } else { 4 };
    const CALLS: usize = 16 << 20;
    memory.saturating_mul(LEVELS).saturating_add(CALLS)
}

/// Who was called for a job.
pub(super) enum Call {
    /// Nobody: there is nothing to start, or nobody to start it.
    Nobody,
    /// A new thread, which comes by itself.
    New,
    /// One that sleeps, to be woken by this.
    Sleeper(Arc<Condvar>),
}

impl Call {
    /// Wakes the one that was called.
    pub(super) fn notify(self) {
        if let Self::Sleeper(wake) = self {
            wake.notify_one();
        }
    }
}

impl Gate {
    /// Calls one more thread if more may start now than were called.
    ///
    /// Who then starts a job calls the next, so that one call is enough where
    /// several jobs may start at once.
    pub(super) fn call_thread(self: &Arc<Self>, state: &mut State) -> Call {
        if state.lanes.none_waits() || state.lanes.startable(self.has_memory()) <= state.called {
            return Call::Nobody;
        }
        if let Some(seat) = state.idle.pop() {
            state.called += 1;
            state.seats[seat.0].called = true;
            return Call::Sleeper(Arc::clone(&state.seats[seat.0].wake));
        }
        if state.threads() >= state.lanes.most_in_flight() as usize {
            return Call::Nobody;
        }
        self.make_thread(state)
    }

    fn make_thread(self: &Arc<Self>, state: &mut State) -> Call {
        let seat = state.vacant.pop().unwrap_or_else(|| {
            state.seats.push(Seat::new(self.watch.alarm()));
            SeatNumber(state.seats.len() - 1)
        });
        state.seats[seat.0].called = true;
        let gate = Arc::clone(self);
        let made = thread::Builder::new()
            .name(format!("script-{}", seat.0))
            .stack_size(self.sizes.stack)
            .spawn(move || gate.serve(seat));
        match made {
            Ok(_) => {
                state.called += 1;
                Call::New
            }
            Err(error) => {
                state.seats[seat.0].called = false;
                state.vacant.push(seat);
                tracing::error!(%error, "could not make a script thread");
                Call::Nobody
            }
        }
    }

    /// What a script thread does all its life.
    fn serve(self: Arc<Self>, seat: SeatNumber) {
        let leave = Leave { gate: &self, seat };
        let stack = Stack::of_this_thread();
        stack.iter().for_each(Stack::refuse_huge_pages);
        let mut state = self.lock();
        let wake = Arc::clone(&state.seats[seat.0].wake);
        meter::install(state.seats[seat.0].alarm);
        loop {
            if std::mem::take(&mut state.seats[seat.0].called) {
                state.called -= 1;
            }
            if let Some((queued, began)) = state.start(seat, self.has_memory()) {
                let next = self.call_thread(&mut state);
                drop(state);
                next.notify();
                let waited = began.saturating_duration_since(queued.came);
                (self.work)(*queued.job, Turn { gate: &self, seat, began, waited, visits: false });
                stack.iter().for_each(Stack::give_back);
                state = self.lock();
                state.finish(seat);
                if state.closed {
                    self.emptied.notify_all();
                }
                continue;
            }
            if state.is_over() {
                break;
            }
            state.idle.push(seat);
            while !(state.seats[seat.0].called || state.is_over()) {
                state = wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if !state.seats[seat.0].called {
                state.idle.retain(|other| *other != seat);
            }
        }
        drop(state);
        drop(leave);
    }
}

/// Puts the seat in order when its thread ends, also when it ends by a panic.
struct Leave<'a> {
    gate: &'a Arc<Gate>,
    seat: SeatNumber,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        if std::mem::take(&mut state.seats[self.seat.0].called) {
            state.called -= 1;
        }
        state.finish(self.seat);
        state.vacant.push(self.seat);
        if state.closed {
            self.gate.emptied.notify_all();
            // Those who went idle while there still was a queue leave too.
            for &seat in &state.idle {
                state.seats[seat.0].wake.notify_one();
            }
        }
        // Another thread takes over what this one would have taken next.
        self.gate.call_thread(&mut state).notify();
    }
}
