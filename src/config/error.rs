//! What was wrong with the configuration: all of it, each fault with its place.

use std::{fmt, path::PathBuf};

/// Every fault that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub Vec<Fault>);

/// One fault: where, what, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A line is not TOML.
    Syntax {
        /// File and line.
        place: String,
        /// What the parser did not understand.
        why: String,
    },
    /// Nothing has this name.
    Unknown {
        /// File and line, or `the environment`.
        place: String,
        /// The name.
        name: String,
        /// The nearest name there is.
        meant: Option<String>,
    },
    /// A value is not allowed.
    Value {
        /// File and line with the key, the variable, or the flag.
        place: String,
        /// The value, unless it is secret.
        value: String,
        /// What is allowed.
        allowed: String,
    },
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, why } => {
                write!(f, "the configuration file {} cannot be read: {why}", path.display())
            }
            Self::Syntax { place, why } => {
                write!(f, "{place}: this is not TOML ({why}); text stands in \"quotes\"")
            }
            Self::Unknown { place, name, meant: Some(meant) } => {
                write!(f, "{place}: there is no \"{name}\"; did you mean \"{meant}\"?")
            }
            Self::Unknown { place, name, meant: None } => {
                write!(f, "{place}: there is no \"{name}\"; `picloud config show` lists what there is")
            }
            Self::Value { place, value, allowed } => {
                write!(f, "{place}: {value} is not allowed; allowed is {allowed}")
            }
        }
    }
}
