//! Errors: their kind, words, line and column; thrown responses; panics.

use super::*;

fn at(source: &str) -> (FailureKind, String, Option<u32>, Option<u32>) {
    let failure = failure_of(run(source));
    (failure.kind, failure.message, failure.line, failure.column)
}

#[test]
fn an_error_has_its_line_and_column_inside_functions_too() {
    let throw = FailureKind::Throw;
    for (source, message, line, column) in [
        ("let a = 1;\n  throw \"no\";", "no", 2, 3),
        ("fn f(x) {\n  if x > 0 {\n    throw \"deep\";\n  }\n}\nlet a = 1;\nf(a);", "deep", 3, 5),
        ("fn g() {\n  throw \"inner\"\n}\nfn f() {\n  g()\n}\nf()", "inner", 2, 3),
        ("[1].map(|x| {\n throw \"closure\" })", "closure", 2, 2),
        ("let a = 1;\nlet b = a / 0;", "Division by zero: 1 / 0", 2, 11),
        ("fn f() {\n 1 + 2 / 0\n}\n\n\nf()", "Division by zero: 2 / 0", 2, 8),
        ("1;\nmissing", "Variable not found: missing", 2, 1),
        ("let a = [1];\n\na[5]", "Array index 5 out of bounds: only 1 element in array", 3, 3),
        ("fn f() {\n  nope(1)\n}\nf()", "Function not found: nope (i64)", 2, 3),
    ] {
        assert_eq!(at(source), (throw, message.to_owned(), Some(line), Some(column)), "{source}");
    }
}

#[test]
fn a_script_that_does_not_parse_says_where() {
    let (kind, _, line, column) = at("let a = 1;\nlet b = ;");
    assert_eq!((kind, kind.status(), line, column), (FailureKind::Parse, 422, Some(2), Some(9)));
}

#[test]
fn check_names_all_it_finds_in_the_order_of_the_text() {
    let engine = engine(|_| ());
    assert_eq!(engine.check("let a = 1; a"), Ok(()));
    let problems = engine.check("let ctx = 1;\nlet = 2;").expect_err("problems");
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn import_and_eval_are_off() {
    for (source, word) in
        [("import \"a\" as b;", "import"), ("eval(\"1\")", "eval"), ("let x = eval(\"1\");", "eval")]
    {
        let problems = engine(|_| ()).check(source).expect_err("a problem");
        assert!(problems[0].message.contains(&format!("`{word}` is not available")), "{problems:?}");
        assert_eq!(problems[0].line, Some(1));
    }
}

#[test]
fn what_is_thrown_is_the_message() {
    for (source, message) in [
        ("throw \"text\"", "text"),
        ("throw #{ kind: \"unavailable\", message: \"the words\" }", "the words"),
        ("throw #{ a: 1 }", "{\"a\":1}"),
        ("throw #{ message: 5 }", "{\"message\":5}"),
        ("throw 42", "42"),
        ("throw ()", "the script threw"),
        ("throw", "the script threw"),
        ("let s = \"a\"; s.pad(5000, 'a'); throw [s]", "the script threw a value too large to show"),
    ] {
        assert_eq!(at(source).1, message, "{source}");
    }
    assert_eq!(at("let s = \"\"; s.pad(9000, 'é'); throw s").1.len(), 4096);
}

#[test]
fn a_thrown_response_is_that_response() {
    for source in [
        "throw #{ statusCode: 404, body: #{ error: \"none\" } }",
        "fn f() { throw #{ statusCode: 404, body: #{ error: \"none\" } } }\nf()",
    ] {
        let failure = failure_of(run(source));
        assert_eq!(failure.kind, FailureKind::Throw);
        assert_eq!(failure.message, "threw a response with status 404");
        let response = failure.response.expect("a response");
        assert_eq!((response.status, &response.body[..]), (404, &br#"{"error":"none"}"#[..]));
    }
    let bad = failure_of(run("throw #{ statusCode: 99 }"));
    assert_eq!((bad.kind, bad.response), (FailureKind::BadResponse, None));
    assert_eq!(bad.line, Some(1));
    assert_eq!(failure_of(run("throw #{ body: 1 }")).response, None);
}

#[test]
fn returning_and_exiting_answer() {
    assert_eq!(answer("return 1; 2"), "1");
    assert_eq!(answer("fn f() { exit(3) } f(); 4"), "3");
}

#[test]
fn a_bad_response_says_what_is_bad() {
    let failure = failure_of(run("#{ statusCode: 200, headers: #{ connection: \"close\" } }"));
    assert_eq!((failure.kind, failure.kind.status()), (FailureKind::BadResponse, 502));
    assert!(failure.message.contains("`connection`"), "{failure:?}");
}

#[test]
fn a_panic_is_that_runs_own_and_nothing_else() {
    let engine = engine(|settings| (settings.running, settings.in_flight) = (1, 1));
    let source = "log::info(\"before\");\nlet f = || test::panic();\nctx.app.id;\nf.call()";
    let outcome = run_on(&engine, source, |_| ());
    assert_eq!(outcome.logs.len(), 1, "what it logged is kept");
    let failure = failure_of(outcome);
    assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Panic, 500));
    assert!(!failure.message.contains("a native panics"), "inside text stays inside");
    assert_eq!(body_of(run_on(&engine, "1 + 1", |_| ())), "2");
    assert_eq!(engine.gauges().threads, 1);
}
