//! The data directory: tried before anything relies on it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::{Exit, Failure};
use crate::{
    config::Config,
    postgres::{self, Layout},
    system::{self, disk::Space},
};

/// How to choose another directory, to end a sentence.
const CHOOSE: &str = "choose another with --data-dir or PICLOUD_DATA_DIR";

/// As much as must be writable for a start to make sense.
const TRIAL: usize = 64 << 10;

/// What a new cluster takes, its first log files included (63 MiB measured with
/// PostgreSQL 15), and some to work with.
const ROOM: u64 = 100 << 20;

/// Makes the directory if it is missing, gives up root for the user it belongs
/// to, and tries the directory out. Only for a process of one thread.
pub(super) fn enter(config: &Config) -> Result<(), Failure> {
    let dir = &config.data_dir;
    if let Err(error) = postgres::drop_privileges(dir) {
        return Err(match error.downcast_ref::<io::Error>().map(refusal) {
            Some(exit) => Failure::from(error).with(exit).and(CHOOSE),
            None => error.into(),
        });
    }
    try_out(dir)?;
    if config.database.url.is_none() && !Layout::new(dir).cluster().exists() { room(dir) } else { Ok(()) }
}

/// Whether a new cluster has room: PostgreSQL's own words for a disk that fills
/// up while it makes one are about blocks and files.
fn room(dir: &Path) -> Result<(), Failure> {
    let free = Space::of(dir).map_or(u64::MAX, |space| space.free);
    if free >= ROOM {
        return Ok(());
    }
    let sentence = format!(
        "the disk of the data directory {} is full: {} MiB are free, and a new database takes {} MiB",
        dir.display(),
        free >> 20,
        ROOM >> 20
    );
    Err(Failure::new(Exit::CannotCreate, sentence).and(CHOOSE))
}

/// Writes a little into the directory and takes it away again: rights, quotas
/// and a full disk show themselves here, and not in the middle of a start.
pub(super) fn try_out(dir: &Path) -> Result<(), Failure> {
    try_writing(dir).map_err(|error| {
        let sentence =
            format!("the data directory {} cannot be written to: {}", dir.display(), system::words(&error));
        Failure::new(refusal(&error), sentence).and(CHOOSE)
    })
}

fn refusal(error: &io::Error) -> Exit {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Exit::NoPermission,
        _ => Exit::CannotCreate,
    }
}

fn try_writing(dir: &Path) -> io::Result<()> {
    let trial = dir.join(format!(".trial-{}", std::process::id()));
    let written = File::create(&trial).and_then(|mut file| {
        file.write_all(&vec![0; TRIAL])?;
        file.sync_data()
    });
    match fs::remove_file(&trial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(error)),
        _ => written,
    }
}
