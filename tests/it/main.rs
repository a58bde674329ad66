//! The integration tests: one binary, one PostgreSQL for the run, a database for each test.
#![allow(missing_docs, unreachable_pub, reason = "nobody outside reaches into a test binary")]

mod access;
mod api_routes;
mod cli;
mod db;
mod ingress;
mod postgres;
mod routing;
mod store_apps;
mod store_executions;
mod store_routes;
mod store_scripts;
mod support;
