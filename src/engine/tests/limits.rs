//! A run that wants too much is stopped, wherever it is.

use std::time::Instant;

use super::*;

fn stopped(source: &str, change: impl FnOnce(&mut Limits)) -> (Failure, u64, Duration) {
    let outcome = run_on(&engine(|_| ()), source, |job| change(&mut job.limits));
    let (operations, duration) = (outcome.operations, outcome.duration);
    (failure_of(outcome), operations, duration)
}

/// Rhai gives the look into a map no place: whichever operation is the last, the loop's is said.
#[test]
fn whichever_operation_is_the_last_it_is_said_where() {
    let engine = engine(|_| ());
    let source = "let m = #{ a: [1], b: #{ c: 1 } };\n for i in 0..1000 {\n m.a[0] = m.b.c;\n loop { m.b.c += m.a[0]; break; } }";
    for operations in 100..130 {
        let failure = failure_of(run_on(&engine, source, |job| job.limits.operations = operations));
        assert_eq!(failure.kind, FailureKind::Operations);
        assert!(failure.line.is_some_and(|line| line >= 2) && failure.column.is_some(), "{failure:?}");
    }
}

#[test]
fn operations_in_a_closure_that_a_native_calls_count() {
    let source = "let a = []; a.pad(10_000, 1);\nlet n = 0;\n\
                  for i in 0..1000 { n = a.reduce(|sum, v| { let x = v; sum += x; sum }, 0); } n";
    let (failure, operations, _) = stopped(source, |_| ());
    assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Operations, 507));
    assert_eq!(operations, 10_000_001);
    assert_eq!(failure.line, Some(3));
    assert!(failure.message.contains("10000000 operations"), "{}", failure.message);
}

#[test]
fn the_budget_is_exact_and_a_runs_own() {
    let engine = engine(|_| ());
    let cost = run_on(&engine, "let n = 0; for i in 0..100 { n += i } n", |_| ()).operations;
    let with = |operations| {
        run_on(&engine, "let n = 0; for i in 0..100 { n += i } n", |job| job.limits.operations = operations)
    };
    assert!(with(cost).result.is_ok());
    assert_eq!(failure_of(with(cost - 1)).kind, FailureKind::Operations);
    assert!(with(cost).result.is_ok());
}

#[test]
fn a_script_cannot_catch_its_end() {
    for source in [
        "try { loop {} } catch { 1 }",
        "fn f() { loop {} } try { f() } catch (e) { 1 }",
        "try { [1].map(|x| { loop {} }) } catch { 1 }",
        "loop { try { [1, 2].sort(|a, b| { loop {} }) } catch { } }",
        "let a = [2, 1]; a.sort(|a, b| { loop {} }); 1",
    ] {
        let (failure, ..) = stopped(source, |limits| limits.operations = 10_000);
        assert_eq!(failure.kind, FailureKind::Operations, "{source}");
    }
}

#[test]
fn an_endless_loop_stops_at_its_deadline_and_its_thread_serves_on() {
    let engine = engine(|settings| (settings.running, settings.in_flight) = (1, 1));
    let short = Duration::from_millis(100);
    for source in ["loop {}", "[1].map(|x| { loop {} })", "fn f() { loop {} } f()"] {
        let outcome = run_on(&engine, source, |job| {
            job.limits.wall_clock = short;
            job.limits.operations = u64::MAX;
        });
        let took = outcome.duration;
        let failure = failure_of(outcome);
        assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Timeout, 504), "{source}");
        assert!(took >= short && took < Duration::from_secs(10), "{source} took {took:?}");
        assert!(failure.line.is_some());
        assert_eq!(body_of(run_on(&engine, "42", |_| ())), "42");
    }
    assert_eq!(engine.gauges().threads, 1);
}

#[test]
fn sleep_ends_at_the_deadline() {
    let began = Instant::now();
    for source in
        ["sleep(1000)", "sleep(1e300)", "sleep(1.0/0.0)", "try { sleep(1000) } catch { sleep(1000) } 1"]
    {
        let (failure, ..) = stopped(source, |limits| limits.wall_clock = Duration::from_millis(50));
        assert_eq!(failure.kind, FailureKind::Timeout, "{source}");
        assert_eq!(failure.line, Some(1), "{source}");
    }
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn sleep_sleeps() {
    let outcome = run("sleep(0.05); sleep(0); sleep(-1); sleep(-0.5); sleep(0.0/0.0); 1");
    assert!(outcome.duration >= Duration::from_millis(50) && outcome.result.is_ok(), "{outcome:?}");
}

#[test]
fn calls_end_at_the_depth_of_the_runs_own_limit() {
    let engine = engine(|_| ());
    let deep = |levels: u32, limit: u32| {
        let source = format!("fn f(n) {{ if n <= 1 {{ 1 }} else {{ 1 + f(n - 1) }} }}\nf({levels})");
        run_on(&engine, &source, |job| job.limits.call_depth = limit)
    };
    for limit in [1, 64, 128] {
        assert_eq!(body_of(deep(limit, limit)), limit.to_string());
        let failure = failure_of(deep(limit + 1, limit));
        assert_eq!((failure.kind, failure.kind.status()), (FailureKind::CallDepth, 502));
    }
    assert_eq!(failure_of(deep(129, 100_000)).kind, FailureKind::CallDepth, "the ceiling holds");
}

#[test]
fn the_deepest_calls_of_the_deepest_expressions_fit_the_stack() {
    let source = |nested: usize| {
        let (open, close) = ("(1 + ".repeat(nested), ")".repeat(nested));
        format!("fn f(n) {{ if n == 0 {{ 0 }} else {{ {open}[f(n - 1)][0]{close} }} }} f(127)")
    };
    let engine = engine(|_| ());
    let deepest = (1..64).rev().find(|nested| engine.check(&source(*nested)).is_ok()).expect("a depth");
    let outcome = run_on(&engine, &source(deepest), |job| job.limits.call_depth = 128);
    assert_eq!(body_of(outcome), (127 * deepest).to_string());
}

#[test]
fn expressions_nest_64_deep_at_most() {
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    let engine = engine(|_| ());
    assert!(engine.check(&nested(30)).is_ok());
    for source in
        [nested(70), nested(100_000), "[".repeat(100_000), "#{a:".repeat(100_000), "-".repeat(100_000)]
    {
        assert!(engine.check(&source).is_err());
    }
}

#[test]
fn building_an_array_takes_time_in_proportion() {
    let source = "let a = []; for i in 0..64_000 { a.push(#{ n: i }) } a.len()";
    let outcome = run_on(&engine(|_| ()), source, |_| ());
    // A fraction of a second; any of Rhai's size limits would make it half a minute.
    assert!(outcome.duration < Duration::from_secs(8), "{:?}", outcome.duration);
    assert_eq!(body_of(outcome), "64000");
}

#[test]
fn a_response_beyond_its_limit_is_a_size_failure() {
    let engine = engine(|settings| settings.response_limit = 100);
    assert!(run_on(&engine, "blob(100)", |_| ()).result.is_ok());
    let failure = failure_of(run_on(&engine, "blob(101)", |_| ()));
    assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Size, 502));
}
