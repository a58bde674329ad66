//! What scripts can use, as data: the manual `docs/sdk.md` and the page
//! `/admin/reference` are made of it, and tests run every example.
//!
//! The prose is `guide.md`. The functions of a module are described in the
//! module's own file, those of the language in `language`.

mod function;
mod language;
mod markdown;

pub use function::Function;
pub(in crate::engine) use function::function;
#[cfg(test)]
pub(in crate::engine) use function::{arity, name};
pub use language::{Group, LANGUAGE};
pub use markdown::manual;

use super::{SdkModule, stdlib};

/// The prose: `ctx`, bodies, answers, errors, limits. Headings, paragraphs, tables and code in Markdown.
pub const GUIDE: &str = include_str!("guide.md");

/// The modules of the standard library.
pub const LIBRARY: &[SdkModule] = stdlib::STDLIB;

/// The name under which a function of a module or of a group is found on a page.
pub fn anchor(home: &str, function: &Function) -> String {
    let name = function.name();
    let plain =
        |text: &str| text.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "-");
    if name.chars().any(|c| c.is_ascii_alphabetic()) {
        format!("{}-{}", plain(home), plain(name))
    } else {
        // Operators by their characters' numbers: all of them would be a dash.
        name.chars().fold(plain(home), |anchor, c| format!("{anchor}-{:x}", u32::from(c)))
    }
}
