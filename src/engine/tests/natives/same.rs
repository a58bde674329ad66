//! What was replaced answers as Rhai does.

use proptest::prelude::*;

use super::*;

/// Expressions whose values are compared with those of a plain engine.
const EXPRESSIONS: &[&str] = &[
    // Text.
    "let a = [1, 2.5, \"a\\n\\\"q\\\"\", 'c', true, (), [1, []], #{}, #{ x: 1.0, \"a b\": [()] }]; `${a}`",
    "[1, 2.0, 1e300, 0.0, -0.0, 1e-20, 1.0/0.0, 0.0/0.0].to_string()",
    "[1, 2].to_debug() + \"x\".to_debug() + 'c'.to_debug() + ().to_debug() + 1.5.to_debug() + true.to_debug()",
    "#{ b: 1, a: \"x\", \"ä\\t\": 'c' }.to_string()",
    "#{ b: 1, a: #{ c: [] } }.to_debug()",
    "1.to_string() + 1.5.to_string() + 'x'.to_string() + \"s\".to_string() + ().to_string() + false.to_string()",
    "\"tab\\tnul\\x00é\\u{200b}'\\\"\".to_debug()",
    "blob(20, 7).to_string() + blob().to_string() + blob(8, 255).to_debug() + [blob(9, 1)].to_string()",
    "[0..5, 0..=5, -3..2].to_string() + (1..4).to_string() + (1..=4).to_debug()",
    "let f = |x| x; [Fn(\"abc\"), Fn(\"abc\").curry(1)].to_string() + Fn(\"abc\").to_string() + Fn(\"abc\").to_debug()",
    "[timestamp()].to_string() + timestamp().to_string()",
    "`${1}${2.0}${'c'}${\"s\"}${()}${[1]}${#{a: 1}}${blob(2)}${Fn(\"x\")}${1..2}${true}`",
    "(0..3).type_of() + [].type_of() + \"\".type_of()",
    // Strings with values.
    "\"a\" + 1 + 2.0 + 'c' + true + () + [1, \"b\"] + #{ x: 1 } + blob(3, 65)",
    "1 + \"a\"",
    "[1] + \"a\"",
    "#{} + \"a\"",
    "blob(3, 65) + \"a\"",
    "2.5 + \"a\"",
    "true + \"a\"",
    "() + \"a\"",
    "'c' + \"a\"",
    "let s = \"a\"; s += 1; s += [1]; s += 'c'; s += \"x\"; s += (); s += blob(2, 66); s += 1.0; s",
    "let s = \"a\"; s.append(1); s.append([1]); s.append(\"x\"); s.append('c'); s.append(blob(2, 66)); s",
    "let s = \"\"; s += []; s += #{}; s",
    "\"\" + blob(2, 200)",
    "let s = \"\"; s.append(blob(2, 200)); s",
    // Equality.
    "[1, 2, 3] == [1, 2, 3]",
    "[1, 2] != [1, 2]",
    "[1] == [1.0]",
    "[1.0] == [1]",
    "[0.1 + 0.2] == [0.3]",
    "[1] == [\"1\"]",
    "[\"a\"] == ['a']",
    "['a'] == [\"a\"]",
    "['a'] == [\"ab\"]",
    "[()] == [()]",
    "[()] == [0]",
    "[[1, [2]], #{ a: 1 }] == [[1, [2]], #{ a: 1 }]",
    "[[1]] == [#{}]",
    "[blob(3)] == [blob(3)]",
    "[blob(3)] == [blob(4)]",
    "[blob(3)] == [[0, 0, 0]]",
    "[true] == [1]",
    "[0..3] == [0..3]",
    "[0..3] == [0..=3]",
    "[0..3] == [1]",
    "#{ a: 1, b: 2 } == #{ b: 2, a: 1 }",
    "#{ a: 1 } == #{ a: 1.0 }",
    "#{ a: 1 } == #{ b: 1 }",
    "#{ a: 1 } != #{ a: 2 }",
    "#{ a: () } == #{}",
    "#{} == #{}",
    "[] == []",
    "[] == #{}",
    "[1] == 1",
    "[0.0/0.0] == [0.0/0.0]",
    "#{ a: [1] } == #{ a: 1 }",
    "[Fn(\"a\")] == [Fn(\"a\")]",
    "[Fn(\"a\")] == [1]",
    "#{ a: Fn(\"a\") } == #{ a: Fn(\"a\") }",
    "[[1, 2], [3]] == [[1, 2], [4]]",
    // Looking for values.
    "1 in [1, 2]",
    "1.0 in [1, 2]",
    "\"x\" in [\"x\"]",
    "[1] in [[1]]",
    "#{ a: 1 } in [#{ a: 1.0 }]",
    "() in [1]",
    "3 !in [1, 2]",
    "[1, 2].contains(2)",
    "[].contains(1)",
    "[1, \"x\", 'y'].index_of(\"x\")",
    "[1, 2, 1].index_of(1, 1)",
    "[1, 2, 1].index_of(1, -1)",
    "[1, 2, 1].index_of(1, -9)",
    "[1, 2].index_of(1, 5)",
    "[1, 2].index_of(3)",
    "[].index_of(1)",
    "[[1], [2]].index_of([2])",
    "[1, 2, 3].index_of(|x| x > 1)",
    "[1, 2, 3].index_of(|x, i| i == 2)",
    "[1, 2, 3].index_of(|x| x > 1, 2)",
    "fn big(x) { x > 1 } [1, 2].index_of(\"big\")",
    "fn big(x) { x > 1 } [1, 2, 3].index_of(\"big\", 2)",
    "[\"a b\", \"c\"].index_of(\"c\")",
    "[1, 1, 2, 2, 1].index_of(2, 3)",
    "\"a\" in #{ a: 1 }",
    "\"b\" in \"abc\"",
    "'b' in \"abc\"",
    "65 in blob(3, 65)",
    "3 in 0..5",
    "let a = [1, 1, 2, 1.0, 1, \"a\", \"a\", [1], [1]]; a.dedup(); a",
    "let a = [3, 1, 4, 1]; a.dedup(|a, b| a > b); a",
    "let a = [1, 2, 4, 5]; a.dedup(|a, b| throw 1); a",
    "fn f(a, b) { a == b } let a = [1, 1]; a.dedup(\"f\"); a",
    "let a = []; a.dedup(); a",
    // Sorting.
    "let a = [3, 1, 2]; a.sort(); a",
    "let a = [3, 1, 2]; a.sort_desc(); a",
    "[3, 1, 2].order()",
    "[3, 1, 2].order_desc()",
    "let a = [\"b\", \"a\", \"\", \"é\"]; a.sort(); a",
    "let a = [2.5, -1.0, 0.0]; a.sort_desc(); a",
    "let a = ['b', 'a']; a.sort(); a",
    "let a = [true, false]; a.sort(); a",
    "let a = [(), ()]; a.sort(); a",
    "let a = [1, 2.0]; a.sort(); a",
    "let a = [[1], [2]]; a.sort(); a",
    "let a = [1, 5, 3, 9, 2]; a.sort(|a, b| a - b); a",
    "let a = [1, 5, 3]; a.sort_by(|a, b| b - a); a",
    "let a = [1, 5, 3]; a.sort(|a, b| a < b); a",
    "let a = [[2, 'a'], [1, 'b'], [2, 'c'], [1, 'd']]; a.sort(|a, b| a[0] - b[0]); a",
    "let a = [3, 1, 2]; a.sort(|a, b| throw 1); a",
    "let a = [3, 1, 2]; a.sort(|a, b| \"x\"); a",
    "fn f(a, b) { b - a } let a = [1, 2, 3]; a.sort(\"f\"); a",
    "[1, 3, 2].order(|a, b| b - a)",
    "[1, 3, 2].order_by(|a, b| a - b)",
    "let a = []; a.sort(); a",
    "let a = [1]; a.sort_desc(); a",
    "let a = []; a.sort(|a, b| 0); a",
    // Arrays.
    "let a = [1]; a.pad(3, #{ x: [1] }); a",
    "let a = [1, 2]; a.pad(1, 0); a",
    "let a = []; a.pad(-5, 0); a",
    "let a = []; a.pad(2, Fn(\"x\")); a",
    "let a = [1, 2, 3, 4]; let d = a.drain(|x| x % 2 == 0); [a, d]",
    "let a = [1, 2, 3]; let d = a.drain(|x, i| i == 1); [a, d]",
    "let a = [1, 2, 3, 4]; let d = a.retain(|x| x % 2 == 0); [a, d]",
    "let a = [1, 2, 3]; let d = a.retain(|| this > 1); [a, d]",
    "fn f(x) { x > 1 } let a = [1, 2]; let d = a.drain(\"f\"); [a, d]",
    "fn f(x) { x > 1 } let a = [1, 2]; let d = a.retain(\"f\"); [a, d]",
    "let a = [1, 2, 3]; try { a.drain(|x| if x == 2 { throw 1 } else { true }) } catch {} a",
    "let a = [1, 2]; a.drain(|x| 7); a",
    "let a = [1, 2, 3, 4, 5]; [a.drain(1..3), a.retain(0..1), a]",
    "let a = [3, 4]; a.drain(|x| { this = 9; false }); a",
    // Blobs.
    "blob(3)",
    "blob(3, 65)",
    "blob(-1)",
    "blob(2, 321)",
    "blob(2, -1)",
    "blob(3, 65).as_string()",
    "blob(2, 200).as_string()",
    "blob(3, 7).to_array()",
    "let b = blob(1); b.pad(4, 300); b",
    "let b = blob(4); b.pad(2, 1); b",
    "let b = blob(); b.pad(-1, 1); b",
    "\"häx\".to_blob().as_string()",
    // Strings.
    "\"a,b,,c\".split(',')",
    "\"a,b,,c\".split(\",\")",
    "\"a--b--c\".split(\"--\", 2)",
    "\"a,b,c\".split(',', 2)",
    "\" a  b\\tc \".split()",
    "\"\".split()",
    "\"abc\".split(\"\")",
    "\"abc\".split(\"x\")",
    "\"\".split(\",\")",
    "\"a,b\".split(\",\", 1)",
    "\"a,b\".split(\",\", -1)",
    "\"héllo\".split(2)",
    "\"a,b,c\".split_rev(',')",
    "\"a,b,c\".split_rev(\",\")",
    "\"a,b,c\".split_rev(\",\", 2)",
    "\"a,b,c\".split_rev(',', 2)",
    "\"\".split_rev(\"\")",
    "\"ab\".split_rev(\"\", 2)",
    "\"héllo\".to_chars()",
    "\"\".to_chars()",
    "let t = []; for c in \"héllo\" { t += c } t",
    "let t = []; for c in \"héllo\".chars(1, 3) { t += c } t",
    "let t = []; for c in \"héllo\".chars(-3) { t += c } t",
    "let t = []; for c in \"héllo\".chars(1..3) { t += c } t",
    "let t = []; for c in \"héllo\".chars(1..=3) { t += c } t",
    "let t = []; for c in \"héllo\".chars(3..=1) { t += c } t",
    "let t = []; for c in \"héllo\".chars { t += c } t",
    "let t = []; for (c, i) in \"hé\".chars() { t += i } t",
    "let t = []; for c in \"héllo\".chars(9) { t += c } t",
    "let t = []; for c in \"héllo\".chars(-9, 2) { t += c } t",
    "let t = []; for c in \"\" { t += c } t",
    "let t = []; for c in \"abc\".chars(1, -1) { t += c } t",
    "let t = []; for c in \"abc\".chars(-2..2) { t += c } t",
    "let s = \"ab\"; s.pad(5, 'x'); s",
    "let s = \"ab\"; s.pad(1, 'x'); s",
    "let s = \"ab\"; s.pad(7, \"xyz\"); s",
    "let s = \"é\"; s.pad(3, \"ß\"); s",
    "let s = \"a\"; s.pad(-1, \"ß\"); s",
    "let s = \"abcabc\"; s.replace(\"b\", \"xyz\"); s",
    "let s = \"abcabc\"; s.replace('b', 'x'); s",
    "let s = \"abc\"; s.replace(\"bc\", 'x'); s",
    "let s = \"abc\"; s.replace('b', \"--\"); s",
    "let s = \"abc\"; s.replace(\"\", \"-\"); s",
    "let s = \"abc\"; s.replace(\"x\", \"yy\"); s",
    "let s = \"\"; s.replace(\"\", \"yy\"); s",
    "let s = \"aaa\"; s.replace(\"aa\", \"\"); s",
    "let s = \"héllo\"; s.pop(2)",
    "let s = \"héllo\"; s.pop(2); s",
    "let s = \"hé\"; s.pop(9); s",
    "let s = \"hé\"; s.pop(0) + s.pop(-1) + s",
    "let s = \"hé\"; [s.pop(), s]",
    "let s = \"abc\"; s.remove(\"b\"); s.remove('c'); s",
    "\"abc\" - \"b\" + (\"abc\" - 'c')",
    "\"aXbX\".to_lower() + \"aß\".to_upper()",
    // JSON and reflection.
    "parse_json(`{\"a\": [1, 2.5, \"x\", true, null, {}], \"b\": -7}`)",
    "#{ a: [1, 2.5, \"x\", true, (), #{}], b: \"q\\\"\\n\" }.to_json()",
    "fn f(a, b) { 1 } get_fn_metadata_list(\"f\")",
    "fn f(a) { 1 } private fn g() { 1 } get_fn_metadata_list().len()",
    "fn f(a) { 1 } get_fn_metadata_list(\"f\", 1)",
    "fn f(a) { 1 } get_fn_metadata_list(\"f\", 2)",
    "fn int.f(a) { 1 } get_fn_metadata_list(\"f\")",
    "get_fn_metadata_list(\"f\", -1)",
    // What the syntax tree has checks for.
    "switch [1, 2] { [1, 2] => 1, _ => 2 }",
    "switch #{ a: 1 } { #{ a: 1 } => 1, _ => 2 }",
    "switch \"x\" { \"x\" => 1, _ => 2 }",
    "switch 5 { 0..3 => 1, 3..=5 if true => 2, _ => 3 }",
    "switch 5.0 { 1..9 => 1, _ => 2 }",
    "switch [[1]] { 1 => 1 }",
    "switch timestamp() { 1 => 1, _ => 2 }",
    "switch blob(2) { 1 => 1, _ => 2 }",
    "switch () { () => 1 }",
    "switch 'c' { 'c' => 1 }",
    "let f = |x| switch x { 1 => \"a\", _ => \"b\" }; f.call(1) + f.call(2)",
    "let y = 3; let f = |x| { let z = 1; switch x + y + z { 5 => return \"five\", _ => { z += 1; z } } }; [f.call(1), f.call(2)]",
    "let n = 0; for i in 0..4 { n += switch i { 1 => { continue; } 3 => { break; } _ => 10 }; } n",
    "let x = loop { break switch 1 { 1 => 2, _ => 3 } }; x",
    "let y = [1]; let f = |x| `${x}-${y}`; f.call(#{ a: 'c' })",
    "let f = || { let a = 1; { let b = 2; `${a}${b}` } }; f.call()",
    "[1, 2].map(|x| `<${x}>`)",
    "[[1], [2]].map(|x| `<${x}>`)",
    "fn f(n) { if n == 0 { `${[]}` } else { `${n}` + f(n - 1) } } [f(3)]",
    "fn f(n) { `${n}` } fn g(n) { let h = Fn(\"f\"); h.call(n) + 1 } [g(3)]",
    "fn f() { this += `${1}${this}`; } let a = \"x\"; a.f(); a",
    "let s = \"hello\"; s[1..3] = \"EY\"; s",
    "let s = \"hello\"; let r = 1..=2; s[r] = \"EY\"; s",
    "let s = \"hello\"; s[1..3] = 'x'; s",
    "let s = \"hello\"; s[0..1] = 5; s",
    "let s = \"hello\"; let t = \"T\"; let r = 0..2; s[r] = t; s",
    "let s = \"hello\"; s[1] = 'E'; s",
    "let a = [\"hello\"]; let i = 0; let r = 1..9; a[i][r] = a[i]; a",
    "let n = 0; n[1..3] = 3; n",
    "let n = 0; let r = 4..6; let v = 3; n[r] = v; n",
    "let n = 0; n[3] = true; n",
    "let a = [1, 2]; let i = 1; a[i] = [a]; a",
    "let m = #{}; let k = \"x\"; m[k] = #{ y: [1] }; m[k].y[0] = m; m",
    "let b = blob(3); let i = 1; b[i] = 7; b",
    "let a = [[1], [2]]; a[[0, 1][1]][a[0][0] - 1] = a[0]; a",
    "let m = #{ a: #{ b: [1, 2] } }; let i = 0; m.a.b[i] = m.a; m",
    "let a = [1, 2, 3]; a[a.len() - 1] = [0]; a",
    "let f = Fn(\"max\").curry(3); f.call(5) + f.call(1)",
    "let f = |a, b, c| [a, b, c]; f.curry(1).curry(2).call(3)",
    "let f = |a, b| [a, b]; let g = curry(f, [1]); g.call(2)",
    "let a = 1; let b = 2; let f = |x| a + b + x; a = 10; f.call(100)",
    "let a = 1; let f = || { a += 1; `${a}` }; f.call() + f.call() + a",
    "1.curry(2)",
    "let m = #{ f: |x| `${this.v}${x}`, v: 7 }; m.f(1)",
    "let f = |x| { try { throw `${x}` } catch (e) { `<${e}>` } }; f.call([1])",
    "fn f(x) { const Y = x; let s = `${Y}`; s } [f(1), f(2)]",
    "let f = |n| { let g = |m| `${m}:${n}`; g.call(1) }; f.call(2)",
    "fn string.f() { `<${this}>` } fn int.f() { `(${this})` } [\"x\".f(), 1.f()]",
    "let x = if true { switch 2 { 2 => `${2}` } } else { 1 }; x",
    // What must not be called on a constant, and what may.
    "const A = [2, 1]; A.sort()",
    "const A = [2, 1]; A == [2, 1]",
    "const A = [2, 1]; A.contains(2)",
    "const S = \"a\"; S.pad(3, 'x')",
    "const S = \"a,b\"; S.split(',')",
    "const A = [1]; A.drain(|x| true)",
    "const A = [1]; A.to_string()",
    "const M = #{ a: 1 }; M.to_json()",
    "const A = [1]; A.dedup()",
    "const S = \"a\"; S + [1]",
];

