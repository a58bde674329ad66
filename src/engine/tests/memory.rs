//! What runs hold of memory, each and together, and what they leave.

use super::*;

/// A script that leaves about as many KiB as it is told, which nothing reaches any more.
fn leaking(kib: usize) -> String {
    format!("fn leak() {{ let x = #{{ big: blob({}) }}; let f = || x; x.f = f; }}\nleak(); 1", kib * 1024)
}

fn version(script: ScriptId, version: i32, source: &str) -> (Code, ScriptRef) {
    let code = Code::Version { script, version, source: source.into() };
    (code, ScriptRef { id: script, name: "leaky".parse().expect("a name"), version: Some(version) })
}

fn run_version(engine: &Engine, script: ScriptId, number: i32, source: &str) -> Outcome {
    run_on(engine, "", |job| (job.code, job.invocation.script) = version(script, number, source))
}

#[test]
fn a_run_ends_at_its_own_limit() {
    let engine = engine(|_| ());
    let source = "let a = [];\nloop { a.push(#{ x: 1 }); }";
    let with = |memory| run_on(&engine, source, |job| job.limits.memory = memory);
    for memory in [1 << 20, 8 << 20] {
        let outcome = with(memory);
        let operations = outcome.operations;
        let failure = failure_of(outcome);
        assert_eq!((failure.kind, failure.kind.status()), (FailureKind::Memory, 502));
        assert_eq!(failure.message, format!("the script held more than {} MiB of memory", memory >> 20));
        assert_eq!(failure.line, Some(2));
        // A map and its place in the array take some hundred bytes.
        let each = memory as u64 / operations.max(1);
        assert!((20..2000).contains(&each), "{each} bytes for each operation");
    }
}

#[test]
fn what_is_dropped_counts_no_more() {
    let source = "for i in 0..200 { let b = blob(1000000, 7); } 1";
    assert!(run_on(&engine(|_| ()), source, |job| job.limits.memory = 4 << 20).result.is_ok());
}

#[test]
fn a_native_is_refused_what_there_is_no_room_for() {
    let outcome = run_on(&engine(|_| ()), "blob(5_000_000)", |job| job.limits.memory = 4 << 20);
    assert_eq!(failure_of(outcome).kind, FailureKind::Memory);
}

#[test]
fn all_runs_together_hold_what_the_machine_can_spare() {
    let engine = engine(|settings| (settings.running, settings.memory_of_all) = (2, 8 << 20));
    // One holds six of the eight MiB until it is let go.
    let holds = format!("let b = blob(6000000, 1); {}", held(2));
    let (job, first) = job(&holds, |job| job.limits.operations = u64::MAX);
    engine.submit(job).expect("room at the gate");
    eventually("the first run holds its memory", || engine.memory_taken() >= 6_000_000);
    let refused = failure_of(run_on(&engine, "let b = blob(4000000, 1); b.len", |_| ()));
    assert_eq!((refused.kind, refused.kind.status()), (FailureKind::MemoryOfAll, 503));
    assert!(refused.message.starts_with("all running scripts together"), "{}", refused.message);
    assert!(run_on(&engine, "let b = blob(100000, 1); b.len", |_| ()).result.is_ok(), "a small one may run");
    release(2);
    assert!(first.recv_timeout(PATIENCE).is_ok_and(|outcome| outcome.result.is_ok()));
    assert!(run_on(&engine, "let b = blob(4000000, 1); b.len", |_| ()).result.is_ok(), "it was given back");
}

#[test]
fn what_a_run_leaves_is_noted_in_its_log() {
    let outcome = run(&leaking(100));
    assert!(outcome.result.is_ok());
    let [line] = outcome.logs.as_slice() else { panic!("one line: {:?}", outcome.logs) };
    assert_eq!(line.level, Level::Warn);
    assert!(line.message.starts_with("the run left 10"), "{}", line.message);
    assert!(line.message.contains("a closure captures a value that holds the closure"), "{}", line.message);
}

#[test]
fn a_cycle_that_can_still_be_reached_is_undone() {
    for source in [
        "let x = #{ big: blob(100000) }; let f = || x; x.f = f; 1",
        "let x = #{ big: blob(100000) }; let f = || x; x.f = f; throw x;",
        "let x = #{ big: blob(100000) }; let f = || x; x.f = f; fn g() { throw 1 } g()",
    ] {
        assert_eq!(run(source).logs, [], "{source}");
    }
}

