//! Reads Rust as far as the rules need it: comments and literals blanked out,
//! words with their lines, and the paths written with them.

/// A word or a sign of a program, and the line it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// A path as used, `use` groups expanded: `use a::{b, c::d}` is `a::b` and `a::c::d`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    /// How many inline modules (`mod tests { .. }`) the path stands in.
    pub(crate) nested: usize,
}

/// Replaces comments and the insides of literals by spaces; lines stay where they are.
pub(crate) fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_or_comment_end(&chars, at);
        if end > at {
            out.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

/// Where the comment or literal that starts at `at` ends; `at` itself if none does.
fn literal_or_comment_end(chars: &[char], at: usize) -> usize {
    let rest = &chars[at..];
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match rest {
        ['/', '/', ..] => at + rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
        ['/', '*', ..] => at + block_comment_length(rest),
        ['"', ..] => at + string_length(rest),
        ['r' | 'b' | 'c', ..] if !in_word => at + raw_string_length(rest),
        ['\'', '\\', ..] => at + 3 + rest[3..].iter().position(|c| *c == '\'').map_or(0, |found| found + 1),
        ['\'', _, '\'', ..] => at + 3,
        _ => at,
    }
}

fn block_comment_length(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        match rest[at..] {
            ['/', '*', ..] => {
                depth += 1;
                at += 2;
            }
            ['*', '/', ..] => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn string_length(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The length of `r"..."`, `r#"..."#` and their byte and C kin; 0 if it is none.
fn raw_string_length(rest: &[char]) -> usize {
    let prefix = rest.iter().take_while(|c| matches!(c, 'r' | 'b' | 'c')).count();
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let open = prefix + hashes;
    if prefix > 2 || rest.get(open) != Some(&'"') {
        return 0;
    }
    if !rest[..prefix].contains(&'r') {
        return open + string_length(&rest[open..]);
    }
    let mut at = open + 1;
    while at < rest.len() {
        if rest[at] == '"' && rest[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

/// Splits blanked text into words, `::` and single signs.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    for (number, line) in blank(text).lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word =
                rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').map(char::len_utf8).sum();
            let length = match word {
                0 if rest.starts_with("::") => 2,
                0 => first.len_utf8(),
                _ => word,
            };
            out.push(Token { text: rest[..length].to_owned(), line: number + 1 });
            rest = rest[length..].trim_start();
        }
    }
    out
}

/// Every path of two or more segments in the program.
pub(crate) fn paths(text: &str) -> Vec<Use> {
    let tokens = tokens(text);
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|t: &Token| t.text == what);
    let mut out = Vec::new();
    let mut blocks: Vec<bool> = Vec::new(); // open braces; true: an inline module's
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => blocks.push(at >= 2 && is(at - 2, "mod")),
            "}" => {
                blocks.pop();
            }
            _ if is_word(&tokens[at].text) && is(at + 1, "::") => {
                let nested = blocks.iter().filter(|inline| **inline).count();
                let first = out.len();
                at = expand(&tokens, at, &[], &mut out);
                out[first..].iter_mut().for_each(|path| path.nested = nested);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// Reads one path, or one branch of a group, and gives back where it ended.
fn expand(tokens: &[Token], start: usize, before: &[String], out: &mut Vec<Use>) -> usize {
    let mut segments = before.to_vec();
    let mut at = start;
    let text = |at: usize| tokens.get(at).map_or("", |t| t.text.as_str());
    loop {
        if text(at) == "{" {
            at += 1;
            while at < tokens.len() && text(at) != "}" {
                let end = expand(tokens, at, &segments, out);
                at = if end == at { at + 1 } else { end };
            }
            return at + 1;
        }
        if !is_word(text(at)) && text(at) != "*" {
            break;
        }
        segments.push(text(at).to_owned());
        at += 1;
        // `Vec::<crate::x>` is read again from the `<` on.
        if text(at) != "::" || text(at + 1) == "<" {
            break;
        }
        at += 1;
    }
    if at > start {
        out.push(Use { segments, line: tokens[start].line, nested: 0 });
    }
    at
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[test]
fn comments_and_literals_are_blanked_and_lines_kept() {
    let text = "a // crate::x\n/* b /* c */ d */ e \"f\\\"g\" 'h' '\\'' r#\"i\"j\"# k<'l> b\"m\" brr\"n\"";
    let left: Vec<_> = tokens(text).into_iter().map(|t| (t.text, t.line)).collect();
    let left: Vec<_> = left.iter().map(|(text, line)| (text.as_str(), *line)).collect();
    assert_eq!(left, [("a", 1), ("e", 2), ("k", 2), ("<", 2), ("'", 2), ("l", 2), (">", 2), ("brr", 2)]);
}

#[test]
fn use_groups_are_expanded() {
    let found =
        paths("use a::{self, b as c, d::{e, f::*}};\nmod tests {\n fn g(_: h::i) -> Vec::<j::k> {}\n}");
    let found: Vec<_> = found.iter().map(|u| (u.segments.join("::"), u.line, u.nested)).collect();
    let found: Vec<_> = found.iter().map(|(path, line, nested)| (path.as_str(), *line, *nested)).collect();
    let expected = [
        ("a::self", 1, 0),
        ("a::b", 1, 0),
        ("a::as", 1, 0),
        ("a::c", 1, 0),
        ("a::d::e", 1, 0),
        ("a::d::f::*", 1, 0),
        ("h::i", 3, 1),
        ("Vec", 3, 1),
        ("j::k", 3, 1),
    ];
    assert_eq!(found, expected);
}