/// The type and the inside of a value.
fn inside(value: &rhai::Dynamic) -> String {
    format!("{} {value:?}", value.type_name())
}

fn module() -> rhai::Module {
    let mut module = rhai::Module::new();
    module.set_native_fn("inside", |value: rhai::Dynamic| Ok(inside(&value)));
    module.build_index();
    module
}

fn rhais(source: &str) -> Result<String, String> {
    rhai::Engine::new()
        .eval::<rhai::Dynamic>(source)
        .map(|value| inside(&value))
        .map_err(|why| why.to_string())
}

fn engine() -> Engine {
    let settings = Settings {
        running: 1,
        in_flight: 1,
        queue: 1,
        compiled_scripts: 1,
        max_call_depth: 64,
        max_memory: 64 << 20,
        memory_of_all: 128 << 20,
        response_limit: 8 << 20,
        log: LogLimits::default(),
    };
    Engine::start(&settings, &[SdkModule { name: "compare", build: module }])
}

fn ours(engine: &Engine, source: &str) -> Result<String, String> {
    let (functions, body) = split_functions(source);
    let outcome = run_on(engine, &format!("{functions}compare::inside({{ {body} }})"), |_| ());
    let body = outcome.result.map_err(|failure| failure.message)?.body;
    serde_json::from_slice(&body).map_err(|why| why.to_string())
}