#[test]
fn scripts_without_leaks_leave_nothing_however_often_they_run() {
    let engine = engine(|_| ());
    let script = ScriptId::new();
    let source = "let n = 0; let f = |x| n + x; let a = []; for i in 0..10 { a.push(f.call(i)); }\n\
                  log::info(\"done\", #{ a: a }); #{ a: a.map(|x| x * n), text: `${a}`, id: ctx.app.id }";
    for _ in 0..50 {
        let outcome = run_version(&engine, script, 1, source);
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        assert_eq!(outcome.logs.len(), 1, "{:?}", outcome.logs);
    }
}

#[test]
fn a_version_that_left_16_mib_runs_no_more_until_it_is_saved_anew() {
    let engine = engine(|_| ());
    let (script, source) = (ScriptId::new(), leaking(6 * 1024));
    for _ in 0..3 {
        assert!(run_version(&engine, script, 1, &source).result.is_ok());
    }
    let refused = failure_of(run_version(&engine, script, 1, &source));
    assert_eq!((refused.kind, refused.kind.status()), (FailureKind::Leak, 502));
    assert!(refused.message.contains("save the script"), "{}", refused.message);
    assert!(run_version(&engine, script, 2, &source).result.is_ok(), "another version begins anew");
    assert!(
        run_version(&engine, ScriptId::new(), 1, &source).result.is_ok(),
        "another script is not concerned"
    );
}

/// What fails within a native must not make room for more.
#[test]
fn errors_of_the_library_do_not_raise_the_limit() {
    let engine = engine(|_| ());
    for fails in [
        "time::format(0, \"%Y\", long)",
        "regex::is_match(long, \"\")",
        "regex::is_match(`${short}(`, \"\")",
        "log::info(#{ value: 0.0 / 0.0, name: short })",
        "json::parse(long)",
        "base64::decode(long)",
        "url::parse(long)",
    ] {
        let source = format!(
            "let long = \"\"; long.pad(500000, 'a'); let short = \"\"; short.pad(1000, 'a');\n\
             for i in 0..300 {{ try {{ {fails} }} catch {{}} }}\n\
             let a = []; loop {{ a.push(blob(100000, 1)); }}"
        );
        let outcome = run_on(&engine, &source, |job| {
            job.limits.memory = 8 << 20;
            job.limits.log_lines = 1000;
            job.invocation.script.version = Some(1);
        });
        let operations = outcome.operations;
        let failure = failure_of(outcome);
        assert_eq!(failure.kind, FailureKind::Memory, "{fails}: {failure:?}");
        // Some eighty blobs fit, a few operations each, after 300 times the failure.
        assert!(operations < 10_000, "{fails}: {operations} operations");
        assert_eq!(engine.memory_taken(), 0, "{fails}");
    }
}

#[test]
fn a_copy_of_ctx_that_is_put_into_ctx_is_undone() {
    let engine = engine(|_| ());
    let body = || Body { raw: "{\"a\":{}}".into(), content: body::Content::Json };
    for source in [
        "let v = ctx; let w = ctx; w.big = []; w.big.pad(100000, 1); v.request.body.k = w; 1",
        "let v = ctx; v.request.body.k = v; 1",
        "let v = ctx.request; v.body.k = v; v.body.big = blob(100000); throw v;",
        "fn f() { let v = ctx; v.request.body.k = v; } f()",
    ] {
        let outcome = run_on(&engine, source, |job| job.invocation.request.body = body());
        assert_eq!(outcome.logs, [], "{source}");
        assert_eq!(engine.memory_taken(), 0, "{source}");
    }
}

#[test]
fn waiting_for_others_is_no_leak() {
    let engine = engine(|settings| settings.running = 1);
    let (job, first) = job("let x = 1; let f = || x; sleep(0.2); f.call()", |_| ());
    engine.submit(job).expect("room at the gate");
    // These make threads and seats while the first waits.
    for _ in 0..4 {
        run_on(&engine, "1", |_| ());
    }
    assert_eq!(first.recv_timeout(PATIENCE).expect("an outcome").logs, []);
}
