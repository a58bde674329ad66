//! Runs on the threads of others: a short one that need not wait is over sooner
//! than another thread could be woken for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{super::meter, Gate, Seat, SeatNumber, Started, Ticket, Turn};
use crate::{
    engine::job::{Job, Lane},
    system::worker,
};

/// A job that was let through the gate and starts on the thread that calls [`Visit::run`].
///
/// Dropped before, it takes the job along.
pub struct Visit {
    gate: Arc<Gate>,
    seat: SeatNumber,
    job: Option<Box<Job>>,
    began: Instant,
}

impl Gate {
    /// Lets an interactive job through that need not wait; else gives it back.
    pub(in crate::engine) fn enter(self: &Arc<Self>, job: Box<Job>) -> Result<Visit, Box<Job>> {
        let began = Instant::now();
        let mut state = self.lock();
        if state.closed || !state.lanes.enter(self.has_memory()) {
            return Err(job);
        }
        let seat = state.free_visits.pop().unwrap_or_else(|| {
            state.visits += 1;
            state.seats.push(Seat::new(self.watch.alarm()));
            SeatNumber(state.seats.len() - 1)
        });
        state.seats[seat.0].busy = Some(Lane::Interactive);
        state.seats[seat.0].permit = true;
        drop(state);
        Ok(Visit { gate: Arc::clone(self), seat, job: Some(job), began })
    }
}

impl Visit {
    /// The claim on the job, which has started.
    pub fn ticket(&self) -> Ticket {
        let started = Started::default();
        started.get_or_init(|| self.began);
        Ticket { gate: Arc::clone(&self.gate), lane: Lane::Interactive, number: 0, started }
    }

    /// Does the job. The thread is one of the runtime's that takes such work.
    pub fn run(mut self) {
        let Some(job) = self.job.take() else { return };
        let alarm = self.gate.lock().seats[self.seat.0].alarm;
        let (gate, seat, began) = (&self.gate, self.seat, self.began);
        meter::visit(alarm, || {
            (gate.work)(*job, Turn { gate, seat, began, waited: Duration::ZERO, visits: true });
        });
        worker::give_back();
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.finish(self.seat);
        state.free_visits.push(self.seat);
        if state.closed {
            self.gate.emptied.notify_all();
        }
        let next = self.gate.call_thread(&mut state);
        drop(state);
        next.notify();
    }
}
