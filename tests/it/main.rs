//! The integration tests: one binary, one PostgreSQL for the run, a database for each test.
#![allow(missing_docs, unreachable_pub, reason = "nobody outside reaches into a test binary")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail like tests")]

mod db;
mod postgres;
mod support;
