//! The scripts, and how each has to end.

use picloud::engine::Body;

mod library;
mod memory;
mod natives;
mod nesting;
mod source;
mod time;

/// One hostile script.
pub(crate) struct Case {
    /// What it does.
    pub(crate) name: &'static str,
    /// How it may end: kinds of failure, or `ok`.
    pub(crate) ends: &'static [&'static str],
    /// Its text.
    pub(crate) text: Text,
    /// The JSON body of its request.
    pub(crate) json: Option<fn() -> String>,
}

/// The text of a script, or what makes it.
pub(crate) enum Text {
    Plain(&'static str),
    Made(fn() -> String),
}

impl Case {
    const fn new(name: &'static str, ends: &'static [&'static str], text: &'static str) -> Self {
        Self { name, ends, text: Text::Plain(text), json: None }
    }

    const fn made(name: &'static str, ends: &'static [&'static str], make: fn() -> String) -> Self {
        Self { name, ends, text: Text::Made(make), json: None }
    }

    const fn with_json(mut self, json: fn() -> String) -> Self {
        self.json = Some(json);
        self
    }

    /// The script's text.
    pub(crate) fn source(&self) -> String {
        match self.text {
            Text::Plain(text) => text.to_owned(),
            Text::Made(make) => make(),
        }
    }

    /// The body of its request.
    pub(crate) fn body(&self) -> Body {
        self.json.map_or_else(Body::default, |json| crate::driver::json_body(json()))
    }
}

/// All of them.
pub(crate) static CASES: std::sync::LazyLock<Vec<&'static Case>> = std::sync::LazyLock::new(|| {
    [library::CASES, memory::CASES, natives::CASES, nesting::CASES, source::CASES, time::CASES]
        .into_iter()
        .flatten()
        .collect()
});

const MEMORY: &[&str] = &["memory"];
const SIZE: &[&str] = &["size"];
const MEMORY_OR_SIZE: &[&str] = &["memory", "size"];
const STOPPED: &[&str] = &["memory", "size", "operations", "timeout"];
const TIMEOUT: &[&str] = &["timeout", "operations"];
const THROWN: &[&str] = &["throw"];
const OK: &[&str] = &["ok"];
/// It is no crime; what matters is that it ends.
const ANY: &[&str] =
    &["ok", "throw", "memory", "size", "operations", "timeout", "call_depth", "log_limit", "bad_response"];

/// What `part` says of each number from 0 on, one after another.
fn each(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}
