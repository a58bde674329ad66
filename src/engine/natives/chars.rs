//! The characters of a string, one after another: `chars`, and a string in a `for` loop.
//!
//! Rhai lists all characters beforehand, in four times the memory of the string.

use std::{
    any::TypeId,
    ops::{Range, RangeInclusive},
};

use rhai::{FuncRegistration, ImmutableString, Module};

use super::{
    add,
    range::{byte_offset, of_exclusive},
};

/// Registers the functions, and how strings are gone through.
pub(super) fn register(module: &mut Module) {
    add(module, "chars", |text: ImmutableString| Chars::new(text, 0, i64::MAX));
    add(module, "chars", |text: ImmutableString, start: i64| Chars::new(text, start, i64::MAX));
    add(module, "chars", Chars::new);
    add(module, "chars", |text: ImmutableString, range: Range<i64>| {
        let (start, length) = of_exclusive(&range);
        Chars::new(text, start, length)
    });
    add(module, "chars", |text: ImmutableString, range: RangeInclusive<i64>| {
        let (start, last) = range.into_inner();
        let start = start.max(0);
        // Here, unlike elsewhere, a range that ends before it begins is empty.
        Chars::new(text, start, last.max(start - 1).min(i64::MAX - 1) - start + 1)
    });
    FuncRegistration::new_getter("chars")
        .set_into_module(module, |text: ImmutableString| Chars::new(text, 0, i64::MAX));
    module.set_iterator::<Chars>();
    module.set_iter(TypeId::of::<ImmutableString>(), |text| match text.into_immutable_string() {
        Ok(text) => Box::new(Chars::new(text, 0, i64::MAX).map(Into::into)),
        Err(_) => Box::new(std::iter::empty()),
    });
}

/// What is left of a string's characters.
#[derive(Clone, Debug)]
pub(super) struct Chars {
    text: ImmutableString,
    /// Where the next one begins.
    at: usize,
    left: u64,
}

impl Chars {
    fn new(text: ImmutableString, start: i64, length: i64) -> Self {
        let at = byte_offset(&text, start);
        Self { text, at, left: u64::try_from(length).unwrap_or(0) }
    }
}

impl Iterator for Chars {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        self.left = self.left.checked_sub(1)?;
        let next = self.text[self.at..].chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }
}
