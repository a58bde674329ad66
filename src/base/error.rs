//! The one error of the house.
//!
//! A variant says what the caller can do about it, not where it came from.
//! The outside text is in the variant; inside text lives only in
//! [`Error::Internal`], is logged once where the error is handled, and never
//! reaches a client. `docs/errors.md` lists variant, status and exit code.

use std::time::Duration;

/// The result of anything that can fail in the house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request could not be read at all (400): repair its syntax.
    #[error("{0}")]
    Malformed(String),
    /// Nobody is signed in, or the credential is no good (401): sign in.
    #[error("{0}")]
    Unauthenticated(String),
    /// Signed in, but the named capability is missing (403): ask for the role.
    #[error("{0}")]
    Forbidden(String),
    /// The thing does not exist, or is none of the caller's business (404).
    #[error("{0} was not found")]
    NotFound(String),
    /// The thing answers under another address now (308): go there.
    #[error("moved to {0}")]
    Moved(String),
    /// The path exists under other methods (405): use one of these.
    #[error("the methods allowed here are {}", .allow.join(", "))]
    MethodNotAllowed {
        /// The methods that would have answered.
        allow: Vec<String>,
    },
    /// The change contradicts what is stored (409): look, then decide.
    #[error("{0}")]
    Conflict(String),
    /// The request came under a name that is none of this machine's own (421): use one that is.
    #[error("{0}")]
    Misdirected(String),
    /// The request did not arrive in time (408): send it faster.
    #[error("the request did not arrive within {} s", .limit.as_secs())]
    Slow {
        /// How long it may take.
        limit: Duration,
    },
    /// The body is larger than the limit in bytes (413): send less.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body's media type is not one the call takes (415): send that one.
    #[error("{0}")]
    UnsupportedMedia(String),
    /// Well-formed, but these fields are wrong (422): correct them.
    #[error("{}", FieldError::list(.0))]
    Invalid(Vec<FieldError>),
    /// What one may have or try is used up (429): try again after the wait.
    #[error("{why}")]
    Quota {
        /// What is used up.
        why: String,
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// There is no room now (503): try again after the wait.
    #[error("{why}")]
    Busy {
        /// What is full.
        why: String,
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// The database does not answer (503): it comes back by itself.
    #[error("the database is not available right now")]
    Unavailable(#[source] sqlx::Error),
    /// A fault of the platform (500): the log has the context.
    #[error("internal error")]
    Internal {
        /// What was being done, for the log alone.
        context: String,
        /// What failed underneath.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// One field that was wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct FieldError {
    /// The field's path in the request, such as `sandbox.max_operations`.
    pub field: String,
    /// What was wrong and what is allowed.
    pub message: String,
}

impl FieldError {
    fn list(all: &[FieldError]) -> String {
        let lines: Vec<String> = all.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        lines.join("; ")
    }
}

impl Error {
    /// One field is wrong.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// A fault of the platform without an error underneath.
    pub fn internal(context: impl Into<String>) -> Self {
        Self::Internal { context: context.into(), source: None }
    }

    /// A fault of the platform, with what failed underneath.
    pub fn internal_from(
        context: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Internal { context: context.into(), source: Some(source.into()) }
    }

    /// Whether the database was away, so that the same call may succeed later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl Error {
    /// Whether the same statement may succeed a moment later: the database was
    /// away, or another transaction was in the way (PostgreSQL's codes 40001
    /// serialization failure, 40P01 deadlock, 55P03 lock not available).
    pub fn is_passing(&self) -> bool {
        let Self::Internal { source: Some(source), .. } = self else { return self.is_unavailable() };
        let database = source.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
        database
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| ["40001", "40P01", "55P03"].contains(&&*code))
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::Unavailable(error) } else { Self::internal_from("database", error) }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal_from("input/output", error)
    }
}

/// Whether `error` means that the server cannot be reached, rather than that
/// it refused the statement. The codes are PostgreSQL's classes 08 (connection)
/// and 57P (operator intervention: shutdown, crash, starting up), and 53300
/// (too many connections).
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(db) => {
            db.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "53300")
        }
        _ => false,
    }
}

/// Turns the violation of a named constraint into an error a user understands.
pub trait OnConstraint<T> {
    /// Replaces the error with `error()` if the constraint `name` was violated.
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T>;
}

impl<T> OnConstraint<T> for std::result::Result<T, sqlx::Error> {
    fn on_constraint(self, name: &str, error: impl FnOnce() -> Error) -> Result<T> {
        self.map_err(|e| match &e {
            sqlx::Error::Database(db) if db.constraint() == Some(name) => error(),
            _ => e.into(),
        })
    }
}
