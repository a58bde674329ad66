//! PiCloud: a private serverless cloud on a Raspberry Pi.
//!
//! The house has rooms (the modules below) on numbered floors. A room may use
//! what lies on a lower floor, never its own floor's neighbours and never what
//! lies above it; `tests/rooms.rs` holds the table and fails on an arrow that
//! points up. `docs/architecture.md` walks through the house with a request.
//!
//! | floor | rooms | duty |
//! |---|---|---|
//! | 0 | [`base`] | words every room uses: ids, names, patterns, the error |
//! | 1 | [`system`], [`access`] | the machine and the process; who may do what |
//! | 2 | [`config`] | the resolved configuration |
//! | 3 | [`postgres`], [`db`] | the server we own; the connection we use |
//! | 4 | [`store`] | the platform's nouns: row types and their SQL |
//! | 5 | [`engine`] | running scripts |
//! | 6 | [`events`], [`routing`], [`upkeep`] | from "something happened" to "a script ran"; which route answers; sweeping |
//! | 7 | [`web`], [`page`], [`admin`] | what the front doors share; what HTML pages share; what API and pages both do |
//! | 8 | [`ingress`], [`api`], [`ui`] | the three front doors |
//! | 9 | [`boot`], [`cli`] | starts everything; the command line |
//!
//! Start reading at [`boot`], which lists the parts in the order they start.

pub mod access;
pub mod admin;
pub mod api;
pub mod base;
pub mod boot;
pub mod cli;
pub mod config;
pub mod db;
pub mod engine;
pub mod events;
pub mod ingress;
pub mod page;
pub mod postgres;
pub mod routing;
pub mod store;
pub mod system;
pub mod ui;
pub mod upkeep;
pub mod web;
