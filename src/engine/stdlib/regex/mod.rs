//! `regex`: regular expressions, in time linear in the text for each match.
//!
//! A pattern and a text come from anybody. What a pattern may need is bounded
//! when it is compiled (`pattern`); a search that could take long is done by
//! an engine that can be interrupted (`search`, `vm`); what is made of the
//! matches asks for its room as it grows.

mod pattern;
mod replacement;
mod search;
#[cfg(test)]
mod tests;
mod vm;

use rhai::{Array, Dynamic, ImmutableString, Module};

use self::{pattern::compiled, replacement::Replacement, search::Search};
use super::native::{Answer, Fault, Functions, text};
use crate::engine::{
    guard,
    pace::Pace,
    reference::{Function, function},
    sdk::SdkModule,
};

/// The module.
pub(in crate::engine) const MODULE: SdkModule =
    SdkModule { name: "regex", about: ABOUT, functions: FUNCTIONS, build };

const ABOUT: &str = "Regular expressions, in the syntax of [the regex crate](https://docs.rs/regex/latest/regex/#syntax): Unicode, `(?i)` for any case, no look-around and no backreferences, so that no pattern takes for ever. A backslash is written twice in double quotes; in backticks once. A pattern has at most 2 048 bytes.";

const FUNCTIONS: &[Function] = &[
    function(&["is_match(pattern, text) -> bool"], "Whether the pattern is found anywhere.", r#"regex::is_match("^[a-z]+@[a-z.]+$", "ada@pi.local")"#, "true").throws(&["invalid_pattern"]),
    function(&["find(pattern, text) -> string"], "The first match, or `()`.", r#"regex::find("[0-9]+", "order 17 of 20")"#, r#""17""#).throws(&["invalid_pattern"]),
    function(&["find_all(pattern, text) -> array"], "All matches.", r#"regex::find_all("[0-9]+", "order 17 of 20")"#, r#"["17","20"]"#).throws(&["invalid_pattern"]),
    function(&["replace(pattern, text, with) -> string"], "The text with the first match replaced. In `with`, `$1`, `${1}`, `$name` and `${name}` stand for groups, `$0` for the match, `$$` for `$`.", r#"regex::replace("(\\w+) (\\w+)", "Ada Lovelace", "$2, $1")"#, r#""Lovelace, Ada""#).throws(&["invalid_pattern", "invalid_replacement"]),
    function(&["replace_all(pattern, text, with) -> string"], "The text with all matches replaced.", r#"regex::replace_all("[aeiou]", "banana", "<$0>")"#, r#""b<a>n<a>n<a>""#).throws(&["invalid_pattern", "invalid_replacement"]),
    function(&["split(pattern, text) -> array"], "The parts between the matches.", r#"regex::split(",\\s*", "a, b,c")"#, r#"["a","b","c"]"#).throws(&["invalid_pattern"]),
    function(&["captures(pattern, text) -> array"], "The groups of the first match, the whole match first, or `()`. A group that took no part is `()`.", r#"regex::captures("(\\d+)(px|em)?", "width 12px")"#, r#"["12px","12","px"]"#).throws(&["invalid_pattern"]),
];

/// About what a text in an array takes beside its bytes.
const TEXT_BYTES: usize = 64;

fn build() -> Module {
    Functions::new()
        .two("is_match", is_match)
        .two("find", find)
        .two("find_all", find_all)
        .three("replace", |pattern, text, with| replace(pattern, text, with, 1))
        .three("replace_all", |pattern, text, with| replace(pattern, text, with, usize::MAX))
        .two("split", split)
        .two("captures", captures)
        .module()
}

/// Calls `act` with a search for the pattern and the text it goes through.
fn with_search(
    pattern: &Dynamic,
    searched: &Dynamic,
    act: impl FnOnce(&mut Search<'_>, &ImmutableString) -> Answer,
) -> Answer {
    let (pattern, searched) = (text(pattern, "the pattern")?, text(searched, "the text")?);
    search::search(compiled(&pattern)?, &searched, |search| act(search, &searched))
}

fn is_match(pattern: &Dynamic, text: &Dynamic) -> Answer {
    with_search(pattern, text, |search, _| Ok(search.next()?.is_some().into()))
}

fn find(pattern: &Dynamic, text: &Dynamic) -> Answer {
    with_search(pattern, text, |search, text| {
        Ok(search.next()?.map_or(Dynamic::UNIT, |found| text[found.range()].into()))
    })
}

fn find_all(pattern: &Dynamic, text: &Dynamic) -> Answer {
    with_search(pattern, text, |search, text| {
        let mut texts = Texts::default();
        while let Some(found) = search.next()? {
            texts.push(&text[found.range()])?;
        }
        Ok(texts.into_array())
    })
}

fn split(pattern: &Dynamic, text: &Dynamic) -> Answer {
    with_search(pattern, text, |search, text| {
        let (mut texts, mut rest) = (Texts::default(), 0);
        while let Some(found) = search.next()? {
            texts.push(&text[rest..found.start])?;
            rest = found.end;
        }
        texts.push(&text[rest..])?;
        Ok(texts.into_array())
    })
}

fn captures(pattern: &Dynamic, text: &Dynamic) -> Answer {
    with_search(pattern, text, |search, text| {
        let Some(groups) = search.next_groups()? else { return Ok(Dynamic::UNIT) };
        let mut texts = Texts::default();
        for group in groups {
            match group {
                Some(group) => texts.push(&text[group.range()])?,
                None => texts.0.push(Dynamic::UNIT),
            }
        }
        Ok(texts.into_array())
    })
}

fn replace(pattern: &Dynamic, text: &Dynamic, with: &Dynamic, most: usize) -> Answer {
    let with = super::native::text(with, "the replacement")?;
    with_search(pattern, text, |search, text| {
        let replacement = Replacement::parse(&with, search.pattern())?;
        let (mut out, mut rest, mut done) = (String::new(), 0, 0);
        while done < most {
            let Some(groups) = search.next_groups()? else { break };
            let Some(whole) = groups.first().copied().flatten() else { break };
            push(&mut out, &text[rest..whole.start])?;
            for part in replacement.parts(text, &groups) {
                push(&mut out, part)?;
            }
            rest = whole.end;
            done += 1;
        }
        if done == 0 {
            return Ok(text.clone().into());
        }
        push(&mut out, &text[rest..])?;
        Ok(out.into())
    })
}

/// Appends to a text that a replacement may make far longer than what it was given.
fn push(out: &mut String, part: &str) -> Result<(), Fault> {
    guard::string(out.len().saturating_add(part.len()))?;
    out.push_str(part);
    Ok(())
}

/// Texts on their way into an array.
#[derive(Default)]
struct Texts(Array, Pace);

impl Texts {
    fn push(&mut self, text: &str) -> Result<(), Fault> {
        self.1.step(TEXT_BYTES + text.len())?;
        self.0.push(text.into());
        Ok(())
    }

    fn into_array(self) -> Dynamic {
        Dynamic::from_array(self.0)
    }
}
