//! `picloud config show` and `picloud openapi`: print what there is.

use std::process::ExitCode;

use super::{Exit, Failure, Settings, print};
use crate::{api, system::hardware::Hardware};

/// Prints each value with where it came from.
pub(super) fn configuration(settings: &Settings, json: bool) -> Result<ExitCode, Failure> {
    let resolved = settings.load(&Hardware::detect())?.resolved;
    if json {
        let entry = |one: &crate::config::Resolved| serde_json::json!({ "key": one.key, "value": one.value, "origin": one.origin.to_string() });
        return print_json(&resolved.iter().map(entry).collect::<Vec<_>>());
    }
    let width = |text: fn(&crate::config::Resolved) -> &str| {
        resolved.iter().map(|one| text(one).chars().count()).max().unwrap_or_default()
    };
    let (keys, values) = (width(|one| one.key), width(|one| &one.value).min(40));
    let line =
        |one: &crate::config::Resolved| format!("{:keys$}  {:values$}  {}\n", one.key, one.value, one.origin);
    print(&resolved.iter().map(line).collect::<String>())
}

/// Prints the OpenAPI document.
pub(super) fn openapi() -> Result<ExitCode, Failure> {
    print_json(&api::document())
}

/// Prints a value as JSON.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<ExitCode, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Software, format!("the JSON cannot be written: {error}")))?;
    print(&(text + "\n"))
}
