//! What one file may hold.

use crate::code::{Token, blank, paths, tokens};

const MAX_LINES: usize = 400;

/// Finds a file that is too long for one subject.
fn too_long(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines <= MAX_LINES {
        return Vec::new();
    }
    vec![format!("{path}: {lines} lines, {MAX_LINES} are allowed: it has two subjects")]
}

/// Finds a file that does not begin by saying what it is.
fn headless(path: &str, text: &str) -> Vec<String> {
    if text.starts_with("//!") {
        return Vec::new();
    }
    vec![format!("{path}:1: a file begins with `//!` and says what it is")]
}

/// Finds SQL outside the rooms that own tables.
fn stray_sql(path: &str, text: &str) -> Vec<String> {
    let rooms = ["src/store/", "src/db/", "src/upkeep/"];
    let of_a_service = path.starts_with("src/services/") && path.ends_with("/store.rs");
    if of_a_service || rooms.iter().any(|room| path.starts_with(room)) {
        return Vec::new();
    }
    let speaks_sql = |name: &str| {
        name.starts_with("query") || matches!(name, "raw_sql" | "QueryBuilder" | "Executor" | "PgExecutor")
    };
    let found = paths(text)
        .into_iter()
        .filter(|u| u.segments[0] == "sqlx" && u.segments.iter().any(|s| speaks_sql(s)));
    found.map(|u| format!("{path}:{}: SQL belongs to store/ ({})", u.line, u.segments.join("::"))).collect()
}

/// Finds readers of the environment: `config/` alone resolves it, the command
/// line hands it over.
fn stray_environment(path: &str, text: &str) -> Vec<String> {
    if path.starts_with("src/config/") {
        return Vec::new();
    }
    let hands_over = path == "src/main.rs" || path.starts_with("src/cli/");
    let reads = |name: &str| match name {
        "vars" | "vars_os" | "args" | "args_os" => !hands_over,
        // The module itself, under which the readers would hide from this rule.
        "env" | "self" | "as" | "*" => true,
        _ => name.contains("var"),
    };
    let found = paths(text).into_iter().filter(|u| {
        let segments: Vec<&str> = u.segments.iter().map(String::as_str).collect();
        segments.starts_with(&["std", "env"]) && segments.last().is_some_and(|name| reads(name))
    });
    found.map(|u| format!("{path}:{}: {} belongs to config/", u.line, u.segments.join("::"))).collect()
}

/// Finds `.unwrap()`, tests included: `expect` says why it cannot fail.
fn unwraps(path: &str, text: &str) -> Vec<String> {
    let blanked = blank(text);
    let found = blanked.lines().enumerate().filter(|(_, line)| line.contains(".unwrap()"));
    found.map(|(n, _)| format!("{path}:{}: use `?`, or `expect` with the proof", n + 1)).collect()
}

/// Finds a lint that is switched off without saying why.
fn silenced_lints(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let is = |at: usize, what: &str| tokens.get(at).is_some_and(|t| t.text == what);
    let mut wrong = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let opens = matches!(token.text.as_str(), "allow" | "expect") && is(at + 1, "(");
        let attribute = at >= 2 && is(at - 1, "[") && (is(at - 2, "#") || is(at - 2, "!"));
        let mut inside = tokens[at..].iter().take_while(|t| t.text != "]");
        if opens && attribute && !inside.any(|t| t.text == "reason") {
            wrong.push(format!("{path}:{}: `{}` needs a `reason`", token.line, token.text));
        }
    }
    wrong
}

/// Finds `if let .. && ..`, which Rust 1.85 refuses and a newer one takes
/// without a word. Clippy knows our floor for the standard library alone.
fn let_chains(path: &str, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let starts = tokens.iter().enumerate().filter(|(_, token)| matches!(token.text.as_str(), "if" | "while"));
    let chained = starts.filter(|(at, _)| is_chained(&tokens[at + 1..]));
    chained
        .map(|(_, token)| format!("{path}:{}: a let-chain needs Rust 1.88, our floor is 1.85", token.line))
        .collect()
}

/// Whether the condition at the start of `tokens` joins a `let` with `&&`.
fn is_chained(tokens: &[Token]) -> bool {
    let (mut depth, mut pattern, mut binds, mut joins, mut before) = (0, false, false, false, "");
    for pair in tokens.windows(2) {
        let (text, next) = (pair[0].text.as_str(), pair[1].text.as_str());
        match text {
            "{" if depth == 0 && !pattern => return false,
            "=" if depth == 0 && next == ">" => return false,
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "let" if depth == 0 => (binds, pattern) = (true, true),
            "=" if depth == 0 => pattern = false,
            // `= &&b` takes a reference of a reference.
            "&" if depth == 0 && !pattern && next == "&" && before != "=" => joins = true,
            _ => {}
        }
        if binds && joins {
            return true;
        }
        before = text;
    }
    false
}

