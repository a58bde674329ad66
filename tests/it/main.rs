//! x
mod store_apps;
mod store_executions;
mod store_scripts;
mod support;
