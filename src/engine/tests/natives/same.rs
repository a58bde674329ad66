//! What was replaced answers as Rhai does.

use proptest::prelude::*;

use super::*;

/// Expressions whose values are compared with those of a plain engine.
const EXPRESSIONS: &str = include_str!("same.txt");

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
    Engine::start(&settings, &[SdkModule { name: "compare", about: "", functions: &[], build: module }])
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
    for source in EXPRESSIONS.lines().filter(|line| !line.starts_with("//")) {
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
