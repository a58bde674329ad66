//! The manual as one Markdown text: `docs/sdk.md`.

use super::{Function, GUIDE, Group, LANGUAGE, LIBRARY};
use crate::engine::SdkModule;

const HEAD: &str = "<!-- Made of src/engine/reference and the modules in src/engine/stdlib; a test compares, and \
                    says how to write it anew. -->";

const ON_THE_LIBRARY: &str = "## The standard library\n\nThese modules are always there. Each example is followed by \
                              what it answers.\n";

const ON_THE_LANGUAGE: &str = "## Rhai's own functions\n\nThose that scripts have, by the type of value they are for. \
                               [The book of Rhai](https://rhai.rs/book/language/) explains the language itself.\n";

/// The manual, as `docs/sdk.md` holds it.
pub fn manual() -> String {
    let modules: Vec<_> = LIBRARY.iter().map(of_module).collect();
    let groups: Vec<_> = LANGUAGE.iter().map(of_group).collect();
    let parts = [HEAD, GUIDE, ON_THE_LIBRARY, &modules.join("\n"), ON_THE_LANGUAGE, &groups.join("\n")];
    parts.map(|part| format!("{}\n", part.trim_end())).join("\n")
}

fn of_module(module: &SdkModule) -> String {
    let functions: Vec<_> =
        module.functions.iter().map(|function| of_function(module.name, function)).collect();
    format!("### `{}`\n\n{}\n\n{}", module.name, module.about, functions.join("\n"))
}

fn of_function(module: &str, function: &Function) -> String {
    let calls = joined(function.calls, "<br>", |call| format!("`{module}::{call}`"));
    let kinds = joined(function.throws, ", ", |kind| format!("`{kind}`"));
    let throws = if kinds.is_empty() { String::new() } else { format!(" Throws {kinds}.") };
    let Function { does, example, gives, .. } = function;
    format!("#### {calls}\n\n{does}{throws}\n\n```rhai\n{example}\n```\n```text\n{gives}\n```\n")
}

fn of_group(group: &Group) -> String {
    let rows: Vec<_> = group.functions.iter().map(row).collect();
    let head = "| function | what it does | example | gives |\n| --- | --- | --- | --- |";
    format!("### {}\n\n{}\n\n{head}\n{}\n", group.title, group.about, rows.join("\n"))
}

fn row(function: &Function) -> String {
    let calls = joined(function.calls, "<br>", code_in_cell);
    let (example, gives) = (code_in_cell(function.example), code_in_cell(function.gives));
    format!("| {calls} | {} | {example} | {gives} |", in_cell(function.does))
}

fn joined(parts: &[&str], between: &str, shown: impl Fn(&str) -> String) -> String {
    let parts: Vec<_> = parts.iter().map(|part| shown(part)).collect();
    parts.join(between)
}

fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Code in a table's cell, fenced by more backticks than are in it.
fn code_in_cell(code: &str) -> String {
    let code = in_cell(code);
    if code.contains('`') { format!("`` {code} ``") } else { format!("`{code}`") }
}
