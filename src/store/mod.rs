//! Floor 4: the platform's nouns: row types, their SQL, and the rule beside it.
//!
//! Free functions that take an executor. One statement takes any; several
//! take a connection, and the caller owns the transaction.

pub mod app;
pub mod execution;
pub mod script;
