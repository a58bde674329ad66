//! What a match is replaced with: text, and groups of the match by number or name.

use regex_automata::Span;

use super::pattern::Pattern;
use crate::engine::stdlib::native::{Fault, fault, shown};

/// A replacement: `$1`, `${1}`, `$name` and `${name}` stand for groups, `$$` for `$`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Replacement<'t>(Vec<Part<'t>>);

#[derive(Debug, PartialEq, Eq)]
enum Part<'t> {
    Text(&'t str),
    Group(usize),
}

impl<'t> Replacement<'t> {
    /// Reads a replacement for matches of `pattern`.
    pub(super) fn parse(source: &'t str, pattern: &Pattern) -> Result<Self, Fault> {
        let (mut parts, mut rest) = (Vec::new(), source);
        while let Some(at) = rest.find('$') {
            parts.push(Part::Text(&rest[..at]));
            let after = &rest[at + 1..];
            if let Some(after) = after.strip_prefix('$') {
                parts.push(Part::Text("$"));
                rest = after;
                continue;
            }
            let (name, after) = name(after)?;
            match name {
                Some(name) => parts.push(Part::Group(group(name, pattern)?)),
                None => parts.push(Part::Text("$")),
            }
            rest = after;
        }
        parts.push(Part::Text(rest));
        Ok(Self(parts))
    }

    /// The texts that a match with these groups is replaced with; a group that did not take part is empty.
    pub(super) fn parts<'m>(
        &'m self,
        text: &'m str,
        groups: &'m [Option<Span>],
    ) -> impl Iterator<Item = &'m str> {
        self.0.iter().map(move |part| match part {
            Part::Text(text) => text,
            Part::Group(number) => {
                groups.get(*number).copied().flatten().map_or("", |span| &text[span.range()])
            }
        })
    }
}

/// The name of a group at the start of what follows a `$`, and what follows it.
fn name(after: &str) -> Result<(Option<&str>, &str), Fault> {
    if let Some(braced) = after.strip_prefix('{') {
        let Some((name, after)) = braced.split_once('}') else {
            return Err(fault("invalid_replacement", "a `${` has no `}`; a `$` itself is `$$`"));
        };
        return Ok((Some(name), after));
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, after) = after.split_at(end);
    Ok(((!name.is_empty()).then_some(name), after))
}

fn group(name: &str, pattern: &Pattern) -> Result<usize, Fault> {
    let number = name.parse::<usize>().ok().filter(|number| *number < pattern.groups());
    number.or_else(|| pattern.group(name)).ok_or_else(|| {
        let message = format!(
            "the pattern has no group {}; `${{1}}a` is group 1 and then an `a`, and a `$` itself is `$$`",
            shown(name)
        );
        fault("invalid_replacement", message)
    })
}
