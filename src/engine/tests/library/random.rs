//! `random`.

use super::*;

#[test]
fn numbers_stay_within_their_bounds_and_reach_them() {
    all_give(&[
        ("random::int(5, 5)", "5"),
        (
            "let seen = #{}; for i in 0..500 { seen[random::int(-1, 1).to_string()] = () } seen.keys()",
            r#"["-1","0","1"]"#,
        ),
        (
            "let low = true; for i in 0..200 { let n = random::int(10, 20); low = low && n >= 10 && n <= 20 } low",
            "true",
        ),
        (
            "const LOW = -9223372036854775807 - 1; const HIGH = 9223372036854775807; \
             let negative = 0; for i in 0..200 { if random::int(LOW, HIGH) < 0 { negative += 1 } } \
             negative > 40 && negative < 160",
            "true",
        ),
        (
            "let ok = true; for i in 0..500 { let f = random::float(); ok = ok && f >= 0.0 && f < 1.0 } ok",
            "true",
        ),
        ("let sum = 0.0; for i in 0..2000 { sum += random::float() } sum > 800.0 && sum < 1200.0", "true"),
    ]);
}

#[test]
fn bytes_letters_and_ids_have_their_form() {
    all_give(&[
        ("random::bytes(0).len()", "0"),
        ("random::bytes(65536).len()", "65536"),
        ("random::bytes(16) == random::bytes(16)", "false"),
        ("random::string(0)", r#""""#),
        ("random::string(4096).len()", "4096"),
        (r#"regex::is_match("^[A-Za-z0-9]{4096}$", random::string(4096))"#, "true"),
        ("let seen = #{}; for c in random::string(4096) { seen[c.to_string()] = () } seen.len()", "62"),
        (
            r#"regex::is_match("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", random::uuid())"#,
            "true",
        ),
        ("random::uuid() == random::uuid()", "false"),
    ]);
}

#[test]
fn what_cannot_be_had_is_thrown() {
    all_throw(&[
        ("random::int(2, 1)", "out_of_range", "the lower bound 2 is above the upper bound 1"),
        ("random::int(1.0, 2)", "invalid_argument", "the lower bound must be an integer, not a float"),
        ("random::int(1, \"2\")", "invalid_argument", "the upper bound must be an integer, not a string"),
        ("random::bytes(65537)", "out_of_range", "from 0 to 65536, not 65537"),
        ("random::bytes(-1)", "out_of_range", "not -1"),
        ("random::bytes(9223372036854775807)", "out_of_range", "from 0 to 65536"),
        ("random::string(4097)", "out_of_range", "from 0 to 4096, not 4097"),
        ("random::string(-9223372036854775807 - 1)", "out_of_range", "from 0 to 4096"),
        ("random::string(())", "invalid_argument", "the length must be an integer, not ()"),
    ]);
}
