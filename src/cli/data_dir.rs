//! The data directory: tried before anything relies on it.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::{
    Failure,
    exit::{Exit, plain},
};
use crate::postgres;

/// How to choose another directory, to end a sentence.
const CHOOSE: &str = "choose another with --data-dir or PICLOUD_DATA_DIR";

/// As much as must be writable for a start to make sense.
const TRIAL: usize = 64 << 10;

/// Makes the directory if it is missing, gives up root for the user it belongs
/// to, and tries the directory out. Only for a process of one thread.
pub(super) fn enter(dir: &Path) -> Result<(), Failure> {
    if let Err(error) = postgres::drop_privileges(dir) {
        return Err(match error.downcast_ref::<io::Error>().map(refusal) {
            Some(exit) => Failure::from(error).with(exit).and(CHOOSE),
            None => error.into(),
        });
    }
    try_out(dir)
}

/// Writes a little into the directory and takes it away again: rights, quotas
/// and a full disk show themselves here, and not in the middle of a start.
pub(super) fn try_out(dir: &Path) -> Result<(), Failure> {
    try_writing(dir).map_err(|error| {
        let sentence =
            format!("the data directory {} cannot be written to: {}", dir.display(), plain(&error));
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
