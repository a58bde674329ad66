//! How the program ends: exit codes, and the one sentence that explains them.
//!
//! The codes are those of `sysexits.h`, so that scripts and units can tell a
//! wrong configuration, which no restart repairs, from a fault that may pass.
//! `docs/errors.md` lists them.

use std::{fmt, io, process::ExitCode};

use crate::{base, config, system};

/// Why the program ended without having done its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for was refused; the sentence says why.
    Refused = 1,
    /// Something that has to be there cannot be had: the address, the database, a program.
    Unavailable = 69,
    /// A fault of the program.
    Software = 70,
    /// A file or directory cannot be made, or the disk is full.
    CannotCreate = 73,
    /// Something is not allowed to this user.
    NoPermission = 77,
    /// The configuration is wrong.
    Config = 78,
}

/// An end without success, and the sentence for the person who tried.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// Ends with this code and this sentence.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// A failed input or output; `what` was to be done, and the cause decides the code.
    pub fn io(what: &str, error: &io::Error) -> Self {
        Self::new(io_exit(error).unwrap_or(Exit::Unavailable), format!("{what}: {}", system::words(error)))
    }

    /// The same with what can be done about it.
    #[must_use]
    pub fn and(mut self, advice: &str) -> Self {
        self.message.push_str("; ");
        self.message.push_str(advice);
        self
    }

    /// The same with another code, where the place tells more than the cause.
    #[must_use]
    pub fn with(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The code for the shell.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(self.exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        Self::new(Exit::Config, error.to_string())
    }
}

impl From<base::Error> for Failure {
    fn from(error: base::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

/// What failed with a chain of causes is told from the outermost to the
/// innermost; the first cause that has a code of its own decides.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let exit = error.chain().find_map(cause_exit).unwrap_or(Exit::Unavailable);
        let mut told: Vec<String> = Vec::new();
        for cause in error.chain().map(said) {
            // Some errors repeat their cause in their own words.
            if !told.iter().any(|before| before.contains(&cause)) {
                told.push(cause);
            }
        }
        Self::new(exit, told.join(": "))
    }
}

fn said(cause: &(dyn std::error::Error + 'static)) -> String {
    match cause.downcast_ref() {
        // Its own words are for clients; here the inside is wanted.
        Some(base::Error::Internal { context, .. }) => context.clone(),
        _ => cause.downcast_ref().map_or_else(|| cause.to_string(), system::words),
    }
}

/// The code of one cause. A fault of ours with a cause leaves it to that.
fn cause_exit(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(error) = cause.downcast_ref::<io::Error>() {
        return io_exit(error);
    }
    match cause.downcast_ref()? {
        base::Error::Unavailable(_) | base::Error::Busy { .. } | base::Error::Quota { .. } => {
            Some(Exit::Unavailable)
        }
        base::Error::Internal { source, .. } => source.is_none().then_some(Exit::Software),
        _ => Some(Exit::Refused),
    }
}

fn io_exit(error: &io::Error) -> Option<Exit> {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::PermissionDenied => Some(Exit::NoPermission),
        Kind::StorageFull
        | Kind::QuotaExceeded
        | Kind::ReadOnlyFilesystem
        | Kind::NotADirectory
        | Kind::AlreadyExists => Some(Exit::CannotCreate),
        Kind::AddrInUse | Kind::AddrNotAvailable | Kind::ConnectionRefused | Kind::NotFound => {
            Some(Exit::Unavailable)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_decides_the_code_and_ends_the_sentence() {
        let cause = io::Error::from_raw_os_error(28);
        let failure = Failure::from(anyhow::Error::from(cause).context("the cluster cannot be made"));
        assert_eq!(failure.exit, Exit::CannotCreate);
        assert_eq!(failure.to_string(), "the cluster cannot be made: No space left on device");
    }

    #[test]
    fn a_fault_of_ours_tells_its_inside() {
        let failure = Failure::from(base::Error::internal("the table was read twice"));
        assert_eq!(
            (failure.exit, failure.to_string().as_str()),
            (Exit::Software, "the table was read twice")
        );
    }
}
