//! Strings in pieces: `split`, `split_rev`, `to_chars`.
//!
//! A piece takes many times the memory of its characters, so the guards are
//! asked while pieces are made.

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Module};

use super::add_pure;
use crate::engine::{guard, pace::Pace};

/// What a piece takes beside its text: the value and a counted string.
const PIECE: usize = 96;

type Pieces = Result<Array, Box<EvalAltResult>>;

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    super::add(module, "to_chars", |text: ImmutableString| -> Pieces {
        guard::room(text.chars().count() * size_of::<Dynamic>())?;
        Ok(text.chars().map(Into::into).collect())
    });
    add_pure(module, "split", |text: &mut ImmutableString| -> Pieces {
        if text.is_empty() { Ok(whole(text)) } else { pieces(text.split_whitespace()) }
    });
    by_text(module);
    by_character(module);
}

fn by_text(module: &mut Module) {
    add_pure(module, "split", |text: &mut ImmutableString, by: ImmutableString| -> Pieces {
        if is_whole(text, &by) { Ok(whole(text)) } else { pieces(text.split(by.as_str())) }
    });
    add_pure(module, "split", |text: &mut ImmutableString, by: ImmutableString, count: i64| -> Pieces {
        match at_most(count) {
            Some(count) if !is_whole(text, &by) => pieces(text.splitn(count, by.as_str())),
            _ => Ok(whole(text)),
        }
    });
    add_pure(module, "split_rev", |text: &mut ImmutableString, by: ImmutableString| -> Pieces {
        if is_whole(text, &by) { Ok(whole(text)) } else { pieces(text.rsplit(by.as_str())) }
    });
    add_pure(module, "split_rev", |text: &mut ImmutableString, by: ImmutableString, count: i64| -> Pieces {
        match at_most(count) {
            Some(count) if !is_whole(text, &by) => pieces(text.rsplitn(count, by.as_str())),
            _ => Ok(whole(text)),
        }
    });
}

fn by_character(module: &mut Module) {
    add_pure(module, "split", |text: &mut ImmutableString, by: char| -> Pieces {
        if text.contains(by) { pieces(text.split(by)) } else { Ok(whole(text)) }
    });
    add_pure(module, "split", |text: &mut ImmutableString, by: char, count: i64| -> Pieces {
        match at_most(count) {
            Some(count) if text.contains(by) => pieces(text.splitn(count, by)),
            _ => Ok(whole(text)),
        }
    });
    add_pure(module, "split_rev", |text: &mut ImmutableString, by: char| -> Pieces {
        if text.contains(by) { pieces(text.rsplit(by)) } else { Ok(whole(text)) }
    });
    add_pure(module, "split_rev", |text: &mut ImmutableString, by: char, count: i64| -> Pieces {
        match at_most(count) {
            Some(count) if text.contains(by) => pieces(text.rsplitn(count, by)),
            _ => Ok(whole(text)),
        }
    });
}

/// Whether there is nothing to split: then the string is its only piece, and shared.
fn is_whole(text: &str, by: &str) -> bool {
    text.is_empty() || (!by.is_empty() && !text.contains(by))
}

fn whole(text: &ImmutableString) -> Array {
    vec![text.clone().into()]
}

/// A number of pieces that splits at all.
fn at_most(count: i64) -> Option<usize> {
    usize::try_from(count).ok().filter(|count| *count > 1)
}

fn pieces<'a>(found: impl Iterator<Item = &'a str>) -> Pieces {
    let (mut made, pace) = (Array::new(), Pace::default());
    for piece in found {
        pace.step(PIECE + piece.len())?;
        made.push(piece.into());
    }
    Ok(made)
}
