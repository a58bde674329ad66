//! The manual as one Markdown text: `docs/sdk.md`.

use super::{Function, GUIDE, Group, LANGUAGE, LIBRARY};
use crate::engine::SdkModule;

/// The manual, as `docs/sdk.md` holds it.
pub fn manual() -> String {
    let mut out = String::from(
        "<!-- Made of src/engine/reference and the modules in src/engine/stdlib; a test compares and says how to \
         write it anew. -->\n\n",
    );
    out.push_str(GUIDE);
    out.push_str(
        "\n## The standard library\n\nThese modules are always there. Each example is followed by what it \
         answers.\n",
    );
    LIBRARY.iter().for_each(|module| push_module(&mut out, module));
    out.push_str(
        "\n## Rhai's own functions\n\nThose that scripts have, by the type of value they are for. \
         [The book of Rhai](https://rhai.rs/book/language/) explains the language itself.\n",
    );
    LANGUAGE.iter().for_each(|group| push_group(&mut out, group));
    out
}

fn push_module(out: &mut String, module: &SdkModule) {
    out.push_str(&format!("\n### `{}`\n\n{}\n", module.name, module.about));
    for function in module.functions {
        let calls: Vec<_> = function.calls.iter().map(|call| format!("`{}::{call}`", module.name)).collect();
        out.push_str(&format!("\n#### {}\n\n{}", calls.join("<br>"), function.does));
        if !function.throws.is_empty() {
            let kinds: Vec<_> = function.throws.iter().map(|kind| format!("`{kind}`")).collect();
            out.push_str(&format!(" Throws {}.", kinds.join(", ")));
        }
        out.push_str(&format!("\n\n```rhai\n{}\n```\n```text\n{}\n```\n", function.example, function.gives));
    }
}

fn push_group(out: &mut String, group: &Group) {
    out.push_str(&format!(
        "\n### {}\n\n{}\n\n| function | what it does | example | gives |\n",
        group.title, group.about
    ));
    out.push_str("| --- | --- | --- | --- |\n");
    for function in group.functions {
        out.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            calls(function),
            in_cell(function.does),
            code_in_cell(function.example),
            code_in_cell(function.gives)
        ));
    }
}

fn calls(function: &Function) -> String {
    let calls: Vec<_> = function.calls.iter().map(|call| code_in_cell(call)).collect();
    calls.join("<br>")
}

fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Code in a table's cell, fenced by more backticks than are in it.
fn code_in_cell(code: &str) -> String {
    let code = in_cell(code);
    if code.contains('`') { format!("`` {code} ``") } else { format!("`{code}`") }
}
