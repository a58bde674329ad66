//! The threads of the async runtime, where a short piece of other work may be
//! done on the spot, and how such a piece lets go of its thread once it turns
//! out to be long.
//!
//! Handing work to another thread and back costs more than a short piece
//! itself. A long one would hold up whatever else the runtime has for that
//! thread, so it *leaves*: the thread keeps the piece, and another takes over
//! what it did for the runtime.

use std::{
    cell::OnceCell,
    future::Future as _,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Wake, Waker},
    thread,
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

use super::stack::Stack;

/// How long a piece that leaves sleeps at first, for another thread to take over, and at most:
/// each time twice as long.
const FIRST_NAP: Duration = Duration::from_micros(30);
const LONGEST_NAP: Duration = Duration::from_millis(4);

/// What the system may have taken of a stack for itself.
const SLACK: usize = 64 << 10;

thread_local! {
    /// The stack of a thread of ours.
    static STACK: OnceCell<Stack> = const { OnceCell::new() };
}

/// A runtime with `workers` threads, each with a stack of `stack` bytes.
pub fn runtime(workers: usize, stack: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(workers.max(1))
        .thread_stack_size(stack)
        .on_thread_start(prepare)
        .max_blocking_threads(64)
        .enable_all()
        .build()
}

fn prepare() {
    if let Some(stack) = Stack::of_this_thread() {
        stack.refuse_huge_pages();
        STACK.with(|here| here.set(stack)).unwrap_or_default();
    }
}

/// Whether work that needs `stack` bytes of it may be done on this thread, and leave it.
pub fn takes(stack: usize) -> bool {
    STACK.with(|here| here.get().is_some_and(|own| own.size() + SLACK >= stack))
}

/// Gives back what was touched of this thread's stack.
pub fn give_back() {
    STACK.with(|here| here.get().into_iter().for_each(Stack::give_back));
}

/// Has another thread take over what this one does for the runtime; false if none came in time.
///
/// Only for a thread that [`takes`] work, within a task.
pub fn leave() -> bool {
    let mut nap = FIRST_NAP;
    while serves() {
        if nap > LONGEST_NAP {
            return false;
        }
        // While this lasts another may take over; what nobody took over comes back after it.
        #[expect(clippy::disallowed_methods, reason = "nothing tells that another thread has taken over")]
        tokio::task::block_in_place(|| thread::sleep(nap));
        nap *= 2;
    }
    true
}

/// Whether this thread serves the runtime.
///
/// One that does puts a task that yields off until it has polled others; one that does not has
/// nobody to poll it later, and wakes it at once.
fn serves() -> bool {
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let polled = pin!(tokio::task::yield_now()).poll(&mut Context::from_waker(&waker));
    polled.is_pending() && !woken.0.load(Relaxed)
}

/// Notes that it was woken.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_serves_until_it_has_left() {
        let runtime = runtime(2, 4 << 20).expect("a runtime");
        runtime.block_on(async {
            for _ in 0..50 {
                let (before, left, after) =
                    tokio::spawn(async { (serves(), leave(), serves()) }).await.expect("no panic");
                assert!(before);
                assert_eq!(left, !after);
                tokio::spawn(tokio::task::yield_now()).await.expect("the runtime goes on");
            }
        });
    }
}
