//! The integration tests: one binary, one PostgreSQL for the run, a database for each test.
#![allow(missing_docs, unreachable_pub, reason = "nobody outside reaches into a test binary")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail like tests")]

mod access;
mod api_abandoned;
mod api_apps;
mod api_executions;
mod api_keys;
mod api_members;
mod api_outbox;
mod api_routes;
mod api_scripts;
mod api_settings;
mod api_users;
mod away;
mod behind;
mod cli;
mod contract;
mod db;
mod dispatch;
mod durable;
mod floor;
mod gate;
mod ingress;
mod isolation;
mod lifecycle;
mod manual;
mod many_routes;
mod matrix;
mod node;
mod open;
mod origins;
mod postgres;
mod proxies;
mod recorder;
mod retention;
mod routing;
mod server;
mod store_apps;
mod store_executions;
mod store_outbox;
mod store_routes;
mod store_scripts;
mod support;
mod ui;
mod upkeep;
