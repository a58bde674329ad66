//! Scripts that parse: made by the language's own rules, with values from the edges.

use std::fmt::Write;

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

const VARIABLES: &[&str] = &["a", "b", "c", "d", "s", "m"];

const SMALL: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "63",
    "64",
    "-64",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "255",
    "1000000",
    "1.0",
    "-0.0",
    "0.5",
    "1e308",
    "(0.0/0.0)",
    "(1.0/0.0)",
    "()",
    "true",
    "false",
    "'x'",
    "'\\u{1f600}'",
    "\"\"",
    "\"text\"",
    "\"é\\x00\\n\"",
    "\"2026-11-21T12:00:00Z\"",
    "\"[a-z]+\"",
    "\"(a|b)*c\"",
    "\"%Y-%m-%d\"",
    "\"{}\"",
    "\"Europe/Berlin\"",
    "\"application/json\"",
    "\"a=1&b=2\"",
    "\"http://h/p?q#f\"",
    "timestamp()",
    "0..3",
    "0..=2",
    "ctx",
    "ctx.request",
    "ctx.request.body",
    "ctx.app",
    "blob(5, 7)",
];

/// Natives and operators written as functions, of Rhai and of ours.
const FUNCTIONS: &[&str] = &[
    "abs",
    "sign",
    "is_zero",
    "is_odd",
    "to_float",
    "to_int",
    "floor",
    "round",
    "sqrt",
    "exp",
    "ln",
    "log",
    "sin",
    "hypot",
    "parse_int",
    "parse_float",
    "to_hex",
    "to_binary",
    "to_octal",
    "min",
    "max",
    "is_nan",
    "is_infinite",
    "len",
    "is_empty",
    "clear",
    "push",
    "pop",
    "shift",
    "insert",
    "remove",
    "append",
    "concat",
    "chop",
    "truncate",
    "pad",
    "reverse",
    "sort",
    "sort_desc",
    "order",
    "order_desc",
    "dedup",
    "drain",
    "retain",
    "splice",
    "extract",
    "split",
    "split_rev",
    "get",
    "set",
    "contains",
    "index_of",
    "starts_with",
    "ends_with",
    "find",
    "find_map",
    "filter",
    "map",
    "for_each",
    "reduce",
    "reduce_rev",
    "all",
    "some",
    "none",
    "zip",
    "first",
    "last",
    "keys",
    "values",
    "mixin",
    "fill_with",
    "to_json",
    "parse_json",
    "to_string",
    "to_debug",
    "to_chars",
    "chars",
    "bytes",
    "to_blob",
    "to_array",
    "as_string",
    "to_upper",
    "to_lower",
    "make_upper",
    "make_lower",
    "trim",
    "crop",
    "sub_string",
    "replace",
    "char_at",
    "write_le",
    "write_be",
    "write_ascii",
    "write_utf8",
    "parse_le_int",
    "parse_be_int",
    "parse_le_float",
    "parse_be_float",
    "get_bit",
    "set_bit",
    "get_bits",
    "set_bits",
    "bits",
    "range",
    "start",
    "end",
    "is_inclusive",
    "elapsed",
    "name",
    "is_anonymous",
    "curry",
    "call",
    "take",
    "tag",
    "set_tag",
    "type_of",
    "is_shared",
    "is_def_var",
    "is_def_fn",
    "print",
    "debug",
    "blob",
    "sleep",
    "body_bytes",
    "exit",
    "log::info",
    "log::warn",
    "regex::is_match",
    "regex::find",
    "regex::find_all",
    "regex::replace",
    "regex::replace_all",
    "regex::split",
    "regex::captures",
    "random::int",
    "random::float",
    "random::bytes",
    "random::string",
    "random::uuid",
    "time::now",
    "time::now_ms",
    "time::parse",
    "time::format",
    "time::add_seconds",
    "time::diff_seconds",
    "json::parse",
    "json::stringify",
    "json::stringify_pretty",
    "base64::encode",
    "base64::decode",
    "base64::encode_url",
    "base64::decode_url",
    "hex::encode",
    "hex::decode",
    "url::encode",
    "url::decode",
    "url::encode_query",
    "url::parse",
    "crypto::sha256",
    "crypto::hmac_sha256",
    "crypto::constant_time_eq",
];

const OPERATORS: &[&str] = &[
    "+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "&&", "||", "==", "!=", "<", "<=", ">", ">=",
    "in", "!in", "??", "..", "..=",
];

const ASSIGNMENTS: &[&str] = &["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", "|="];

