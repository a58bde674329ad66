//! Offsets and lengths as scripts give them: negative ones count from the end, none goes beyond it.

use std::ops::{Range, RangeInclusive};

/// The offset within something of `length`; `length` itself is behind the last.
pub(super) fn offset(length: usize, start: i64) -> usize {
    match usize::try_from(start) {
        Ok(start) => start.min(length),
        Err(_) => length.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

/// Start and length of `a..b`, neither negative.
pub(super) fn of_exclusive(range: &Range<i64>) -> (i64, i64) {
    let start = range.start.max(0);
    (start, range.end.max(start) - start)
}

/// Start and length of `a..=b`, neither negative.
pub(super) fn of_inclusive(range: &RangeInclusive<i64>) -> (i64, i64) {
    let start = (*range.start()).max(0);
    (start, (*range.end()).max(start).min(i64::MAX - 1).saturating_sub(start) + 1)
}

/// The part of a string that begins at character `start` and has `length` characters.
pub(super) fn part(text: &str, start: i64, length: i64) -> &str {
    let Ok(length) = usize::try_from(length) else { return "" };
    let rest = &text[byte_offset(text, start)..];
    let end = rest.char_indices().nth(length).map_or(rest.len(), |(end, _)| end);
    &rest[..end]
}

/// Where character `start` begins; the end of the string if there is none.
pub(super) fn byte_offset(text: &str, start: i64) -> usize {
    if let Ok(start) = usize::try_from(start) {
        return text.char_indices().nth(start).map_or(text.len(), |(at, _)| at);
    }
    let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
    text.char_indices().rev().nth(back - 1).map_or(0, |(at, _)| at)
}
