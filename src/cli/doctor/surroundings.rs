//! The address, the data directory, the disk, the clock.

use std::path::Path;

use super::{
    super::{data_dir, listen},
    Check,
};
use crate::{
    config::Config,
    system::{clock::Clock, disk::Space},
};

const MIB: u64 = 1 << 20;

/// Whether the address is free, or is held by PiCloud itself.
pub(super) fn address(config: &Config) -> Check {
    const NAME: &str = "address";
    let listen = config.http.listen;
    match listen::holder(listen) {
        Some(holder) if holder.name == "picloud" => Check::ok(NAME, format!("{listen} is held by {holder}")),
        _ => match listen::listen(listen) {
            Ok(_) => Check::ok(NAME, format!("{listen} is free")),
            Err(failure) => Check::fail(NAME, failure.to_string()),
        },
    }
}

/// Whether the data directory can be written to.
pub(super) fn data_directory(dir: &Path) -> Check {
    const NAME: &str = "data directory";
    if !dir.exists() {
        return Check::warn(NAME, format!("{} is not there yet; the first start makes it", dir.display()));
    }
    match data_dir::try_out(dir) {
        Ok(()) => Check::ok(NAME, format!("{} can be written to", dir.display())),
        Err(failure) => Check::fail(NAME, failure.to_string()),
    }
}

/// Whether there is room on the disk.
pub(super) fn disk(dir: &Path, min_free: Option<usize>) -> Check {
    const NAME: &str = "disk";
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let space = match Space::of(there) {
        Ok(space) => space,
        Err(error) => return Check::fail(NAME, format!("{} cannot be measured: {error}", there.display())),
    };
    let found = format!(
        "{} MiB of {} MiB are free; below {} MiB it counts as nearly full",
        space.free / MIB,
        space.total / MIB,
        space.floor(min_free) / MIB
    );
    if space.is_nearly_full(min_free) { Check::fail(NAME, found) } else { Check::ok(NAME, found) }
}

/// Whether the clock is known to be right; a Pi that has just started may not know yet.
pub(super) fn clock() -> Check {
    let clock = Clock::now(None);
    if clock.is_right() { Check::ok("clock", clock.reason()) } else { Check::warn("clock", clock.reason()) }
}
