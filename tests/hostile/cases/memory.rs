//! Scripts that want memory.

use super::{ANY, Case, MEMORY, MEMORY_OR_SIZE, OK, SIZE, STOPPED, THROWN};

/// Makes `s`, a string of 1 MiB, in ten operations or so.
macro_rules! with_string {
    ($text:literal) => {
        concat!("let s = \"0123456789abcdef\"; while s.len < 1048576 { s += s; } ", $text)
    };
}

pub(super) const CASES: &[Case] = &[
    // What grows by itself.
    Case::new("a_string_doubles", MEMORY, "let s = \"x\"; loop { s += s; }"),
    Case::new("a_string_doubles_by_interpolation", MEMORY_OR_SIZE, "let s = \"x\"; loop { s = `${s}${s}`; }"),
    Case::new("a_string_grows_by_a_character", STOPPED, "let s = \"\"; loop { s += 'x'; }"),
    Case::new("an_array_grows", STOPPED, "let a = []; loop { a.push(1); }"),
    Case::new("an_array_of_maps_grows", MEMORY, "let a = []; loop { a.push(#{ x: 1, y: 2 }); }"),
    Case::new("an_array_doubles", MEMORY, "let a = [1]; loop { a += a; }"),
    Case::new("an_array_doubles_by_append", MEMORY, "let a = [1]; loop { let b = a; a.append(b); }"),
    Case::new("an_array_holds_two_of_itself", MEMORY, "let a = [1]; loop { a = [a, a]; }"),
    Case::new("a_map_holds_two_of_itself", MEMORY, "let m = #{}; loop { m = #{ a: m, b: m }; }"),
    Case::new("a_map_grows", STOPPED, "let m = #{}; let i = 0; loop { m[`key number ${i}`] = i; i += 1; }"),
    Case::new(
        "a_map_doubles_by_mixin",
        STOPPED,
        "let m = #{ a: [1] }; loop { let n = m; m.a += n.a; m.mixin(n); }",
    ),
    Case::new("a_blob_doubles", MEMORY, "let b = blob(1000, 1); loop { b += b; }"),
    Case::new(
        "variables_pile_up",
        STOPPED,
        "fn f(n) { if n == 0 { return 0; } let a = []; a.pad(10000, n); f(n - 1) + a[0] } loop { f(60); }",
    ),
    Case::new(
        "a_function_pointer_curries_on",
        THROWN,
        "let f = |a| a; let g = Fn(\"abs\"); loop { g = g.curry(\"some text of a certain length\"); }",
    ),
    Case::new(
        "closures_hold_arrays",
        MEMORY,
        "let all = []; loop { let a = []; a.pad(1000, 1); all.push(|| a); }",
    ),
    Case::new("many_strings", MEMORY, with_string!("let a = []; loop { a.push(s.to_upper()); }")),
    Case::new(
        "many_parts_of_a_string",
        STOPPED,
        with_string!("let a = []; loop { a.push(s.sub_string(1)); }"),
    ),
    Case::new(
        "strings_in_a_loop_over_characters",
        STOPPED,
        with_string!("let a = []; loop { for c in s { a.push(`${c}${c}`); } }"),
    ),
    Case::new(
        "results_that_nobody_keeps",
        &["operations", "timeout"],
        with_string!("loop { s.to_upper(); }"),
    ),
    // A size from an argument.
    Case::new("a_blob_of_a_given_size", MEMORY_OR_SIZE, "blob(2_000_000_000)"),
    Case::new("a_blob_of_the_largest_size", ANY, "blob(9223372036854775807)"),
    Case::new("a_blob_of_a_negative_size", ANY, "blob(-1)"),
    Case::new("a_blob_of_a_given_size_and_value", MEMORY_OR_SIZE, "blob(2_000_000_000, 7)"),
    Case::new("an_array_padded", MEMORY_OR_SIZE, "let a = []; a.pad(100_000_000, 1)"),
    Case::new("an_array_padded_to_the_largest_size", ANY, "let a = []; a.pad(9223372036854775807, 1)"),
    Case::new(
        "an_array_padded_with_arrays",
        MEMORY_OR_SIZE,
        "let b = []; b.pad(1000, 1); let a = []; a.pad(100_000, b)",
    ),
    Case::new("a_blob_padded", MEMORY_OR_SIZE, "let b = blob(); b.pad(2_000_000_000, 1)"),
    Case::new("a_string_padded", MEMORY_OR_SIZE, "let s = \"\"; s.pad(2_000_000_000, 'x')"),
    Case::new("a_string_padded_with_a_string", MEMORY_OR_SIZE, "let s = \"\"; s.pad(2_000_000_000, \"xy\")"),
    Case::new("a_string_padded_to_the_largest_size", ANY, "let s = \"\"; s.pad(9223372036854775807, \"xy\")"),
    // A product of what is given.
    Case::new(
        "a_replacement_that_multiplies",
        MEMORY_OR_SIZE,
        with_string!("let t = s; t.replace(\"0\", s); t.len"),
    ),
    Case::new(
        "a_replacement_of_characters",
        MEMORY_OR_SIZE,
        with_string!("let t = s; t.replace('0', s); t.len"),
    ),
    Case::new(
        "a_replacement_of_nothing",
        MEMORY_OR_SIZE,
        with_string!("let t = s; t.replace(\"\", s); t.len"),
    ),
    // Shared values written out.
    Case::new(
        "shared_strings_as_text",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); a.to_string().len"),
    ),
    Case::new(
        "shared_strings_for_debugging",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); a.to_debug().len"),
    ),
    Case::new(
        "shared_strings_printed",
        &["memory", "size", "log_limit"],
        with_string!("let a = []; a.pad(3000, s); print(a)"),
    ),
    Case::new(
        "shared_strings_debugged",
        &["memory", "size", "log_limit"],
        with_string!("let a = []; a.pad(3000, s); debug(a)"),
    ),
    Case::new(
        "shared_strings_interpolated",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); let t = `${a}`; t.len"),
    ),
    Case::new(
        "shared_strings_added_to_text",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); let t = \"\" + a; t.len"),
    ),
    Case::new(
        "shared_strings_appended_to_text",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); let t = \"\"; t += a; t.len"),
    ),
    Case::new(
        "text_added_to_shared_strings",
        MEMORY_OR_SIZE,
        with_string!("let a = []; a.pad(3000, s); let t = a + \"\"; t.len"),
    ),
    Case::new(
        "shared_strings_in_a_map_as_text",
        MEMORY_OR_SIZE,
        with_string!("let a = #{}; for i in 0..3000 { a[`${i}`] = s; } a.to_string().len"),
    ),
    Case::new(
        "shared_strings_in_a_map_as_json",
        &["memory", "size", "throw"],
        with_string!("let a = #{}; for i in 0..3000 { a[`${i}`] = s; } a.to_json().len"),
    ),
    Case::new(
        "shared_strings_in_a_pointer_as_text",
        ANY,
        with_string!("let f = Fn(\"abs\"); for i in 0..3000 { f = f.curry(s); } f.to_string().len"),
    ),
    Case::new(
        "shared_strings_thrown",
        &["throw", "size", "memory"],
        with_string!("let a = []; a.pad(3000, s); throw a;"),
    ),
    Case::new("shared_strings_returned", SIZE, with_string!("let a = []; a.pad(3000, s); a")),
    Case::new(
        "shared_strings_logged",
        &["log_limit"],
        with_string!("let a = []; a.pad(3000, s); log::info(a)"),
    ),
    Case::new(
        "shared_strings_logged_as_fields",
        &["log_limit"],
        with_string!("let a = []; a.pad(3000, s); log::info(\"a\", #{ a: a })"),
    ),
    Case::new(
        "a_string_of_what_json_escapes",
        SIZE,
        "let s = \"\\x01\"; while s.len < 2_000_000 { s += s; } s",
    ),
    // Many times what is given.
    Case::new(
        "a_string_split_at_each_character",
        STOPPED,
        with_string!("let a = []; loop { a.push(s.split(\"\")); }"),
    ),
    Case::new(
        "a_string_split_at_a_comma",
        MEMORY,
        "let s = \",,,,,,,,,,,,,,,,\"; while s.len < 1048576 { s += s; } let a = []; loop { a.push(s.split(\",\")); }",
    ),
    Case::new(
        "a_string_split_from_its_end",
        MEMORY,
        "let s = \",,,,,,,,,,,,,,,,\"; while s.len < 1048576 { s += s; } let a = []; loop { a.push(s.split_rev(',')); }",
    ),
    Case::new("a_string_to_characters", MEMORY, with_string!("let a = []; loop { a.push(s.to_chars()); }")),
    Case::new("a_blob_to_an_array", MEMORY, "let a = []; loop { a.push(blob(1000000, 7).to_array()); }"),
    Case::new("a_blob_to_text", ANY, "let a = []; loop { a.push(blob(1000000, 200).as_string()); }"),
    Case::new("a_blob_written_out", ANY, "blob(8000000, 200).to_string().len"),
    Case::new(
        "json_parsed_to_maps",
        &["memory", "throw"],
        "let s = \"[\"; let e = \"{},\"; while e.len < 1000000 { e += e; } s += e; s += \"{}]\"; parse_json(s).len",
    ),
    Case::new("a_body_of_small_maps", MEMORY, "ctx.request.body.len")
        .with_json(|| format!("[{}1]", r#"{"":0},"#.repeat(140_000))),
    Case::new("a_body_of_small_arrays", MEMORY_OR_OK, "ctx.request.body.len")
        .with_json(|| format!("[{}1]", "[],".repeat(340_000))),
    Case::new(
        "a_body_of_numbers_changed",
        STOPPED,
        "let all = []; loop { let b = ctx.request.body; b.push(1); all.push(b); }",
    )
    .with_json(|| format!("[{}1]", "1,".repeat(400_000))),
    Case::new("a_body_kept_many_times", STOPPED, "let all = []; loop { all.push(ctx.request.body); }")
        .with_json(|| format!("[{}1]", "1,".repeat(400_000))),
    Case::new(
        "the_bytes_of_the_body_many_times",
        STOPPED,
        "let all = []; loop { all.push(ctx.request.body_bytes()); }",
    )
    .with_json(|| format!("[{}1]", "1,".repeat(400_000))),
    // What natives keep for themselves.
    Case::new(
        "errors_that_are_caught_make_no_room",
        MEMORY,
        "let m = \"\"; m.pad(1000000, 'a'); for i in 0..400 { try { time::format(0, \"%Y\", m) } catch {} } \
         let a = []; for i in 0..300 { a.push(blob(1048576, 1)); } a.len()",
    ),
    Case::new(
        "errors_of_patterns_make_no_room",
        MEMORY,
        "let s = \"\"; s.pad(130, 'a'); s += \"(\"; for i in 0..300 { try { regex::is_match(s, \"\") } catch {} } \
         let a = []; loop { a.push(blob(1048576, 1)); }",
    ),
    Case::new(
        "ctx_is_put_into_itself",
        OK,
        "let v = ctx; let w = ctx; w.big = []; w.big.pad(1000000, 1); v.request.body.k = w; 1",
    )
    .with_json(|| "{}".to_owned()),
    // Errors and logs.
    Case::new(
        "caught_errors_with_large_values",
        ANY,
        with_string!("let n = 0; for i in 0..100000 { try { throw s; } catch (e) { n += e.len; } } n"),
    ),
    Case::new(
        "a_log_of_long_lines",
        &["log_limit"],
        "let s = \"x\"; while s.len < 20000 { s += s; } loop { print(s); }",
    ),
    Case::new("a_log_without_end", &["log_limit"], "loop { print(\"x\"); }"),
    Case::new(
        "a_response_of_many_headers",
        ANY,
        "let h = #{}; for i in 0..100000 { h[`x-${i}`] = \"v\"; } #{ headers: h, body: 1 }",
    ),
    Case::new(
        "a_response_that_is_a_long_string",
        SIZE,
        "let s = \"x\"; while s.len < 9000000 { s += s; } #{ headers: #{ \"content-type\": \"text/plain\" }, body: s }",
    ),
    Case::new(
        "a_small_honest_script",
        OK,
        "let a = []; for i in 0..1000 { a.push(#{ i: i, s: `number ${i}` }); } a.filter(|x| x.i > 10).map(|x| x.s).len",
    ),
];

const MEMORY_OR_OK: &[&str] = &["memory", "ok"];
