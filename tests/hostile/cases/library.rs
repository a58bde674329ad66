//! Scripts that want memory or time of the standard library.

use super::{ANY, Case, MEMORY, MEMORY_OR_SIZE, OK, SIZE, STOPPED, THROWN, TIMEOUT};

/// Makes `s`, 1 MiB of the letter a.
macro_rules! with_letters {
    ($text:literal) => {
        concat!("let s = \"aaaaaaaaaaaaaaaa\"; while s.len < 1048576 { s += s; } ", $text)
    };
}

/// Makes `s`, 1 MiB of hexadecimal digits nobody can foresee.
macro_rules! with_digits {
    ($text:literal) => {
        concat!("let s = \"\"; while s.len < 1048576 { s += hex::encode(random::bytes(65536)); } ", $text)
    };
}

pub(super) const CASES: &[Case] = &[
    // Values of JSON are many times its text.
    Case::new(
        "json_of_many_maps",
        MEMORY,
        "let s = \"{\\\"a\\\":1},\"; while s.len < 900000 { s += s; } json::parse(\"[\" + s + \"1]\")",
    ),
    Case::new(
        "json_of_many_arrays",
        MEMORY,
        "let s = \"[[]],\"; while s.len < 900000 { s += s; } json::parse(\"[\" + s + \"1]\")",
    ),
    Case::new(
        "json_again_and_again",
        TIMEOUT,
        "let s = \"0,\"; while s.len < 200000 { s += s; } s = \"[\" + s + \"1]\"; loop { json::parse(s); }",
    ),
    Case::new(
        "json_of_shared_strings",
        SIZE,
        with_letters!("let f = || s; let a = []; a.pad(1000, s); json::stringify(a)"),
    ),
    Case::new(
        "pretty_json_of_a_deep_array",
        SIZE,
        "let a = []; a.pad(20000, 1); for i in 0..60 { a = [a]; } json::stringify_pretty(a)",
    ),
    Case::new(
        "json_of_a_cycle",
        MEMORY_OR_SIZE,
        "let m = #{}; let f = || m; m.f = f; m.m = #{ m: m }; for i in 0..70 { m = #{ m: m }; } json::stringify(m)",
    ),
    // Texts made of texts.
    Case::new("matches_by_the_million", MEMORY, with_letters!("regex::find_all(\"\", s)")),
    Case::new("parts_by_the_million", MEMORY, with_letters!("regex::split(\"a\", s)")),
    Case::new("replacements_that_grow", SIZE, with_letters!("regex::replace_all(\"a\", s, \"aa\")")),
    Case::new(
        "replacements_that_repeat_the_match",
        SIZE,
        with_letters!("let r = \"$0\"; while r.len < 100000 { r += r; } regex::replace(\"a+\", s, r)"),
    ),
    Case::new("urls_encoded", SIZE, "let s = \" \"; while s.len < 1000000 { s += s; } url::encode(s)"),
    Case::new(
        "queries_of_many_fields",
        SIZE,
        with_letters!("let m = #{}; for i in 0..100 { m[`k${i}`] = s; } url::encode_query(m)"),
    ),
    Case::new(
        "urls_of_many_parameters",
        ANY,
        "let s = \"http://h/?\"; while s.len < 60000 { s += \"a&\"; } loop { url::parse(s); }",
    ),
    Case::new("blobs_as_hex", SIZE, "hex::encode(blob(8388608))"),
    Case::new("blobs_as_base64", SIZE, "base64::encode(blob(8388608))"),
    Case::new("random_bytes_pile_up", STOPPED, "let a = []; loop { a.push(random::bytes(65536)); }"),
    Case::new("random_bytes_by_the_gibibyte", THROWN, "random::bytes(1073741824)"),
    // Searches.
    Case::new(
        "matches_that_look_at_all_that_is_left",
        TIMEOUT,
        "let s = \"A\"; while s.len < 1000000 { s += s; } regex::find_all(\".*[^A-Z]|[A-Z]\", s).len",
    ),
    Case::new(
        "an_automaton_of_many_states",
        TIMEOUT,
        with_digits!("loop { regex::find(\"[0-9a-f]*a[0-9a-f]{1500}z\", s); }"),
    ),
    Case::new(
        "an_automaton_with_groups",
        TIMEOUT,
        with_digits!("loop { regex::captures(\"(?:(a)|[0-9a-f])*a[0-9a-f]{1500}$\", s); }"),
    ),
    Case::new(
        "counted_letters_of_all_languages",
        TIMEOUT,
        with_digits!("loop { regex::find(\"(?:\\\\w{10}z|\\\\b\\\\w{8}é)\", s); }"),
    ),
    Case::new(
        "patterns_without_end",
        TIMEOUT,
        "let i = 0; loop { i += 1; regex::is_match(`(?i)\\w{15}[\\pL\\PL]${i}`, \"\"); }",
    ),
    Case::new("a_pattern_that_counts_counts", THROWN, "regex::is_match(\"((a{100}){100}){100}\", \"\")"),
    Case::new(
        "a_pattern_of_many_groups",
        THROWN,
        "let p = \"\"; for i in 0..680 { p += \"(a)\"; } regex::is_match(p, \"\")",
    ),
    Case::new(
        "a_pattern_of_large_classes",
        ANY,
        "let p = \"\"; while p.len < 2000 { p += `\\pL\\PL`; } regex::is_match(`(?i)[${p}]`, \"a\")",
    ),
    // Long or odd arguments.
    Case::new("a_hash_of_all_there_is", TIMEOUT, "let b = blob(8388608); loop { crypto::sha256(b); }"),
    Case::new("a_time_of_a_mebibyte", THROWN, with_letters!("time::parse(s)")),
    Case::new("a_time_pattern_of_a_mebibyte", THROWN, with_letters!("time::format(0, s)")),
    Case::new(
        "a_time_pattern_that_pads",
        OK,
        "let p = \"\"; while p.len < 990 { p += \"%255Y\"; } time::format(0, p); 1",
    ),
    Case::new("a_zone_of_a_mebibyte", THROWN, with_letters!("time::format(0, \"%H\", s)")),
    Case::new("a_host_of_a_mebibyte", THROWN, with_letters!("url::parse(\"http://\" + s)")),
    Case::new(
        "a_host_of_odd_letters",
        ANY,
        "let s = \"http://\"; while s.len < 30000 { s += \"ü.xn--a\u{301}\"; } loop { try { url::parse(s); } catch { } }",
    ),
];
