//! Scripts that nest values beyond all measure, or make them hold themselves.

use super::{ANY, Case, MEMORY, OK, SIZE, STOPPED};

/// `t`: arrays in arrays, as many as the memory carries in a fraction of the operations.
macro_rules! deep_array {
    ($text:literal) => {
        concat!("let t = [()];\nfor i in 0..2500 { t.push([[[[[[[[[[[[t.pop()]]]]]]]]]]]]); }\n", $text)
    };
}

/// `t`: maps in maps.
macro_rules! deep_map {
    ($text:literal) => {
        concat!(
            "let t = #{ a: 1 };\nfor i in 0..2000 { t.a = #{ a: #{ a: #{ a: #{ a: #{ a: t.remove(\"a\") } } } } }; }\n",
            $text
        )
    };
}

/// `x`: a map that holds itself by way of a closure.
macro_rules! cycle {
    ($text:literal) => {
        concat!("let x = #{}; let f = || x; x.f = f; let y = [x];\n", $text)
    };
}

/// `x` and `y`: two variables that hold one another.
macro_rules! two {
    ($text:literal) => {
        concat!(
            "let x = []; let y = []; let f = || [x, y]; x.push(f); x.push(y); y.push(x); y.push(f);\n",
            $text
        )
    };
}

pub(super) const CASES: &[Case] = &[
    Case::new("deep_arrays_are_dropped", OK, deep_array!("1")),
    Case::new("deep_arrays_are_cloned", ANY, deep_array!("let u = t; let v = [t, u]; 1")),
    Case::new("deep_arrays_are_compared", SIZE, deep_array!("let u = t; t == u")),
    Case::new("deep_arrays_are_told_apart", SIZE, deep_array!("let u = t; t != u")),
    Case::new("deep_arrays_are_looked_for", SIZE, deep_array!("t in [t]")),
    Case::new("deep_arrays_are_contained", SIZE, deep_array!("[t].contains(t)")),
    Case::new("deep_arrays_are_indexed", SIZE, deep_array!("[t].index_of(t)")),
    Case::new("deep_arrays_are_texts", SIZE, deep_array!("t.to_string().len")),
    Case::new("deep_arrays_are_interpolated", SIZE, deep_array!("let s = `${t}`; s.len")),
    Case::new("deep_arrays_are_added", SIZE, deep_array!("let s = \"\" + t; s.len")),
    Case::new("deep_arrays_are_printed", SIZE, deep_array!("print(t)")),
    Case::new("deep_arrays_are_debugged", SIZE, deep_array!("debug(t)")),
    Case::new("deep_arrays_are_logged", SIZE, deep_array!("log::info(t)")),
    Case::new("deep_arrays_are_thrown", &["throw", "size"], deep_array!("throw t;")),
    Case::new("deep_arrays_are_thrown_and_caught", ANY, deep_array!("try { throw t; } catch (e) { 1 }")),
    Case::new("deep_arrays_are_returned", SIZE, deep_array!("t")),
    Case::new("deep_arrays_are_switched", ANY, deep_array!("switch t { 1 => 2, _ => 3 }")),
    Case::new("deep_arrays_are_sorted", ANY, deep_array!("let a = [t, t]; a.sort(); 1")),
    Case::new("deep_arrays_are_deduplicated", ANY, deep_array!("let a = [t, t]; a.dedup(); 1")),
    Case::new("deep_arrays_are_captured", ANY, deep_array!("let f = || t; f.call(); 1")),
    Case::new("deep_arrays_are_a_key", ANY, deep_array!("let m = #{}; m[t]")),
    Case::new("deep_arrays_are_shared", ANY, deep_array!("let f = || t.len(); let u = t; u == t")),
    Case::new("deep_maps_are_dropped", OK, deep_map!("1")),
    Case::new("deep_maps_are_cloned", ANY, deep_map!("let u = t; 1")),
    Case::new("deep_maps_are_compared", SIZE, deep_map!("let u = t; t == u")),
    Case::new("deep_maps_are_texts", SIZE, deep_map!("t.to_string().len")),
    Case::new("deep_maps_are_json", &["size", "throw"], deep_map!("t.to_json().len")),
    Case::new("deep_maps_are_returned", SIZE, deep_map!("t")),
    Case::new("deep_maps_are_switched", ANY, deep_map!("switch t { 1 => 2, _ => 3 }")),
    Case::new(
        "deep_maps_as_deep_as_they_come",
        STOPPED,
        "let t = #{ a: 1 }; loop { t.a = #{ a: #{ a: #{ a: t.remove(\"a\") } } }; }",
    ),
    Case::new(
        "deep_arrays_as_deep_as_they_come",
        STOPPED,
        "let t = [()]; loop { t.push([[[[[[[[[[[[t.pop()]]]]]]]]]]]]); }",
    ),
    Case::new(
        "deep_arrays_as_deep_as_they_come_cloned",
        STOPPED,
        "let t = []; loop { let u = [[[[[[[[[[[[]]]]]]]]]]]]; u[0][0][0][0][0][0][0][0][0][0][0].push(t); t = u; }",
    ),
    Case::new(
        "curried_pointers_as_deep_as_they_come",
        STOPPED,
        "let f = Fn(\"abs\"); loop { let g = Fn(\"abs\"); f = g.curry(f.take()); }",
    ),
    Case::new(
        "curried_pointers_cloned",
        STOPPED,
        "let f = Fn(\"abs\"); loop { let g = Fn(\"abs\"); f = g.curry(f); }",
    ),
    Case::new("closures_hold_closures", STOPPED, "let f = || 1; loop { let g = f; f = || g; }"),
    Case::new("closures_in_arrays", STOPPED, "let f = [1]; loop { let g = f; f = [|| g]; }"),
    Case::new("closures_in_maps", STOPPED, "let f = #{}; loop { let g = f; f = #{ a: || g }; }"),
    Case::new(
        "curried_pointers_are_compared",
        ANY,
        "let f = Fn(\"abs\"); for i in 0..30000 { let g = Fn(\"abs\"); f = g.curry(f.take()); } let g = f; [f] == [g]",
    ),
    Case::new(
        "curried_pointers_are_texts",
        ANY,
        "let f = Fn(\"abs\"); for i in 0..30000 { let g = Fn(\"abs\"); f = g.curry(f.take()); } `${f}`.len + [f].to_string().len",
    ),
    Case::new(
        "curried_pointers_are_switched",
        ANY,
        "let f = Fn(\"abs\"); for i in 0..30000 { let g = Fn(\"abs\"); f = g.curry(f.take()); } switch f { 1 => 2, _ => 3 }",
    ),
    Case::new(
        "curried_pointers_are_returned",
        &["bad_response", "size"],
        "let f = Fn(\"abs\"); for i in 0..300 { let g = Fn(\"abs\"); f = g.curry(f.take()); } f",
    ),
    Case::new("a_cycle_is_text", ANY, cycle!("x.to_string().len")),
    Case::new("a_cycle_is_printed", ANY, cycle!("print(y); 1")),
    Case::new("a_cycle_is_compared", ANY, cycle!("let a = [x]; let b = [x]; a == b")),
    Case::new("a_cycle_is_looked_for", ANY, cycle!("x in [1, x]")),
    Case::new("a_cycle_is_json", &["size", "throw", "bad_response"], cycle!("x.to_json()")),
    Case::new("a_cycle_is_returned", &["size", "bad_response"], cycle!("x")),
    Case::new("a_cycle_is_thrown", &["throw", "size"], cycle!("throw x;")),
    Case::new("a_cycle_is_switched", ANY, cycle!("switch x { 1 => 2, _ => 3 }")),
    Case::new("a_cycle_in_an_array_is_switched", ANY, cycle!("switch y { 1 => 2, _ => 3 }")),
    Case::new("a_cycle_is_logged", ANY, cycle!("log::info(\"x\", #{ x: x }); 1")),
    Case::new("two_that_hold_each_other_are_text", ANY, two!("`${x}`.len")),
    Case::new("two_that_hold_each_other_are_compared", ANY, two!("[x, y] == [x, y]")),
    Case::new("two_that_hold_each_other_are_switched", ANY, two!("switch [x, y] { 1 => 2, _ => 3 }")),
    Case::new("two_that_hold_each_other_are_returned", &["size", "bad_response", "throw"], two!("x")),
    Case::new("two_that_hold_each_other_are_sorted", ANY, two!("let a = [x, y, x]; a.sort(); a.dedup(); 1")),
    Case::new("cycles_without_end", STOPPED, "loop { let x = #{ a: [1, 2, 3] }; let f = || x; x.f = f; }"),
    Case::new(
        "a_cycle_out_of_sight",
        ANY,
        "fn f() { let x = #{}; let f = || x; x.f = f; let a = []; a.pad(100000, 1); x.a = a; 1 } f()",
    ),
    Case::new(
        "maps_that_double_by_sharing",
        ANY,
        "let m = #{}; for i in 0..60 { let n = m; let f = || n; m = #{ a: n, b: n }; } m.to_string().len",
    ),
    Case::new(
        "arrays_that_double_by_sharing",
        MEMORY,
        "let m = [1]; for i in 0..60 { let n = m; let f = || n; m = [n, n]; } [m] == [m]",
    ),
];
