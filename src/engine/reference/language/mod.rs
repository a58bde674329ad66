//! Rhai's own functions that scripts have, by the type of value they are for.

mod arrays;
mod blobs;
mod maps;
mod numbers;
mod texts;
mod values;

use super::function::Function;

/// Functions for one type of value.
pub struct Group {
    /// What they are for.
    pub title: &'static str,
    /// What there is to know before.
    pub about: &'static str,
    /// The functions, in the order of use.
    pub functions: &'static [Function],
}

/// All of them.
pub const LANGUAGE: &[Group] = &[
    texts::STRINGS,
    texts::CHARACTERS,
    arrays::ARRAYS,
    maps::MAPS,
    numbers::NUMBERS,
    numbers::MATHEMATICS,
    numbers::BITS,
    blobs::BLOBS,
    values::FUNCTIONS,
    values::RANGES,
    values::ANY,
];
