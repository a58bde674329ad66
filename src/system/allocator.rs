//! The global allocator: the system's, with a count for each thread of what it holds.
//!
//! The engine bounds a run by it. A thread's count goes up where it allocates
//! and down where it frees, so it is only meaningful as a difference, between
//! two moments of a thread whose values stay with it.

#![expect(unsafe_code, reason = "the trait of allocators is unsafe; each call is handed through as it came")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, counted.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // Constant and without a destructor, so that using it allocates nothing and it outlives all else of the thread.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// What this thread has allocated less what it has freed, in bytes, as the
/// allocator's own chunks are counted; below zero where it frees what others
/// allocated.
#[inline]
pub fn held() -> i64 {
    HELD.with(Cell::get)
}

/// The size of glibc's chunk for `bytes`: a header of one word, rounded up.
#[expect(clippy::cast_possible_wrap, reason = "no layout is larger than `isize::MAX`")]
const fn chunk(bytes: usize) -> i64 {
    const SMALLEST: usize = 32;
    let chunk = bytes.saturating_add(size_of::<usize>() + 15) & !15;
    if chunk < SMALLEST { SMALLEST as i64 } else { chunk as i64 }
}

#[inline]
fn count(bytes: i64) {
    HELD.with(|held| held.set(held.get() + bytes));
}

// SAFETY: every call goes to the system's allocator with the arguments it came
// with, so its promises are kept by our callers as if we were not there;
// counting touches nothing but a cell of this thread, allocates nothing and
// cannot panic.
unsafe impl GlobalAlloc for Counting {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            count(chunk(layout.size()));
        }
        block
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            count(chunk(layout.size()));
        }
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) };
        count(-chunk(layout.size()));
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        let moved = unsafe { System.realloc(block, layout, bytes) };
        if !moved.is_null() {
            count(chunk(bytes) - chunk(layout.size()));
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_until_it_is_given_back() {
        let before = held();
        let mut block: Vec<u8> = Vec::with_capacity(1000);
        assert_eq!(held() - before, 1008);
        block.reserve_exact(4000);
        assert_eq!(held() - before, 4016);
        block.shrink_to(10);
        assert_eq!(held() - before, 32, "no chunk is smaller");
        let zeroed = vec![0_u8; 100];
        assert_eq!(held() - before, 32 + 112);
        drop((block, zeroed));
        assert_eq!(held(), before);
    }

    #[test]
    fn threads_are_counted_apart() {
        let before = held();
        let made = std::thread::spawn(|| {
            let before = held();
            let block = vec![0_u8; 10_000];
            (held() - before, block)
        });
        let (theirs, block) = made.join().expect("the thread ends");
        assert_eq!(theirs, 10_016);
        let ours = held();
        drop(block);
        assert_eq!(ours - held(), 10_016, "it is counted where it is freed");
        assert!(ours - before < 10_000);
    }
}
