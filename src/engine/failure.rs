//! What a script's error means: its kind, its words, its line and column, or the response it threw.

use rhai::{AST, Dynamic, EvalAltResult, ImmutableString, Map, Position};

use super::{
    compile::{line_and_column, reserved, syntax},
    convert::{self, Unfit},
    outcome::{Failure, FailureKind},
    reply::{self, Sizes},
};
use crate::base::name::truncated;

/// The most bytes of a failure's message.
const MESSAGE_BYTES: usize = 4096;

/// Turns the error a run ended with into its failure.
pub(super) fn of(error: &mut EvalAltResult, at: Position, sizes: Sizes) -> Failure {
    error.clear_position();
    let mut failure = match innermost(error) {
        EvalAltResult::ErrorRuntime(thrown, _) => of_thrown(thrown, sizes),
        other => failure(kind(other), message(other)),
    };
    (failure.line, failure.column) = line_and_column(at);
    failure
}

/// The value that was thrown.
pub(super) fn into_thrown(error: EvalAltResult) -> Option<Dynamic> {
    match error {
        EvalAltResult::ErrorRuntime(thrown, _) => Some(thrown),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            into_thrown(*inner)
        }
        _ => None,
    }
}

/// A failure of `kind`, nowhere in particular.
pub(super) fn failure(kind: FailureKind, message: impl Into<String>) -> Failure {
    let message = truncated(message.into(), MESSAGE_BYTES);
    Failure { kind, message, line: None, column: None, response: None }
}

/// Where the error is: as far inside as a position is known.
pub(super) fn position(error: &EvalAltResult, ast: &AST) -> Position {
    let at = innermost_position(error);
    match innermost(error) {
        // The one error that Rhai gives no place, only the method's name.
        EvalAltResult::ErrorDataRace(what, _) if at.is_none() => {
            let method = what.split('\'').nth(1).unwrap_or_default();
            syntax::only_call_within(ast, reserved::NAME, method).unwrap_or(at)
        }
        _ => at,
    }
}

fn innermost_position(error: &EvalAltResult) -> Position {
    let inner = match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            innermost_position(inner)
        }
        _ => Position::NONE,
    };
    if inner.is_none() { error.position() } else { inner }
}

fn innermost(error: &EvalAltResult) -> &EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            innermost(inner)
        }
        other => other,
    }
}

fn kind(error: &EvalAltResult) -> FailureKind {
    match error {
        EvalAltResult::ErrorStackOverflow(_) => FailureKind::CallDepth,
        EvalAltResult::ErrorDataTooLarge(..) => FailureKind::Size,
        _ => FailureKind::Throw,
    }
}

fn message(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorStackOverflow(_) => "functions call one another too deeply".to_owned(),
        EvalAltResult::ErrorDataRace(..) => {
            "a value is used by a closure while the expression around it still holds it: \
             put it into a variable first, as in `let items = ctx.request.body.items; items.map(..)`"
                .to_owned()
        }
        EvalAltResult::ErrorAssignmentToConstant(..)
        | EvalAltResult::ErrorNonPureMethodCallOnConstant(..) => {
            format!(
                "{}: constants, and all that is in `ctx`, cannot be changed; put a copy into a variable first",
                without_position(error)
            )
        }
        // The value may be of any size: it is not shown by Rhai's own hand.
        EvalAltResult::ErrorIndexNotFound(index, _) => format!("Invalid index: {}", shown(index)),
        other => without_position(other),
    }
}

fn without_position(error: &EvalAltResult) -> String {
    let text = error.to_string();
    // Rhai appends the position to the words; it is told apart here.
    match text.rfind(" (line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn of_thrown(thrown: &Dynamic, sizes: Sizes) -> Failure {
    let Some(map) = thrown.read_lock::<Map>() else { return failure(FailureKind::Throw, shown(thrown)) };
    if map.contains_key("statusCode") {
        return match reply::response(thrown, sizes) {
            Ok(response) => {
                let message = format!("threw a response with status {}", response.status);
                Failure { response: Some(response), ..failure(FailureKind::Throw, message) }
            }
            Err(bad) => bad,
        };
    }
    let words = map.get("message").and_then(Dynamic::read_lock::<ImmutableString>);
    match words {
        Some(words) => failure(FailureKind::Throw, truncated(words.to_string(), MESSAGE_BYTES)),
        None => failure(FailureKind::Throw, shown(thrown)),
    }
}

/// A thrown value in words: a string as it is, anything else as JSON, if that is short.
fn shown(value: &Dynamic) -> String {
    if value.is_unit() {
        return "the script threw".to_owned();
    }
    if let Some(text) = value.read_lock::<ImmutableString>() {
        let end = (0..=text.len().min(MESSAGE_BYTES)).rev().find(|end| text.is_char_boundary(*end));
        return text[..end.unwrap_or(0)].to_owned();
    }
    match convert::to_json(value, MESSAGE_BYTES) {
        Ok(text) => text,
        Err(Unfit::NotJson(why)) => format!("the script threw a value that cannot be shown: {why}"),
        Err(Unfit::TooDeep | Unfit::LongString { .. } | Unfit::TooLarge { .. }) => {
            "the script threw a value too large to show".to_owned()
        }
    }
}
