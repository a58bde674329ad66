//! The integration tests: one binary, one PostgreSQL for the run, a database for each test.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests say what they prove by failing"
)]

mod db;
mod postgres;
mod support;