#[test]
fn no_file_has_more_than_400_lines() {
    crate::obeyed(&["src", "tests", "benches"], too_long);
    assert_eq!(too_long("src/a.rs", &"x\n".repeat(400)), Vec::<String>::new());
    assert_eq!(too_long("src/a.rs", &"x\n".repeat(401)).len(), 1);
}

#[test]
fn every_file_begins_by_saying_what_it_is() {
    crate::obeyed(&["src", "tests", "benches"], headless);
    assert_eq!(headless("src/a.rs", "//! A.\n"), Vec::<String>::new());
    assert_eq!(headless("src/a.rs", "use b::C;\n//! A.\n").len(), 1);
}

#[test]
fn sql_stays_where_the_tables_are() {
    crate::obeyed(&["src"], stray_sql);
    for allowed in ["src/store/app.rs", "src/db/mod.rs", "src/upkeep/mod.rs", "src/services/kv/store.rs"] {
        assert_eq!(stray_sql(allowed, "sqlx::query(\"select 1\")"), Vec::<String>::new());
    }
    let planted = [
        "sqlx::query(\"select 1\")",
        "sqlx::query_as::<_, App>(\"select 1\")",
        "use sqlx::{PgPool, query_scalar};",
        "use sqlx::QueryBuilder;",
    ];
    for text in planted {
        assert_eq!(stray_sql("src/api/apps.rs", text).len(), 1, "not found: {text}");
        assert_eq!(stray_sql("src/services/kv/api.rs", text).len(), 1, "not found: {text}");
    }
    assert_eq!(stray_sql("src/web/mod.rs", "use sqlx::PgPool; // not sqlx::query"), Vec::<String>::new());
}

#[test]
fn the_environment_is_read_in_config_alone() {
    crate::obeyed(&["src"], stray_environment);
    for text in
        ["std::env::var(\"A\")", "use std::env;", "use std::{env::{self, vars}, io};", "use std::env::*;"]
    {
        assert!(!stray_environment("src/system/log.rs", text).is_empty(), "not found: {text}");
        assert_eq!(stray_environment("src/config/mod.rs", text), Vec::<String>::new());
    }
    assert_eq!(stray_environment("src/cli/serve.rs", "std::env::vars()"), Vec::<String>::new());
    assert_eq!(stray_environment("src/api/apps.rs", "std::env::vars()").len(), 1);
    let no_variable =
        "std::env::current_exe(); std::env::set_current_dir(\"/\"); env!(\"CARGO_PKG_VERSION\")";
    assert_eq!(stray_environment("src/postgres/mod.rs", no_variable), Vec::<String>::new());
}

#[test]
fn nothing_is_unwrapped() {
    crate::obeyed(&["src"], unwraps);
    assert_eq!(unwraps("src/a.rs", "a\n  .unwrap();").len(), 1);
    assert_eq!(unwraps("src/a.rs", "a.unwrap_or(1); // .unwrap()"), Vec::<String>::new());
}

#[test]
fn a_silenced_lint_says_why() {
    crate::obeyed(&["src", "tests", "benches"], silenced_lints);
    assert_eq!(silenced_lints("src/a.rs", "#[allow(dead_code)]\nfn f() {}").len(), 1);
    assert_eq!(silenced_lints("src/a.rs", "#![expect(clippy::panic)]\nfn f() {}").len(), 1);
    assert_eq!(silenced_lints("src/a.rs", "#[allow(dead_code, reason = \"x\")]"), Vec::<String>::new());
    assert_eq!(silenced_lints("src/a.rs", "a.expect(\"x\"); allow(b);"), Vec::<String>::new());
}

#[test]
fn no_let_is_chained() {
    crate::obeyed(&["src", "tests", "benches"], let_chains);
    let planted = [
        "if let Some(a) = b && c {}",
        "if a && let Some(b) = c {}",
        "while let Some(A { b, .. }) = c.d(|e| f { e }) && g {}",
        "x => if let A { b } = c && d { e }",
    ];
    for text in planted {
        assert_eq!(let_chains("src/a.rs", text).len(), 1, "not found: {text}");
    }
    let fine = "if a && b { let c = d && e; } if let Some(a) = (b && c) { d && e } match a { b if c && d => { let e; } }\n\
                if let Some(a) = &&b {} if let [a, b] = c.d(|e| e && f) { g } else if h && i {}";
    assert_eq!(let_chains("src/a.rs", fine), Vec::<String>::new());
}
