//! How the process gives memory back.

/// Has large blocks given back to the kernel as soon as they are freed.
///
/// By itself glibc raises the size from which it does so to that of the largest
/// block it has seen freed. One password hash takes 19 MiB; after it, each
/// thread's arena would keep up to twice as much for good, on a machine that
/// may have 512 MiB. A size that is set stays as it is.
///
/// Call it first, before anything large is freed.
#[expect(unsafe_code, reason = "mallopt is a foreign function; it has no safe face")]
pub fn return_large_blocks() {
    /// From this size on a block comes from the kernel and goes back to it.
    const LARGE: libc::c_int = 1024 * 1024;
    // SAFETY: mallopt takes two integers by value and changes only the
    // allocator's own parameters, under its own lock.
    let set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE) };
    if set == 0 {
        tracing::debug!("the allocator keeps its own ways");
    }
}