/// Functions stand on their own in front of an expression.
fn split_functions(source: &str) -> (&str, &str) {
    let end = source.rfind("} let a = ").or_else(|| source.rfind("} ["));
    match end.or_else(|| source.rfind("} get_fn")) {
        Some(end) if source.starts_with("fn ") => source.split_at(end + 2),
        _ => ("", source),
    }
}

#[test]
fn every_expression_has_the_value_it_has_in_rhai() {
    let engine = engine();
    let mut wrong = Vec::new();
    for source in EXPRESSIONS {
        let (theirs, ours) = (rhais(source), ours(&engine, source));
        if theirs.is_ok() != ours.is_ok() || theirs.is_ok() && theirs != ours {
            wrong.push(format!("{source}\n  rhai: {theirs:?}\n  ours: {ours:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Values as a script writes them.
fn literal() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (-3..4_i64).prop_map(|n| n.to_string()),
        prop::sample::select(vec![
            "1.0", "2.5", "-0.0", "'a'", "\"a\"", "\"\"", "true", "()", "blob(2)", "0..2", "1..=2"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), inner), 0..3).prop_map(
                |fields| {
                    let fields: std::collections::BTreeMap<_, _> = fields.into_iter().collect();
                    let fields: Vec<_> =
                        fields.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                    format!("#{{ {} }}", fields.join(", "))
                }
            ),
        ]
    })
}

