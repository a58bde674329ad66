//! How the library's functions are registered, and how they read their arguments.
//!
//! Arguments come as they are and are looked at here, so that a wrong one is
//! answered with a sentence, where Rhai would only say that it finds no function.

use rhai::{Blob, Dynamic, EvalAltResult, FuncRegistration, ImmutableString, Module, NativeCallContext};

use crate::{base::name::truncated, engine::call};

/// What ends a function early: what it throws, or what ends the run.
pub(super) type Fault = Box<EvalAltResult>;

/// What a function gives.
pub(super) type Answer = Result<Dynamic, Fault>;

/// How much of a bad argument an error shows.
const SHOWN: usize = 100;

/// A module in the making.
pub(super) struct Functions(Module);

impl Functions {
    /// An empty module.
    pub(super) fn new() -> Self {
        Self(Module::new())
    }

    /// Adds a function without arguments.
    pub(super) fn none(mut self, name: &str, native: fn() -> Answer) -> Self {
        let call = move |context: NativeCallContext<'_>| placed(&context, native());
        FuncRegistration::new(name).with_volatility(true).set_into_module(&mut self.0, call);
        self
    }

    /// Adds a function of one argument.
    pub(super) fn one(mut self, name: &str, native: fn(&Dynamic) -> Answer) -> Self {
        let call = move |context: NativeCallContext<'_>, a: Dynamic| placed(&context, native(&a));
        FuncRegistration::new(name).with_volatility(true).set_into_module(&mut self.0, call);
        self
    }

    /// Adds a function of two arguments.
    pub(super) fn two(mut self, name: &str, native: fn(&Dynamic, &Dynamic) -> Answer) -> Self {
        let call =
            move |context: NativeCallContext<'_>, a: Dynamic, b: Dynamic| placed(&context, native(&a, &b));
        FuncRegistration::new(name).with_volatility(true).set_into_module(&mut self.0, call);
        self
    }

    /// Adds a function of three arguments.
    pub(super) fn three(mut self, name: &str, native: fn(&Dynamic, &Dynamic, &Dynamic) -> Answer) -> Self {
        let call = move |context: NativeCallContext<'_>, a: Dynamic, b: Dynamic, c: Dynamic| {
            placed(&context, native(&a, &b, &c))
        };
        FuncRegistration::new(name).with_volatility(true).set_into_module(&mut self.0, call);
        self
    }

    /// The module.
    pub(super) fn module(mut self) -> Module {
        self.0.build_index();
        self.0
    }
}

fn placed(context: &NativeCallContext<'_>, answer: Answer) -> Answer {
    answer.map_err(|fault| call::placed(context, fault))
}

/// What a script can catch and match on.
#[expect(clippy::unnecessary_box_returns, reason = "a native returns it as it is")]
pub(super) fn fault(kind: &str, message: impl Into<String>) -> Fault {
    call::thrown(kind, message).into()
}

/// A bad text as an error shows it: its beginning.
pub(super) fn shown(text: &str) -> String {
    let cut = truncated(text.chars().take(SHOWN).collect(), SHOWN);
    let end = if cut.len() < text.len() { ".." } else { "" };
    format!("`{}{end}`", cut.escape_debug())
}

/// A text, or one character. `what` names the argument, as in "the pattern".
pub(super) fn text(value: &Dynamic, what: &str) -> Result<ImmutableString, Fault> {
    if let Ok(character) = value.as_char() {
        return Ok(character.to_string().into());
    }
    let text = value.read_lock::<ImmutableString>().map(|text| text.clone());
    text.ok_or_else(|| unlike(value, what, "a string"))
}

/// A whole number.
pub(super) fn int(value: &Dynamic, what: &str) -> Result<i64, Fault> {
    value.as_int().map_err(|_| unlike(value, what, "an integer"))
}

/// Calls `act` with the bytes of a string, a character or a blob.
pub(super) fn with_bytes<R>(
    value: &Dynamic,
    what: &str,
    act: impl FnOnce(&[u8]) -> Result<R, Fault>,
) -> Result<R, Fault> {
    if let Some(blob) = value.read_lock::<Blob>() {
        return act(&blob);
    }
    match text(value, what) {
        Ok(text) => act(text.as_bytes()),
        Err(_) => Err(unlike(value, what, "a string or a blob")),
    }
}

/// Bytes as a string if they are UTF-8, else as a blob.
pub(super) fn text_or_blob(bytes: Vec<u8>) -> Dynamic {
    match String::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(error) => Dynamic::from_blob(error.into_bytes()),
    }
}

/// The error for an argument of a type that is not taken.
#[expect(clippy::unnecessary_box_returns, reason = "a native returns it as it is")]
pub(super) fn unlike(value: &Dynamic, what: &str, allowed: &str) -> Fault {
    fault("invalid_argument", format!("{what} must be {allowed}, not {}", name_of(value)))
}

fn name_of(value: &Dynamic) -> String {
    let name = match value.type_name() {
        "i64" => "an integer",
        "f64" => "a float",
        "bool" => "a bool",
        "char" => "a character",
        "string" => "a string",
        "array" => "an array",
        "map" => "a map",
        "blob" => "a blob",
        "Fn" => "a function",
        "()" => "()",
        other => return format!("a value of type {}", other.rsplit("::").next().unwrap_or(other)),
    };
    name.to_owned()
}
