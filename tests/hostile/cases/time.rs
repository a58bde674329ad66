//! Scripts that want time: each has to end at its limit, wherever it is.

use super::{ANY, Case, THROWN, TIMEOUT};

/// Makes `s` and `t`, equal strings of 1 MiB that are two.
macro_rules! with_strings {
    ($text:literal) => {
        concat!(
            "let s = \"0123456789abcdef\"; while s.len < 1048576 { s += s; } let t = s + \"\"; s += \"y\"; t += \"z\";\n",
            $text
        )
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("a_loop_without_end", TIMEOUT, "loop {}"),
    Case::new("a_while_without_end", TIMEOUT, "while true {}"),
    Case::new("a_do_without_end", TIMEOUT, "do {} while true;"),
    Case::new("a_range_without_end", TIMEOUT, "for i in 0..9223372036854775807 {}"),
    Case::new(
        "a_range_backwards",
        TIMEOUT,
        "for i in range(9223372036854775807, -9223372036854775807, -1) {}",
    ),
    Case::new("a_range_that_stands_still", ANY, "for i in range(0, 10, 0) {} 1"),
    Case::new("a_loop_in_a_closure", TIMEOUT, "[1].map(|x| { loop {} })"),
    Case::new("a_loop_in_a_comparison", TIMEOUT, "[2, 1].sort(|a, b| { loop {} })"),
    Case::new("loops_that_catch_all", TIMEOUT, "loop { try { loop { throw 1; } } catch { } }"),
    Case::new(
        "a_reduction_of_reductions",
        TIMEOUT,
        "let a = []; a.pad(100000, 1); loop { a.reduce(|sum, v| sum + v, 0); }",
    ),
    Case::new(
        "natives_called_by_natives",
        TIMEOUT,
        "let a = []; a.pad(100000, 1); let f = Fn(\"abs\"); loop { a.map(f); }",
    ),
    Case::new("large_arrays_are_cloned", TIMEOUT, "let a = []; a.pad(900000, 1); loop { let b = a; }"),
    Case::new(
        "large_arrays_are_shifted",
        TIMEOUT,
        "let a = []; a.pad(900000, 1); loop { a.insert(0, 1); a.remove(0); }",
    ),
    Case::new("large_arrays_are_reversed", TIMEOUT, "let a = []; a.pad(900000, 1); loop { a.reverse(); }"),
    Case::new(
        "large_arrays_are_drained_one_by_one",
        ANY,
        "let a = []; a.pad(900000, 1); a.drain(|x| true).len",
    ),
    Case::new(
        "large_arrays_are_drained_by_a_native",
        ANY,
        "let a = []; a.pad(900000, 1); a.drain(Fn(\"is_odd\")).len",
    ),
    Case::new("large_arrays_are_retained", ANY, "let a = []; a.pad(900000, 1); a.retain(|x| false).len"),
    Case::new("large_arrays_lose_equals", ANY, "let a = []; a.pad(900000, 1); a.dedup(); a.len"),
    Case::new(
        "large_arrays_lose_equals_by_a_closure",
        ANY,
        "let a = []; a.pad(900000, 1); a.dedup(|x, y| x == y); a.len",
    ),
    Case::new(
        "large_arrays_are_sorted",
        ANY,
        "let a = []; for i in 0..300000 { a.push(i * 7919 % 300007); } a.sort(); 1",
    ),
    Case::new(
        "large_arrays_are_sorted_by_a_native",
        ANY,
        "let a = []; for i in 0..300000 { a.push(i * 7919 % 300007); } a.sort(Fn(\"max\")); 1",
    ),
    Case::new(
        "long_strings_are_compared_in_arrays",
        TIMEOUT,
        with_strings!("let a = []; a.pad(200000, s); let b = []; b.pad(200000, s + \"\"); loop { a == b; }"),
    ),
    Case::new(
        "long_strings_are_looked_for",
        TIMEOUT,
        with_strings!("let a = []; a.pad(200000, s); loop { t in a; }"),
    ),
    Case::new(
        "long_strings_are_contained",
        TIMEOUT,
        with_strings!("let a = []; a.pad(200000, s); loop { a.contains(t); }"),
    ),
    Case::new(
        "long_strings_are_indexed",
        TIMEOUT,
        with_strings!("let a = []; a.pad(200000, s); loop { a.index_of(t); }"),
    ),
    Case::new(
        "long_strings_are_sorted",
        TIMEOUT,
        with_strings!("loop { let a = []; for i in 0..50000 { a.push(s); a.push(t); } a.sort(); }"),
    ),
    Case::new(
        "long_strings_are_deduplicated",
        TIMEOUT,
        with_strings!("loop { let a = []; a.pad(100000, s); a.dedup(); a.pad(100000, t); a.dedup(); }"),
    ),
    Case::new(
        "long_strings_are_compared_in_maps",
        TIMEOUT,
        with_strings!(
            "let a = #{}; let b = #{}; for i in 0..20000 { a[`${i}`] = s; b[`${i}`] = s + \"\"; if i > 10 { b[`${i}`] = b[`${i % 10}`]; } } loop { a == b; }"
        ),
    ),
    Case::new(
        "long_strings_are_switched",
        TIMEOUT,
        with_strings!("let a = []; a.pad(200000, s); loop { switch a { 1 => 2, _ => 3 } }"),
    ),
    Case::new(
        "a_needle_is_looked_for",
        TIMEOUT,
        with_strings!("loop { s.index_of(\"fedcba\"); s.contains(\"fedcba\"); }"),
    ),
    Case::new(
        "a_long_needle_is_looked_for",
        TIMEOUT,
        with_strings!("let n = s.sub_string(0, 500000) + \"!\"; loop { s.index_of(n); n in s; }"),
    ),
    Case::new("sleep_is_long", &["timeout"], "sleep(100000)"),
    Case::new("sleep_is_longer_than_time", &["timeout"], "sleep(9223372036854775807)"),
    Case::new("sleep_is_infinite", &["timeout"], "sleep(1.0 / 0.0)"),
    Case::new("sleep_is_negative", &["ok"], "sleep(-1); sleep(-1.0); sleep(0.0 / 0.0); 1"),
    Case::new("sleep_in_a_comparison", &["timeout"], "[2, 1].sort(|a, b| { sleep(60); 0 })"),
    Case::new("recursion", &["call_depth"], "fn f() { f() } f()"),
    Case::new("recursion_with_a_result", &["call_depth"], "fn f(n) { 1 + f(n + 1) } f(0)"),
    Case::new("recursion_of_two", &["call_depth"], "fn f() { g() } fn g() { f() } f()"),
    Case::new("recursion_of_a_closure", ANY, "let f = |f| f.call(f); f.call(f)"),
    Case::new("recursion_of_a_method", ANY, "let m = #{ f: |x| x.f.call(x) }; m.f.call(m)"),
    Case::new("recursion_through_map", ANY, "fn f(a) { a.map(|x| f(a)) } f([1])"),
    Case::new("recursion_through_sort", ANY, "fn f(a) { a.sort(|x, y| { f([2, 1]); 0 }); } f([2, 1])"),
    Case::new(
        "recursion_that_branches",
        TIMEOUT,
        "fn f(n) { if n == 0 { 1 } else { f(n - 1) + f(n - 1) } } f(60)",
    ),
    Case::new("recursion_that_catches", ANY, "fn f() { try { f() } catch { f() } } f()"),
    Case::new("recursion_in_text", ANY, "fn f() { `${f()}` } f()"),
    Case::new("a_function_named_as_a_native", ANY, "fn abs(x) { abs(x) } abs(1)"),
    Case::new("a_function_named_as_an_operator", ANY, "fn to_string(x) { `${x}` } to_string([1])"),
    Case::new("time_beyond_all_clocks", ANY, "let t = timestamp(); t + 1.0e300"),
    Case::new("time_before_all_clocks", ANY, "let t = timestamp(); t - 9223372036854775807"),
    Case::new(
        "time_added_up",
        ANY,
        "let t = timestamp(); t += 9223372036854775807; t += 9223372036854775807; t.elapsed",
    ),
    Case::new("numbers_overflow", THROWN, "let x = 9223372036854775807; x + 1"),
    Case::new("numbers_are_negated", THROWN, "let x = -9223372036854775807 - 1; -x"),
    Case::new("numbers_are_divided_by_zero", THROWN, "let x = 0; 1 / x"),
    Case::new("numbers_are_divided_beyond", THROWN, "let x = -9223372036854775807 - 1; let y = -1; x / y"),
    Case::new("numbers_have_a_remainder_beyond", ANY, "let x = -9223372036854775807 - 1; let y = -1; x % y"),
    Case::new(
        "numbers_are_shifted",
        ANY,
        "let a = [1 << 64, 1 << -1, 1 >> 9223372036854775807, -1 << 63]; a.len",
    ),
    Case::new("numbers_have_powers", ANY, "2 ** 100000"),
    Case::new("numbers_are_made_of_floats", ANY, "[(1.0e300).to_int(), (0.0 / 0.0).to_int()].len"),
    Case::new("numbers_are_parsed", ANY, "parse_int(\"99999999999999999999\")"),
    Case::new("numbers_are_parsed_in_any_base", ANY, "parse_int(\"zz\", 99)"),
    Case::new(
        "parts_beyond_the_ends",
        ANY,
        "let s = \"abc\"; s.sub_string(-9223372036854775807, 9223372036854775807) + s.sub_string(9223372036854775807, 1)",
    ),
    Case::new(
        "crops_beyond_the_ends",
        ANY,
        "let s = \"abc\"; s.crop(-9223372036854775807, 9223372036854775807); let a = [1]; a.splice(-9223372036854775807, 9223372036854775807, [1]); a.extract(9223372036854775807, 9223372036854775807).len",
    ),
    Case::new(
        "blobs_beyond_the_ends",
        ANY,
        "let b = blob(8); b.write_le(9223372036854775807, 9223372036854775807, 7); b.parse_be_int(-9223372036854775807, 9223372036854775807)",
    ),
    Case::new(
        "bits_beyond_the_ends",
        ANY,
        "let x = 5; get_bits(x, 60, 9223372036854775807) + get_bits(x, -9223372036854775807, 1)",
    ),
    Case::new(
        "ranges_beyond_the_ends",
        ANY,
        "let a = [1, 2]; let x = 5; [a.extract(-9223372036854775807..9223372036854775807), x.get_bits(0..9223372036854775807), bits(x, 0, 9223372036854775807)].len",
    ),
    Case::new("bits_without_end", ANY, "let n = 0; for b in bits(5, 0, 9223372036854775807) { n += 1; } n"),
    Case::new(
        "characters_without_end",
        ANY,
        "let n = 0; for c in chars(\"abc\", 0, 9223372036854775807) { n += 1; } n",
    ),
    Case::new("eval_by_a_pointer", &["throw", "parse"], "Fn(\"eval\").call(\"loop {}\")"),
    Case::new("import_by_a_pointer", &["throw", "parse"], "Fn(\"import\").call(\"x\")"),
];