fn same(engine: &Engine, source: &str) -> Result<(), TestCaseError> {
    let (theirs, ours) = (rhais(source), ours(engine, source));
    if theirs.is_ok() || ours.is_ok() {
        prop_assert_eq!(theirs, ours, "{}", source);
    }
    Ok(())
}

#[test]
fn any_two_values_compare_search_and_print_as_in_rhai() {
    let engine = engine();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let result = runner.run(&(literal(), literal()), |(a, b)| {
        same(&engine, &format!("let a = {a}; let b = {b}; [[a] == [b], [a] != [b], a == b, a in [b], `${{a}}`, \"\" + b, a.to_string(), [a, b].to_debug(), [b, a, b].index_of(a)]"))
    });
    assert!(result.is_ok(), "{result:?}");
}

#[test]
fn any_string_and_offsets_give_the_same_parts_as_in_rhai() {
    let engine = engine();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let offset = || prop_oneof![-7..8_i64, Just(i64::MAX), Just(i64::MIN + 1)];
    let result = runner.run(&("[aé€]{0,5}", offset(), offset()), |(text, a, b)| {
        same(&engine, &format!("let s = \"{text}\"; let c = s; c.crop({a}, {b}); let d = s; d.crop({a}); let e = s; e.crop({a}..{b}); let f = s; f.crop({a}..={b}); let p = s; let q = p.pop({a}); let l = []; for x in s.chars({a}, {b}) {{ l += x }} [s.sub_string({a}, {b}), s.sub_string({a}), s.sub_string({a}..{b}), s.sub_string({a}..={b}), c, d, e, f, p, q, l, s.index_of('é', {a}), s.index_of(\"a\", {a}), s.split({a})]"))
    });
    assert!(result.is_ok(), "{result:?}");
}
