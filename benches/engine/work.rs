//! The work that is measured.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use picloud::engine::Body;

use crate::{Row, bare, driver::json_body, ours::CALLS, ours::Ours};

/// Scripts that do one thing many times, each with what it may cost beside an engine without limits.
const SCRIPTS: [(&str, f64, &str); 6] = [
    ("array push", 1.10, "let a = []; for i in 0..100000 { a.push(i); } a.len"),
    (
        "map insert",
        1.10,
        "let m = #{}; for i in 0..1000 { for k in [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\", \"j\"] { m[k] = i; } m = #{}; } m.len",
    ),
    ("string building", 1.10, "let s = \"\"; for i in 0..50000 { s += \"part \"; } s.len"),
    ("calls", 1.10, "fn f(n) { n + 1 } let n = 0; for i in 0..50000 { n = f(n); } n"),
    ("objects", 1.10, "let a = []; for i in 0..20000 { a.push(#{ id: i, name: `number ${i}` }); } a.len"),
    ("arithmetic", 1.15, "let n = 0; for i in 0..300000 { n += i * 2; } n"),
];

/// All rows.
pub(crate) fn rows(engine: &Ours) -> Vec<Row> {
    let mut rows: Vec<Row> = SCRIPTS
        .iter()
        .map(|&(name, target, source)| Row {
            name,
            target: Some(target),
            baseline: bare::runs(source),
            picloud: engine.runs(source, Body::default()),
        })
        .collect();
    rows.push(Row {
        name: "one small run, handed over and back, against the bare engine inline (1000 of them)",
        target: None,
        baseline: repeated(bare::runs("let n = 1; #{ n: n }")),
        picloud: engine.calls("let n = 1; #{ n: n }"),
    });
    let sdk = "let n = 0; for i in 0..50000 { n = time::now_ms(); } n";
    rows.push(Row {
        name: "a call of the library, against a native of a bare engine (50 000 of them)",
        target: None,
        baseline: bare::runs(sdk),
        picloud: engine.runs(sdk, Body::default()),
    });
    rows.extend([body_through(engine), one_field(engine), patterns(engine)]);
    rows
}

fn repeated(mut run: Box<dyn FnMut() -> Duration>) -> Box<dyn FnMut() -> Duration> {
    Box::new(move || (0..CALLS).map(|_| run()).sum())
}

/// About 1 MiB of JSON.
fn json() -> String {
    let mut text = String::from("[");
    while text.len() < 1_000_000 {
        let n = text.len();
        write!(
            text,
            "{{\"id\":{n},\"name\":\"item {n}\",\"price\":{n}.5,\"tags\":[\"a\",\"b\"],\"stock\":true}},"
        )
        .expect("a string takes text");
    }
    text.push_str("null]");
    text
}

fn body_through(engine: &Ours) -> Row {
    let text = json();
    let body = json_body(text.clone());
    Row {
        name: "1 MiB of JSON in and out, against serde_json's own values",
        target: None,
        baseline: Box::new(move || {
            let began = Instant::now();
            let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
            std::hint::black_box(serde_json::to_vec(&value).expect("and again"));
            drop(value);
            began.elapsed()
        }),
        picloud: engine.runs("ctx.request.body", body),
    }
}

/// Reading a field of the request must not depend on the size of its body.
fn one_field(engine: &Ours) -> Row {
    let source = "let n = 0; for i in 0..20000 { n += ctx.request.method.len; } n";
    Row {
        name: "20 000 reads of a field beside a body of 1 MiB, against one of 2 bytes",
        target: None,
        baseline: engine.runs(source, json_body("[]".to_owned())),
        picloud: engine.runs(source, json_body(json())),
    }
}

fn patterns(engine: &Ours) -> Row {
    const TEXT: &str = "the quick brown fox 42 jumps over 7 lazy dogs ";
    let source = "let s = ctx.request.body[0]; regex::find_all(\"[a-z]+ [0-9]+\", s).len";
    let text = TEXT.repeat(100_000 / TEXT.len());
    let body = json_body(format!("[{text:?}]"));
    let pattern = regex::Regex::new("[a-z]+ [0-9]+").expect("a pattern");
    Row {
        name: "all matches of a pattern in 100 KB, against the regex crate",
        target: None,
        baseline: Box::new(move || {
            let began = Instant::now();
            let found: Vec<String> =
                pattern.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
            std::hint::black_box(&found);
            began.elapsed()
        }),
        picloud: engine.runs(source, body),
    }
}
