//! Scripts that want what Rhai does between two operations, by functions of its own or by itself.

use super::{Case, MEMORY, MEMORY_OR_SIZE, OK, SIZE, STOPPED, THROWN, TIMEOUT, each};

/// Makes `a`, an array of 3000 times the same string of 1 MiB.
macro_rules! shared {
    ($text:literal) => {
        concat!(
            "let s = \"0123456789abcdef\"; while s.bytes < 1048576 { s += s; } let a = []; a.pad(3000, s); ",
            $text
        )
    };
}

/// Makes `t`, arrays in arrays, 100 deep.
macro_rules! deep {
    ($text:literal) => {
        concat!("let t = []; for i in 0..100 { t = [t]; } ", $text)
    };
}

/// Makes `a`, an array of many references to few long strings that differ at their ends.
macro_rules! alike {
    ($text:literal) => {
        concat!(
            "let s = \"0123456789abcdef\"; while s.bytes < 524288 { s += s; } let few = [];",
            " for i in 0..16 { few.push(s + i); } let a = []; for i in 0..200000 { a.push(few[i * 7 % 16]); } ",
            $text
        )
    };
}

pub(super) const CASES: &[Case] = &[
    // What is assigned to a slice of a string is written out.
    Case::new("a_slice_is_shared_strings", SIZE, shared!("let t = \"abc\"; t[0..1] = a; 1")),
    Case::new(
        "a_slice_in_a_variable_is_shared_strings",
        SIZE,
        shared!("let t = \"abc\"; let r = 0..=1; t[r] = a; 1"),
    ),
    Case::new(
        "a_slice_from_a_function_is_shared_strings",
        THROWN,
        shared!("fn f() { 0..1 } let t = \"abc\"; t[f()] = a; 1"),
    ),
    Case::new(
        "a_slice_that_changes_is_shared_strings",
        THROWN,
        shared!("let t = [\"abc\"]; let i = 0; t[{ i = 0..1; 0 }][i] = a; 1"),
    ),
    Case::new("a_slice_is_deep", SIZE, deep!("let s = \"abc\"; s[0..1] = t; 1")),
    Case::new(
        "a_slice_in_a_closure_is_deep",
        SIZE,
        deep!("let f = |x| { let s = \"abc\"; s[0..1] = x; }; f.call(t)"),
    ),
    Case::new(
        "a_slice_is_a_cycle",
        SIZE,
        "let x = #{}; let f = || x; x.f = [f]; let t = [x]; for i in 0..70 { t = [t]; } let s = \"abc\"; s[0..1] = t; 1",
    ),
    // A call that finds no function tries very many signatures.
    Case::new(
        "a_pointer_carries_very_many_values",
        THROWN,
        "let f = Fn(\"nothing\"); for i in 0..100000 { f = f.curry(i); } f.call()",
    ),
    Case::new(
        "a_pointer_is_given_very_many_values",
        THROWN,
        "let f = Fn(\"nothing\"); loop { f = curry(f, 1, 2, 3, 4, 5, 6, 7, 8); }",
    ),
    Case::new(
        "calls_that_find_no_function",
        TIMEOUT,
        "let f = Fn(\"nothing\"); for i in 0..32 { f = f.curry(i); } loop { try { f.call(1, 2, 3, 4, 5, 6, 7, 8) } catch {} }",
    ),
    Case::made("a_call_with_very_many_arguments", &["parse"], || format!("f({}1)", "1,".repeat(1000))),
    Case::made("a_closure_that_captures_very_many", &["parse"], || {
        let declared = each(100, |i| format!("let v{i} = 1; "));
        let used = each(100, |i| format!("v{i}; "));
        format!("{declared} let f = || {{ {used} }}; 1")
    }),
    // Strings.
    Case::new("a_string_is_padded_with_nothing", OK, "let s = \"a\"; s.pad(1_000_000_000, \"\"); s.len"),
    Case::new(
        "characters_are_not_listed",
        OK,
        "let s = \"0123456789abcdef\"; while s.bytes < 8_388_608 { s += s; } let n = 0; for c in s { n += 1; if n > 9 { break; } } n",
    ),
    Case::new("long_strings_that_are_alike_are_sorted", TIMEOUT, alike!("loop { let b = a; b.sort(); }")),
    Case::new("long_strings_that_are_alike_are_ordered", TIMEOUT, alike!("loop { a.order_desc(); }")),
    Case::new(
        "long_strings_that_are_alike_are_compared",
        TIMEOUT,
        alike!("let b = a; b.push(b.shift()); loop { a == b; a in [b]; }"),
    ),
    Case::new("long_strings_that_are_alike_lose_equals", TIMEOUT, alike!("loop { let b = a; b.dedup(); }")),
    Case::new(
        "long_strings_that_are_alike_are_switched",
        OK,
        alike!("let f = |x| switch x { [1] => 1, _ => 2 }; f.call(a)"),
    ),
    Case::new(
        "long_keys_are_compared",
        TIMEOUT,
        "let s = \"x\"; while s.bytes < 1048576 { s += s; } let m = #{}; m[s] = 1; let n = #{}; n[s + \"\"] = 1; let a = []; a.pad(4, m); let b = []; b.pad(4, n); loop { a == b }",
    ),
    // Arrays.
    Case::new("an_array_is_padded_with_what_is_deep", SIZE, deep!("let a = []; a.pad(1000, t); 1")),
    Case::new(
        "an_array_is_padded_with_maps",
        MEMORY_OR_SIZE,
        "let m = #{}; for i in 0..1000 { m[`k${i}`] = [i]; } let a = []; a.pad(10000, m); 1",
    ),
    Case::new(
        "an_array_is_retained_by_nothing",
        STOPPED,
        "let a = []; a.pad(900000, 1); loop { let b = a; b.retain(|x| {}); }",
    ),
    // What a script defines.
    Case::made("functions_are_listed", MEMORY, || {
        let functions = each(2000, |i| format!("fn f{i}(a, b) {{ a }} "));
        format!("{functions} let a = []; loop {{ a.push(get_fn_metadata_list()); }}")
    }),
];
