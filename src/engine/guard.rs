//! What natives ask before they do something out of proportion to what they were given.
//!
//! A native runs between two operations, where nothing counts for it: one that
//! makes more than a few times its input, or a size from an argument, asks for
//! the room first, and one that may take long looks whether the run is to end.
//! An error from here ends the run, whatever the script or Rhai makes of it.

use rhai::EvalAltResult;

use super::{
    call,
    meter::{self, Stop},
};

/// What a guard says.
pub(super) type Guarded = Result<(), Box<EvalAltResult>>;

/// How many steps of a native's loop may lie between two calls of [`check`];
/// a step is a value that is looked at, or some hundred bytes.
pub(super) const STEPS: usize = 1024;

/// Asks for `bytes` of memory that will be held on top of what the run holds.
pub(super) fn room(bytes: usize) -> Guarded {
    meter::room(bytes).map_err(|why| call::stop(why).into())
}

/// Asks for a string of `bytes`: within what one string may have, and there is room for it.
pub(super) fn string(bytes: usize) -> Guarded {
    if bytes > meter::limits().string_bytes {
        return Err(call::stop(Stop::String).into());
    }
    room(bytes)
}

/// Asks for a blob of `bytes`: within what one blob may have, and there is room for it.
pub(super) fn blob(bytes: usize) -> Guarded {
    if bytes > meter::limits().blob_bytes {
        return Err(call::stop(Stop::Blob).into());
    }
    room(bytes)
}

/// Says whether the run is to end: its time is over, or something has stopped it.
pub(super) fn check() -> Guarded {
    meter::look().map_err(|why| call::stop(why).into())
}

/// Ends the run because a value is nested too deeply for a native to walk it.
#[expect(clippy::unnecessary_box_returns, reason = "a native returns it as it is")]
pub(super) fn too_deep() -> Box<EvalAltResult> {
    call::stop(Stop::Depth).into()
}

/// Does something whose memory is not the run's: a cache that outlives it, and is bounded by itself.
pub(super) fn uncounted<T>(act: impl FnOnce() -> T) -> T {
    meter::uncounted(act)
}
