//! Strings: what Rhai does by way of a list of all characters, and what makes them longer than they were.

use std::ops::{Range, RangeInclusive};

use rhai::{EvalAltResult, ImmutableString, Module};

use super::{
    add,
    range::{byte_offset, of_exclusive, of_inclusive, part},
};
use crate::engine::guard::{self, Guarded};

/// Registers the functions.
pub(super) fn register(module: &mut Module) {
    parts(module);
    add(module, "pop", pop);
    add(module, "index_of", |text: ImmutableString, find: ImmutableString, start: i64| {
        index_of(&text, start, |rest| rest.find(find.as_str()))
    });
    add(module, "index_of", |text: ImmutableString, find: char, start: i64| {
        index_of(&text, start, |rest| rest.find(find))
    });
    add(module, "pad", |text: &mut ImmutableString, length: i64, with: char| -> Guarded {
        pad(text, length, with.encode_utf8(&mut [0; 4]))
    });
    add(module, "pad", |text: &mut ImmutableString, length: i64, with: ImmutableString| -> Guarded {
        pad(text, length, &with)
    });
    add(module, "replace", |text: &mut ImmutableString, find: ImmutableString, new: ImmutableString| {
        replace(text, &find, &new)
    });
    add(module, "replace", |text: &mut ImmutableString, find: ImmutableString, new: char| {
        replace(text, &find, new.encode_utf8(&mut [0; 4]))
    });
    add(module, "replace", |text: &mut ImmutableString, find: char, new: ImmutableString| {
        replace(text, find.encode_utf8(&mut [0; 4]), &new)
    });
    add(module, "replace", |text: &mut ImmutableString, find: char, new: char| {
        replace(text, find.encode_utf8(&mut [0; 4]), new.encode_utf8(&mut [0; 4]))
    });
}

fn parts(module: &mut Module) {
    add(module, "sub_string", |text: ImmutableString, start: i64, length: i64| -> ImmutableString {
        part(&text, start, length).into()
    });
    add(module, "sub_string", |text: ImmutableString, start: i64| -> ImmutableString {
        part(&text, start, i64::MAX).into()
    });
    add(module, "sub_string", |text: ImmutableString, range: Range<i64>| -> ImmutableString {
        let (start, length) = of_exclusive(&range);
        part(&text, start, length).into()
    });
    add(module, "sub_string", |text: ImmutableString, range: RangeInclusive<i64>| -> ImmutableString {
        let (start, length) = of_inclusive(&range);
        part(&text, start, length).into()
    });
    add(module, "crop", |text: &mut ImmutableString, start: i64, length: i64| {
        *text = part(text, start, length).into();
    });
    add(module, "crop", |text: &mut ImmutableString, start: i64| {
        *text = part(text, start, i64::MAX).into();
    });
    add(module, "crop", |text: &mut ImmutableString, range: Range<i64>| {
        let (start, length) = of_exclusive(&range);
        *text = part(text, start, length).into();
    });
    add(module, "crop", |text: &mut ImmutableString, range: RangeInclusive<i64>| {
        let (start, length) = of_inclusive(&range);
        *text = part(text, start, length).into();
    });
}

/// Takes the last characters off a string.
fn pop(text: &mut ImmutableString, length: i64) -> ImmutableString {
    if length <= 0 {
        return ImmutableString::new();
    }
    let at = byte_offset(text, -length);
    let end = text[at..].into();
    *text = text[..at].into();
    end
}

/// The character at which something is found, looked for from character `start`, or -1.
fn index_of(text: &str, start: i64, find: impl Fn(&str) -> Option<usize>) -> i64 {
    let start = byte_offset(text, start);
    if start == text.len() {
        return -1;
    }
    find(&text[start..])
        .and_then(|found| i64::try_from(text[..start + found].chars().count()).ok())
        .unwrap_or(-1)
}

/// Lengthens a string to a number of characters.
fn pad(text: &mut ImmutableString, length: i64, with: &str) -> Guarded {
    let length = usize::try_from(length).unwrap_or(0);
    let missing = length.saturating_sub(text.chars().count());
    let count = with.chars().count();
    // Nothing fills a string with nothing, however often it is repeated.
    if missing == 0 || count == 0 {
        return Ok(());
    }
    let (whole, rest) = (missing / count, missing % count);
    let rest = part(with, 0, i64::try_from(rest).unwrap_or(i64::MAX));
    let added = whole.saturating_mul(with.len()).saturating_add(rest.len());
    guard::string(text.len().saturating_add(added))?;
    let mut padding = with.repeat(whole);
    padding.push_str(rest);
    *text += padding;
    Ok(())
}

/// Replaces what is found, wherever it is.
fn replace(text: &mut ImmutableString, find: &str, new: &str) -> Result<(), Box<EvalAltResult>> {
    if text.is_empty() {
        return Ok(());
    }
    if new.len() > find.len() {
        let longer = text.matches(find).count().saturating_mul(new.len() - find.len());
        if longer == 0 {
            return Ok(());
        }
        guard::string(text.len().saturating_add(longer))?;
    }
    *text = text.replace(find, new).into();
    Ok(())
}