/// A script.
pub(crate) fn script(random: &mut StdRng) -> String {
    let mut writer = Writer { random, text: String::new() };
    writer.text.push_str("fn f(a, b) { let c = [a, b]; let d = #{}; let s = \"s\"; let m = #{};\n");
    writer.statements(2);
    writer.text.push_str("}\nlet a = [1, 2, 3]; let b = #{ x: 1 }; let c = 5; let d = blob(8, 1); let s = \"some text\"; let m = #{};\n");
    writer.statements(3);
    writer.expression(3);
    writer.text
}

struct Writer<'a> {
    random: &'a mut StdRng,
    text: String,
}

impl Writer<'_> {
    fn pick(&mut self, from: &[&'static str]) -> &'static str {
        from.choose(self.random).copied().unwrap_or_default()
    }

    fn word(&mut self, from: &[&'static str]) {
        let word = self.pick(from);
        self.text.push_str(word);
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..self.random.random_range(1..8) {
            // Most expressions make no sense; the script goes on after them.
            self.text.push_str("try { ");
            self.statement(depth);
            self.text.push_str(" } catch { }\n");
        }
    }

    fn statement(&mut self, depth: u32) {
        match self.random.random_range(0..if depth == 0 { 3 } else { 10 }) {
            0..=2 => {
                self.word(VARIABLES);
                match self.random.random_range(0..4) {
                    0 => self.bracketed("[", depth, "]"),
                    1 => self.text.push_str(".x"),
                    _ => {}
                }
                self.text.push(' ');
                self.word(ASSIGNMENTS);
                self.text.push(' ');
                self.expression(depth + 1);
                self.text.push(';');
            }
            3 => {
                self.text.push_str("for i in ");
                self.expression(depth);
                self.block(depth);
            }
            4 => {
                self.bracketed("if ", depth, "");
                self.block(depth);
                self.text.push_str(" else ");
                self.block(depth);
            }
            5 => {
                self.text.push_str("let n = 0; while n < 50 { n += 1; ");
                self.statement(depth - 1);
                self.text.push_str(" }");
            }
            6 => self.bracketed("throw ", depth, ";"),
            7 => {
                self.bracketed("switch ", depth, " { 1 => 2, \"x\" if c == 5 => 3, 0..7 => { 4 }, _ => ");
                self.expression(depth - 1);
                self.text.push_str(" }");
            }
            8 => self.text.push_str("{ let x = #{ a: a }; let g = || x; x.g = g; m.x = x; }"),
            _ => {
                self.expression(depth + 1);
                self.text.push(';');
            }
        }
    }

    fn block(&mut self, depth: u32) {
        self.text.push_str(" { ");
        for _ in 0..self.random.random_range(0..3) {
            self.statement(depth - 1);
        }
        self.text.push_str(" }");
    }

    fn bracketed(&mut self, open: &str, depth: u32, close: &str) {
        self.text.push_str(open);
        self.expression(depth.saturating_sub(1));
        self.text.push_str(close);
    }

    fn expression(&mut self, depth: u32) {
        let kinds = if depth == 0 { 3 } else { 14 };
        match self.random.random_range(0..kinds) {
            0 => self.word(VARIABLES),
            1 | 2 => self.word(SMALL),
            3 => self.list("[", depth, "]"),
            4 => {
                self.bracketed("#{ x: ", depth, ", y: ");
                self.bracketed("", depth, " }");
            }
            5 => {
                self.bracketed("(", depth, " ");
                self.word(OPERATORS);
                self.bracketed(" ", depth, ")");
            }
            6..=8 => {
                self.word(FUNCTIONS);
                self.list("(", depth, ")");
            }
            9 | 10 => self.method(depth),
            11 => self.bracketed("`text ${", depth, "} and more`"),
            12 => {
                self.text.push_str(if self.random.random() { "|x, y| " } else { "|x| " });
                self.bracketed("{ ", depth, " }");
            }
            _ => match self.random.random_range(0..4) {
                0 => {
                    let name = self.pick(FUNCTIONS);
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "Fn(\"{name}\")");
                }
                1 => self.list("f(", depth, ")"),
                2 => {
                    self.word(VARIABLES);
                    self.bracketed("[", depth, "]");
                }
                _ => self.bracketed("{ let x = ", depth, "; let g = |y| x; x += 1; g }"),
            },
        }
    }

    fn method(&mut self, depth: u32) {
        self.word(VARIABLES);
        let name = loop {
            let name = self.pick(FUNCTIONS);
            if !name.contains(':') {
                break name;
            }
        };
        let _ = write!(self.text, ".{name}");
        self.list("(", depth, ")");
    }

    fn list(&mut self, open: &str, depth: u32, close: &str) {
        self.text.push_str(open);
        for index in 0..self.random.random_range(0..4) {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.expression(depth - 1);
        }
        self.text.push_str(close);
    }
}
