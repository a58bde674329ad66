//! A thread's own stack: how far it reaches, and giving back what was touched of it.
//!
//! Script threads have very large stacks, of which a run seldom touches more
//! than a few pages. What was touched once stays in memory until it is given back.

#![expect(unsafe_code, reason = "the calls that ask for and give back pages are foreign functions")]

use std::mem::MaybeUninit;

/// What is kept below the caller's frame: touching it anew for each run would cost more than it saves.
const KEPT: usize = 128 * 1024;

/// The stack of the thread that made it. It is of no use to any other, and cannot be sent there.
#[derive(Debug)]
pub struct Stack {
    /// Its lowest address.
    lowest: usize,
    size: usize,
    page: usize,
    // A raw pointer is neither `Send` nor `Sync`.
    here: std::marker::PhantomData<*const ()>,
}

impl Stack {
    /// The stack of this thread; `None` where the system does not say.
    pub fn of_this_thread() -> Option<Self> {
        let page = usize::try_from(nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??).ok()?;
        let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
        // SAFETY: the function fills the attributes in, or says that it did not.
        let asked = unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) };
        if asked != 0 {
            return None;
        }
        let mut lowest: *mut libc::c_void = std::ptr::null_mut();
        let mut size = 0;
        // SAFETY: the attributes were filled in above; they are destroyed once and not used after.
        let got = unsafe {
            let got = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut size);
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
            got
        };
        let lowest = (lowest.addr() + page - 1) & !(page - 1);
        (got == 0).then_some(Self { lowest, size, page, here: std::marker::PhantomData })
    }

    /// Its bytes, all told.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Asks for ordinary pages: a huge one would be 2 MiB for the first byte that is touched.
    pub fn refuse_huge_pages(&self) {
        let Some(span) = self.unused(KEPT) else { return };
        // SAFETY: the span lies within this thread's stack; the advice changes no byte of it.
        unsafe { libc::madvise(self.lowest as *mut libc::c_void, span, libc::MADV_NOHUGEPAGE) };
    }

    /// Gives back what the thread has touched far below the frame it is in now.
    ///
    /// Costs one cheap call when nothing was.
    pub fn give_back(&self) {
        let Some(span) = self.unused(KEPT) else { return };
        let highest = self.lowest + span - self.page;
        let mut resident = 0_u8;
        // SAFETY: one page within this thread's stack, and one byte for the answer.
        let asked = unsafe { libc::mincore(highest as *mut libc::c_void, self.page, &raw mut resident) };
        if asked == 0 && resident & 1 == 0 {
            return;
        }
        // SAFETY: the span lies below all frames of this thread, the only one
        // that uses this stack, with room for the calls made here: what is in
        // it is dead, and reads as zero when it is touched again.
        unsafe { libc::madvise(self.lowest as *mut libc::c_void, span, libc::MADV_DONTNEED) };
    }

    /// The bytes from the lowest address up to `kept` below this frame, in whole pages.
    fn unused(&self, kept: usize) -> Option<usize> {
        let marker = 0_u8;
        let here = (&raw const marker).addr();
        let end = here.checked_sub(kept)? & !(self.page - 1);
        end.checked_sub(self.lowest).filter(|span| *span >= self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses about `kib` KiB of stack.
    #[inline(never)]
    fn dig(kib: usize) -> u8 {
        let frame = std::hint::black_box([1_u8; 1024]);
        if kib == 0 { frame[0] } else { frame[1].wrapping_add(dig(kib - 1)) }
    }

    /// How much of the stack far below this frame is in memory.
    fn resident_kib(stack: &Stack) -> usize {
        let span = stack.unused(KEPT).expect("a stack larger than what is kept");
        let mut pages = vec![0_u8; span / stack.page];
        // SAFETY: the span lies within this thread's stack, and there is one byte for each of its pages.
        let asked = unsafe { libc::mincore(stack.lowest as *mut libc::c_void, span, pages.as_mut_ptr()) };
        assert_eq!(asked, 0);
        pages.iter().filter(|page| **page & 1 == 1).count() * stack.page / 1024
    }

    #[test]
    fn what_was_touched_is_given_back() {
        let worker = std::thread::Builder::new().stack_size(256 << 20).spawn(|| {
            let stack = Stack::of_this_thread().expect("a stack");
            stack.refuse_huge_pages();
            stack.give_back();
            let before = resident_kib(&stack);
            dig(64 * 1024);
            let touched = resident_kib(&stack);
            stack.give_back();
            [before, touched, resident_kib(&stack)]
        });
        let [before, touched, left] = worker.expect("a thread").join().expect("it ends");
        assert!(touched >= 60 * 1024, "{touched} KiB");
        assert!(before < 1024 && left < 1024, "{before} KiB before, {left} KiB after");
    }
}
