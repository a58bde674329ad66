//! `ctx`: its shape, that it is seen everywhere, and that nothing in it changes.

use super::*;
use crate::engine::body::decode_request;

async fn full() -> Invocation {
    let text = |text: &str| text.to_owned();
    let pair = |key: &str, value: &str| (text(key), text(value));
    let raw = bytes::Bytes::from_static(br#"{"items":[{"n":1},{"n":2}],"f":1.0}"#);
    let mut invocation = invocation(Request {
        method: text("POST"),
        path: text("/things/7/a/b"),
        headers: vec![pair("accept", "a, b")],
        query: vec![pair("k", "1"), pair("one", "x"), pair("k", "2")],
        params: vec![(text("id"), Some(text("7"))), (text("page"), None)],
        rest: Some(text("a/b")),
        body: decode_request(Some("application/json"), raw).await.expect("a body"),
        ..request()
    });
    invocation.attempt = 3;
    invocation.script.version = Some(5);
    invocation.principal =
        Some(Principal { id: UserId::new(), username: text("ada"), role: Some(text("editor")) });
    invocation
}

async fn answer_in_full(source: &str) -> String {
    let invocation = full().await;
    body_of(run_on(&engine(|_| ()), source, |job| job.invocation = invocation))
}

#[tokio::test]
async fn every_field_is_there() {
    for (source, expected) in [
        ("ctx.request_id", r#""req-1""#),
        ("ctx.attempt", "3"),
        ("ctx.trigger_depth", "0"),
        ("ctx.invocation", r#""http""#),
        ("ctx.app.slug", r#""garden""#),
        ("ctx.script.name", r#""hello""#),
        ("ctx.script.version", "5"),
        ("ctx.principal.username", r#""ada""#),
        ("ctx.principal.role", r#""editor""#),
        ("ctx.request.method", r#""POST""#),
        ("ctx.request.path", r#""/things/7/a/b""#),
        ("ctx.request.host", r#""garden.local""#),
        ("ctx.request.headers.accept", r#""a, b""#),
        ("ctx.request.headers[\"accept\"]", r#""a, b""#),
        ("ctx.request.query", r#"{"k":["1","2"],"one":"x"}"#),
        ("ctx.request.params", r#"{"id":"7","page":null}"#),
        ("ctx.request.rest", r#""a/b""#),
        ("ctx.request.body", r#"{"f":1.0,"items":[{"n":1},{"n":2}]}"#),
        ("ctx.request.body.items[1].n", "2"),
        ("ctx.request.body_bytes().len()", "35"),
        ("let r = ctx.request; r.body_bytes().as_string()[0] == '{'", "true"),
        ("ctx.request.remote_addr", r#""192.0.2.7""#),
        ("\"event\" in ctx", "false"),
        ("\"request\" in ctx", "true"),
        ("ctx.keys().len()", "10"),
        ("ctx.execution_id == ctx.root_execution_id && ctx.app.id.len() == 36", "true"),
        ("type_of(ctx)", r#""map""#),
    ] {
        assert_eq!(answer_in_full(source).await, expected, "{source}");
    }
}

#[test]
fn what_is_not_there_is_unit() {
    assert_eq!(
        answer("[ctx.principal, ctx.request.rest, ctx.request.body, ctx.script.version]"),
        "[null,null,null,null]"
    );
    assert_eq!(answer("ctx.request.body_bytes().len()"), "0");
}

#[tokio::test]
async fn it_is_seen_in_functions_and_closures() {
    for source in [
        "fn f() { ctx.app.slug } f()",
        "fn f() { let g = || ctx.app.slug; g.call() } f()",
        "let f = || ctx.app.slug; f.call()",
        "let x = 1; let f = || { let y = x; || ctx.app.slug }; let g = f.call(); g.call()",
        "let c = [1].map(|i| ctx.app.slug); c[0]",
        "fn f() { [1, 2].reduce(|a, b| ctx.app.slug) } f()",
        "fn f(c) { c.app.slug } f(ctx)",
        "`${ctx.app.slug}`",
        "let items = ctx.request.body.items; let s = items.map(|i| ctx.app.slug); s[1]",
        "let c = ctx; let f = || c.app.slug; f.call()",
        "try { throw 1 } catch { return ctx.app.slug; }",
    ] {
        assert_eq!(answer_in_full(source).await, r#""garden""#, "{source}");
    }
    assert_eq!(answer_in_full("ctx.request.body.items.map(|i| i.n)").await, "[1,2]");
    assert_eq!(answer_in_full("let n = 0; for i in ctx.request.body.items { n += i.n } n").await, "3");
}

#[tokio::test]
async fn nothing_in_it_can_be_changed() {
    let engine = engine(|_| ());
    for write in [
        "ctx = 1",
        "ctx.attempt = 9",
        "ctx.fresh = 1",
        "ctx[\"attempt\"] = 9",
        "ctx.request.path = \"/\"",
        "ctx.request.headers.accept = \"c\"",
        "ctx.request.body.items[0].n = 9",
        "ctx.request.body.items[0] = 9",
        "ctx.request.body.items.push(9)",
        "ctx.request.body.items.clear()",
        "ctx.request.headers.remove(\"accept\")",
        "ctx.request.body.clear()",
        "fn f() { ctx.request.path = \"/\" } f()",
        "let f = || { ctx.request.path = \"/\" }; f.call()",
        "ctx.attempt += 1",
        "fn f() { this.attempt = 9 } ctx.f()",
    ] {
        let script = format!("let before = ctx.to_string(); {write}; before");
        let invocation = full().await;
        let outcome = run_on(&engine, &script, |job| job.invocation = invocation);
        let Err(failure) = outcome.result else { panic!("{write} goes through") };
        assert!(matches!(failure.kind, FailureKind::Throw | FailureKind::Parse), "{write}: {failure:?}");
        assert!(failure.message.contains("`ctx`"), "{write}: {failure:?}");
        assert!(failure.line.is_some(), "{write}");
        if failure.kind == FailureKind::Throw && !write.starts_with("fn") {
            let caught =
                format!("let before = `${{ctx}}`; try {{ {write} }} catch {{}} before == `${{ctx}}`");
            assert_eq!(answer_in_full(&caught).await, "true", "{write}");
        }
    }
}

#[tokio::test]
async fn a_copy_can_be_changed_and_leaves_ctx_alone() {
    let source = "let b = ctx.request.body; b.items[0].n = 9; b.more = true; \
                  [b.items[0].n, b.more, ctx.request.body.items[0].n, \"more\" in ctx.request.body]";
    assert_eq!(answer_in_full(source).await, "[9,true,1,false]");
    for (change, seen) in [
        ("let h = ctx.request.headers; h.accept = 9;", "[h.accept, ctx.request.headers.accept]"),
        ("let r = ctx.request; r.headers.accept = 9;", "[r.headers.accept, ctx.request.headers.accept]"),
        (
            "let c = ctx; c.request.headers.accept = 9;",
            "[c.request.headers.accept, ctx.request.headers.accept]",
        ),
    ] {
        assert_eq!(answer_in_full(&format!("{change} {seen}")).await, r#"[9,"a, b"]"#, "{change}");
    }
    for change in [
        "let r = ctx.request; r.fresh = 1; r.headers.fresh = 1; r.query.fresh = 1;",
        "let c = ctx; c.fresh = 1; c.app.fresh = 1; c.request.fresh = 1; c.request.params.clear();",
        "fn f(c) { c.request.headers.fresh = 1; c.request.clear(); } f(ctx);",
        "let f = |r| { r.headers.fresh = 1; r.clear(); }; f.call(ctx.request);",
    ] {
        let source = format!("let before = `${{ctx}}`; {change} before == `${{ctx}}`");
        assert_eq!(answer_in_full(&source).await, "true", "{change}");
    }
}

#[tokio::test]
async fn a_closure_that_meets_a_held_ctx_is_told_what_to_do() {
    let invocation = full().await;
    let source = "1;\nctx.request.body.items.map(|i| ctx.app.id)";
    let failure = failure_of(run_on(&engine(|_| ()), source, |job| job.invocation = invocation));
    assert!(failure.message.contains("put it into a variable first"), "{failure:?}");
    assert_eq!(failure.line, Some(2));
}

#[test]
fn declaring_the_name_does_not_compile() {
    let problems = engine(|_| ()).check("let a = 1;\nlet ctx = 2;\n[1].map(|ctx| 1)").expect_err("problems");
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column)).collect();
    assert_eq!(places, [(Some(2), Some(5)), (Some(3), Some(10))]);
    let failure = failure_of(run("let ctx = 2;"));
    assert_eq!((failure.kind, failure.line, failure.column), (FailureKind::Parse, Some(1), Some(5)));
}

#[tokio::test]
async fn reading_a_field_of_a_large_request_copies_nothing() {
    let items = vec![r#"{"name":"a long enough name for a thing","n":1}"#; 20_000].join(",");
    let raw = bytes::Bytes::from(format!("[{items}]"));
    let body = decode_request(Some("application/json"), raw).await.expect("a body");
    let invocation = invocation(Request { body, ..request() });
    let source = "let n = 0; for i in 0..10_000 { n += ctx.request.body[i].n; n += ctx.attempt } n";
    let outcome = run_on(&engine(|_| ()), source, |job| job.invocation = invocation);
    // A fraction of a second; a copy of the body takes some 10 ms each time.
    assert!(outcome.duration < Duration::from_secs(10), "{:?}", outcome.duration);
    assert_eq!(body_of(outcome), "20000");
}
