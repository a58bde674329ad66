//! `regex`.

use super::*;

#[test]
fn matches_are_found() {
    all_give(&[
        (r#"regex::is_match("^a+$", "aaa")"#, "true"),
        (r#"regex::is_match("a", "")"#, "false"),
        (r#"regex::is_match("", "")"#, "true"),
        (r#"regex::find("[0-9]+", "a 12 b 3")"#, r#""12""#),
        (r#"regex::find("x", "abc")"#, "()"),
        (r#"regex::find("", "abc")"#, r#""""#),
        (r#"regex::find_all("[0-9]+", "a 12 b 3")"#, r#"["12","3"]"#),
        (r#"regex::find_all("x", "abc")"#, "[]"),
        (r#"regex::find_all("a*", "baac")"#, r#"["","aa",""]"#),
        (r#"regex::find_all("", "aé")"#, r#"["","",""]"#),
        (r#"regex::find_all("(?i)ÄPFEL", "Äpfel äpfel")"#, r#"["Äpfel","äpfel"]"#),
        (r#"regex::find_all("\\w+", "für dich 7")"#, r#"["für","dich","7"]"#),
        (r#"regex::find_all("\\bé", "é xé é")"#, r#"["é","é"]"#),
        (r#"regex::find("\x00", "a\x00b") == "\x00""#, "true"),
        ("regex::is_match('a', 'a')", "true"),
        ("let p = \"a\"; let t = \"cab\"; let f = || [p, t]; regex::find(p, t)", r#""a""#),
    ]);
}

#[test]
fn texts_are_split_and_groups_captured() {
    all_give(&[
        (r#"regex::split(",\\s*", "a, b,c")"#, r#"["a","b","c"]"#),
        (r#"regex::split(",", "")"#, r#"[""]"#),
        (r#"regex::split(",", ",a,")"#, r#"["","a",""]"#),
        (r#"regex::split("", "ab")"#, r#"["","a","b",""]"#),
        (r#"regex::captures("(\\d+)-(\\d+)?(x)?", "on 12-34")"#, r#"["12-34","12","34",null]"#),
        (r#"regex::captures("(a)", "b")"#, "()"),
        (r#"regex::captures("a", "a")"#, r#"["a"]"#),
        (r#"regex::captures("(?<year>\\d{4})", "in 2026")[1]"#, r#""2026""#),
        (r#"regex::captures("(?:(a)|b)*", "ab")"#, r#"["ab","a"]"#),
        (r#"regex::captures("(a|ab)(c|bcd)?$", "abcd")"#, r#"["abcd","a","bcd"]"#),
    ]);
}

#[test]
fn matches_are_replaced() {
    all_give(&[
        (r#"regex::replace("a", "banana", "o")"#, r#""bonana""#),
        (r#"regex::replace_all("a", "banana", "o")"#, r#""bonono""#),
        (r#"regex::replace_all("x", "banana", "o")"#, r#""banana""#),
        (r#"regex::replace_all("", "ab", "-")"#, r#""-a-b-""#),
        (r#"regex::replace_all("(\\w+) (\\w+)", "Ada Lovelace", "$2, $1")"#, r#""Lovelace, Ada""#),
        (r#"regex::replace_all("(?<n>\\d)", "1 2", "<${n}0>$$")"#, r#""<10>$ <20>$""#),
        (r#"regex::replace("(a)|(b)", "b", "[$1$2]")"#, r#""[b]""#),
        (r#"regex::replace("a", "a", "$0$0 $ €$")"#, r#""aa $ €$""#),
    ]);
    all_throw(&[
        (r#"regex::replace("(a)", "a", "$1x")"#, "invalid_replacement", "no group `1x`"),
        (r#"regex::replace("a", "a", "$5.00")"#, "invalid_replacement", "`$` itself is `$$`"),
        (r#"regex::replace("a", "a", "${0")"#, "invalid_replacement", "has no `}`"),
        (r#"regex::replace("a", "a", "${}")"#, "invalid_replacement", "no group"),
        (r#"regex::replace("a", "a", "$99999999999999999999")"#, "invalid_replacement", "no group"),
        (r#"regex::replace("a", "a", 1)"#, "invalid_argument", "the replacement must be a string"),
    ]);
}

#[test]
fn bad_patterns_are_thrown() {
    let long = "let p = \"\"; p.pad(2049, 'a'); regex::is_match(p, \"\")";
    let groups = "let p = \"\"; for i in 0..680 { p += \"(a)\" } regex::is_match(p, \"\")";
    all_throw(&[
        (r#"regex::is_match("(a", "")"#, "invalid_pattern", "`(a` is no pattern: unclosed group"),
        (r#"regex::find("a{2,1}", "")"#, "invalid_pattern", "is no pattern"),
        (r#"regex::find("(?=a)", "")"#, "invalid_pattern", "look-around"),
        (r#"regex::find("(a)\\1", "")"#, "invalid_pattern", "backreferences are not supported"),
        (r#"regex::find("(?-u)\\xff", "")"#, "invalid_pattern", "is no pattern"),
        (r#"regex::split("[", "")"#, "invalid_pattern", "is no pattern"),
        (r#"regex::captures("\\p{Klingon}", "")"#, "invalid_pattern", "Unicode"),
        (r#"regex::is_match("((a{100}){100}){100}", "")"#, "invalid_pattern", "takes more than 1024 KiB"),
        (r#"regex::is_match("\\w{1000}", "")"#, "invalid_pattern", "takes more than 1024 KiB"),
        (long, "invalid_pattern", "at most 2048 bytes"),
        (groups, "invalid_pattern", "too many groups"),
        ("regex::is_match(1, \"\")", "invalid_argument", "the pattern must be a string, not an integer"),
        ("regex::find_all(\"a\", ())", "invalid_argument", "the text must be a string, not ()"),
        ("regex::find_all(\"a\", blob(1))", "invalid_argument", "the text must be a string, not a blob"),
    ]);
}

#[test]
fn deep_and_wide_patterns_are_refused_or_run() {
    for pattern in [
        format!("{}a{}", "(".repeat(1000), ")".repeat(1000)),
        format!("{}a{}", "(?:".repeat(400), ")*".repeat(400)),
        format!("[{}]", "\\w\\d\\s".repeat(300)),
        format!("(?i)[{}]", "\\pL\\PL".repeat(300)),
        "a|".repeat(1000),
        "[[[[[[[[".repeat(250),
        ["a?".repeat(600), "a".repeat(600)].concat(),
        "(?:a{0,9}){0,9}".repeat(130),
    ] {
        let quoted = pattern.replace('\\', "\\\\");
        let source = format!(
            "try {{ regex::is_match(\"{quoted}\", \"aaaa\"); }} catch (e) {{ if e.kind != \"invalid_pattern\" {{ throw e }} }} 1"
        );
        let outcome = run_on(&ENGINE, &source, |_| ());
        assert!(outcome.duration < Duration::from_secs(10), "{pattern}: {:?}", outcome.duration);
        assert_eq!(body_of(outcome), "1", "{pattern}");
    }
}

#[test]
fn what_a_replacement_makes_too_long_ends_the_run() {
    all_end_by_size(&[
        "let t = \"\"; t.pad(1_000_000, 'a'); regex::replace_all(\"a\", t, \"bb\")",
        "let t = \"\"; t.pad(100_000, 'a'); let r = \"\"; for i in 0..1000 { r += \"$0\" } regex::replace(\"a+\", t, r)",
    ]);
}

#[test]
fn what_takes_too_long_is_stopped_at_the_deadline() {
    let letters = "let t = \"\"; for i in 0..16 { t += hex::encode(random::bytes(65_536)) } ";
    let text = |bytes: usize, of: char| format!("let t = \"{of}\"; while t.len() < {bytes} {{ t += t }}");
    for call in [
        // Each match looks at all that is left of the text.
        text(1_000_000, 'A') + r#"regex::find_all(".*[^A-Z]|[A-Z]", t)"#,
        text(1_000_000, 'A') + r#"regex::replace_all(".*[^A-Z]|[A-Z]", t, "")"#,
        text(1_000_000, 'A') + r#"regex::split(".*[^A-Z]|[A-Z]", t)"#,
        // One match whose automaton is in another state at each letter.
        letters.to_owned() + r#"regex::find("[0-9a-f]*a[0-9a-f]{1500}z", t)"#,
        letters.to_owned() + r#"regex::is_match("\\bé|[0-9a-f]*a[0-9a-f]{1500}z", t + "é")"#,
        letters.to_owned() + r#"regex::captures("(?:(a)|[0-9a-f])*a[0-9a-f]{1500}$", t)"#,
        r#"let i = 0; loop { i += 1; regex::is_match(`\\w{20}${i}`, ""); }"#.to_owned(),
    ] {
        let outcome = run_on(&ENGINE, &call, |job| job.limits.wall_clock = Duration::from_millis(300));
        let took = outcome.duration;
        assert_eq!(failure_of(outcome).kind, FailureKind::Timeout, "{call}");
        // Without these bounds it is up to a minute.
        assert!(took < Duration::from_secs(5), "{call}: {took:?}");
    }
}
