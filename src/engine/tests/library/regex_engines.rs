//! Whatever engine searches a long text, it finds what the ordinary one finds.

use super::*;

/// Scripts that search `t`: first a short one, then one so long that the cautious engines take over.
fn agree(pattern: &str, unit: &str) {
    let quoted = pattern.replace('\\', "\\\\").replace('"', "\\\"");
    let call = format!(
        "let all = regex::find_all(\"{quoted}\", t); let groups = regex::captures(\"{quoted}\", t); \
         [all.len(), if all.len() > 3 {{ all.extract(0, 3) }} else {{ all }}, groups]"
    );
    let short = given(&format!("let t = \"{unit}\"; {call}"));
    // The same, and then so much of what nothing matches that the search is not light.
    let long = given(&format!("let t = \"{unit}\"; t.pad(3_000_000, '\u{1}'); {call}"));
    assert_eq!(long, short, "{pattern}");
}

#[test]
fn a_long_text_gives_what_its_beginning_gives() {
    for (pattern, unit) in [
        ("a+", "b aa c"),
        ("(a|ab)(c|bcd)(d*)", "abcd abcd"),
        ("(?:(x)|(y)|z)+?y", "xzy zzy"),
        (r"\bfür\b", "für dafür für"),
        (r"(\w+)@(\w+)", "an ada@pi und bob@pi"),
        (r"^(\w+)", "wort zwei"),
        ("(a*)(b*)c", "aabbc"),
        ("[ab]*a[ab]{3}c", "abababac aabbac"),
        ("(é|e)+", "éeé e"),
        ("(a{0,3}){0,3}b", "aaaaaab"),
    ] {
        agree(pattern, unit);
    }
}
