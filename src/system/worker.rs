//! The threads of the async runtime, where a short piece of other work may be
//! done on the spot, and how such a piece lets go of its thread once it turns
//! out to be long.
//!
//! Handing work to another thread and back costs more than a short piece
//! itself. A long one would hold up whatever else the runtime has for that
//! thread, so it *leaves*: the thread keeps the piece, and another takes over
//! what it did for the runtime.

use std::{
    cell::{Cell, OnceCell},
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::runtime::{Builder, Runtime};

use super::stack::Stack;

/// How long a piece that leaves waits for another thread to take over.
const PATIENCE: Duration = Duration::from_millis(2);

/// What the system may have taken of a stack for itself.
const SLACK: usize = 64 << 10;

thread_local! {
    /// The stack of a thread of ours.
    static STACK: OnceCell<Stack> = const { OnceCell::new() };
    /// Whether the thread serves the runtime, as far as is known.
    static SERVES: Cell<bool> = const { Cell::new(false) };
}

/// How often a thread has begun to serve the runtime.
static JOINED: Mutex<u64> = Mutex::new(0);
/// Told when one has.
static JOINS: Condvar = Condvar::new();
/// One leaves at a time, so that it is known who was replaced.
static LEAVING: Mutex<()> = Mutex::new(());

/// A runtime with `workers` threads, each with a stack of `stack` bytes.
pub fn runtime(workers: usize, stack: usize) -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(workers.max(1))
        .thread_stack_size(stack)
        .on_thread_start(prepare)
        .on_thread_park(serves)
        .enable_all()
        .build()
}

fn prepare() {
    if let Some(stack) = Stack::of_this_thread() {
        stack.refuse_huge_pages();
        STACK.with(|here| here.set(stack)).unwrap_or_default();
    }
}

fn serves() {
    if !SERVES.replace(true) {
        *lock(&JOINED) += 1;
        JOINS.notify_all();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    let _alone = lock(&LEAVING);
    let before = *lock(&JOINED);
    // The first that whoever takes over does; it says so also when it finds nothing to do and sleeps.
    tokio::spawn(async { serves() });
    let left = tokio::task::block_in_place(|| {
        let waited = JOINS.wait_timeout_while(lock(&JOINED), PATIENCE, |joined| *joined == before);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != before
    });
    if left {
        SERVES.set(false);
    }
    left
}
