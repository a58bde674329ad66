//! `time`.

use super::*;

#[test]
fn a_time_is_text_or_milliseconds() {
    all_give(&[
        (r#"time::parse("1970-01-01T00:00:00Z")"#, "0"),
        (r#"time::parse("2026-03-01T12:00:00.123456Z")"#, "1772366400123"),
        (r#"time::parse("2026-03-01T13:00:00+01:00") == time::parse("2026-03-01T12:00:00Z")"#, "true"),
        (r#"time::parse("1969-12-31T23:59:59.999Z")"#, "-1"),
        (r#"time::parse("0000-01-01T00:00:00Z")"#, "-62167219200000"),
        ("time::parse(1234)", "1234"),
        ("let n = time::now_ms(); time::parse(time::now()) - n < 60_000", "true"),
        (r#"regex::is_match("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$", time::now())"#, "true"),
        ("time::now_ms() > 1_700_000_000_000", "true"),
    ]);
}

#[test]
fn times_are_added_and_compared() {
    all_give(&[
        (r#"time::add_seconds("2026-02-28T23:59:59Z", 1)"#, r#""2026-03-01T00:00:00.000Z""#),
        ("time::add_seconds(0, -1)", r#""1969-12-31T23:59:59.000Z""#),
        ("time::add_seconds(0, 0.0015)", r#""1970-01-01T00:00:00.002Z""#),
        ("time::add_seconds(0, 1.25)", r#""1970-01-01T00:00:01.250Z""#),
        (r#"time::add_seconds("2026-03-01T01:00:00+01:00", 0)"#, r#""2026-03-01T00:00:00.000Z""#),
        (r#"time::diff_seconds("2026-03-01T00:00:00Z", "2026-03-01T00:01:30.500Z")"#, "90.5"),
        ("time::diff_seconds(1000, 0)", "-1.0"),
        ("time::diff_seconds(0, 60_000) == 60", "true"),
        (r#"time::add_seconds("0000-01-01T00:00:00Z", 0)"#, r#""0000-01-01T00:00:00.000Z""#),
        (r#"time::add_seconds("9999-12-30T22:00:00Z", 0)"#, r#""9999-12-30T22:00:00.000Z""#),
    ]);
}

#[test]
fn a_time_is_written_as_its_pattern_says_in_any_zone() {
    const T: &str = r#"const T = "2026-07-01T22:30:05.250Z"; "#;
    for (call, expected) in [
        (r#"time::format(T, "%Y-%m-%d %H:%M:%S")"#, "2026-07-01 22:30:05"),
        (r#"time::format(T, "%d.%m.%Y %H:%M", "Europe/Berlin")"#, "02.07.2026 00:30"),
        (r#"time::format(T, "%A %e %B, %Z %z", "America/New_York")"#, "Wednesday  1 July, EDT -0400"),
        (r#"time::format(T, "%Z", "UTC")"#, "UTC"),
        (r#"time::format(T, "%H", "europe/berlin")"#, "00"),
        (r#"time::format(T, "%s %.3f %%")"#, "1782945005 .250 %"),
        (r#"time::format(T, "")"#, ""),
        (r#"time::format(T, "für Ä\x00")"#, "für Ä\\u0000"),
        (r#"time::format(0, "%F %T", "Asia/Kathmandu")"#, "1970-01-01 05:30:00"),
        (r#"time::format("2026-03-29T00:59:59Z", "%H:%M:%S", "Europe/Berlin")"#, "01:59:59"),
        (r#"time::format("2026-03-29T01:00:00Z", "%H:%M:%S", "Europe/Berlin")"#, "03:00:00"),
        (r#"time::format(253402207200000, "%Y", "Pacific/Kiritimati")"#, "9999"),
        (r#"time::format(-62167219200000, "%Y", "UTC")"#, "0000"),
    ] {
        assert_eq!(given(&format!("{T}{call}")), format!("\"{expected}\""), "{call}");
    }
}

#[test]
fn every_letter_is_a_directive_or_an_error() {
    let all: String = (' '..='~').filter(|c| !"\"\\".contains(*c)).collect();
    for flags in ["", "-", "_", "0", "^", "#", ".", ".3", "255", ":", "::", ":::"] {
        let source = format!(
            "let ok = 0; for c in \"{all}\" {{ try {{ time::format(0, `%{flags}${{c}}`, \"Europe/Berlin\"); }} \
             catch (e) {{ if e.kind != \"invalid_pattern\" {{ throw e; }} }} ok += 1; }} ok"
        );
        assert_eq!(given(&source), all.chars().count().to_string(), "{flags}");
    }
}

#[test]
fn what_is_no_time_is_thrown() {
    let long = "let p = \"\"; p.pad(1001, 'a'); time::format(0, p)";
    let huge = "let p = \"\"; p.pad(900_000, '1'); time::parse(p)";
    all_throw(&[
        (r#"time::parse("2026-03-01")"#, "invalid_time", "`2026-03-01` is no RFC 3339 time"),
        (r#"time::parse("")"#, "invalid_time", "no RFC 3339 time"),
        (r#"time::parse("2026-03-01T12:00:00")"#, "invalid_time", "no RFC 3339 time"),
        (r#"time::parse("2026-02-30T12:00:00Z")"#, "invalid_time", "no RFC 3339 time"),
        (r#"time::parse("2026-03-01T24:00:00Z")"#, "invalid_time", "no RFC 3339 time"),
        (r#"time::parse("2026-03-01T12:00:00Z\x00")"#, "invalid_time", "\\0"),
        (huge, "invalid_time", "1.."),
        (r#"time::parse("9999-12-31T23:59:59Z")"#, "out_of_range", "a time lies between"),
        (r#"time::parse("0000-01-01T00:00:00+01:00")"#, "out_of_range", "a time lies between"),
        ("time::parse(9223372036854775807)", "out_of_range", "milliseconds since 1970"),
        (
            "time::parse(1.5)",
            "invalid_argument",
            "RFC 3339 text or an integer of milliseconds since 1970, not a float",
        ),
        ("time::add_seconds(0, 9223372036854775807)", "out_of_range", "a time lies between"),
        ("time::add_seconds(0, 1.0e300)", "out_of_range", "a time lies between"),
        ("time::add_seconds(0, -1.0 / 0.0)", "out_of_range", "a time lies between"),
        ("time::add_seconds(0, 0.0 / 0.0)", "invalid_argument", "not NaN"),
        ("time::add_seconds(0, \"1\")", "invalid_argument", "the seconds must be a number, not a string"),
        ("time::diff_seconds(0, ())", "invalid_argument", "not ()"),
        (r#"time::format(0, "%!")"#, "invalid_pattern", "`%!` is no pattern for a time"),
        (r#"time::format(0, "%")"#, "invalid_pattern", "no pattern for a time"),
        (long, "invalid_pattern", "at most 1000 bytes"),
        ("time::format(0, 1)", "invalid_argument", "the pattern must be a string"),
        (r#"time::format(0, "%H", "Mars/Olympus")"#, "invalid_zone", "`Mars/Olympus` is no time zone"),
        (r#"time::format(0, "%H", "../../etc/passwd")"#, "invalid_zone", "no time zone"),
        (r#"time::format(0, "%H", "/etc/localtime")"#, "invalid_zone", "no time zone"),
        (r#"time::format(0, "%H", "")"#, "invalid_zone", "no time zone"),
        (r#"time::format(0, "%H", ())"#, "invalid_argument", "the zone must be a string"),
    ]);
}
