//! Runs on the threads of the runtime: short ones stay, long ones leave.

use super::*;
use crate::system::worker;

/// A runtime with so many threads on which the runs of [`engine`] may be made.
fn runtime(threads: usize) -> tokio::runtime::Runtime {
    worker::runtime(threads, stack_bytes(32 << 20)).expect("a runtime")
}

/// A job whose script is compiled, as one is that ran before, and where its outcome comes out,
/// with the name of the thread it ran on.
fn compiled(engine: &Engine, source: &str) -> (Job, mpsc::Receiver<(Outcome, String)>) {
    let script = ScriptId::new();
    run_on(engine, "1", |job| {
        job.code = Code::Version { script, version: 1, source: source.into() };
        job.limits.wall_clock = Duration::from_millis(1);
    });
    again(engine, script)
}

fn again(engine: &Engine, script: ScriptId) -> (Job, mpsc::Receiver<(Outcome, String)>) {
    let (sender, ended) = mpsc::channel();
    let (job, _) = job("", |job| {
        job.invocation.script.id = script;
        job.invocation.script.version = Some(1);
        job.code = Code::Compiled(engine.compiled(script, 1).expect("it is at hand"));
        job.limits.operations = u64::MAX;
        job.done = Box::new(move |outcome| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let _ = sender.send((outcome, name));
        });
    });
    (job, ended)
}

/// Runs a job in a task of the runtime, if the engine lets it.
async fn visit(engine: &Engine, job: Job) -> bool {
    let engine = engine.clone();
    let let_in = tokio::spawn(async move {
        engine.enter(Box::new(job)).map(|visit| tokio::spawn(async { visit.run() })).is_ok()
    });
    let_in.await.expect("no panic")
}

#[test]
fn a_short_run_is_made_where_it_is_handed_in() {
    let engine = engine(|_| ());
    let (job, ended) = compiled(&engine, "1 + 1");
    runtime(1).block_on(async { assert!(visit(&engine, job).await) });
    let (outcome, thread) = ended.recv_timeout(PATIENCE).expect("it ends");
    assert_eq!(body_of(outcome), "2");
    assert!(!thread.starts_with("script-"), "{thread}");
    assert_eq!(engine.gauges().in_flight, 0);
}

#[test]
fn a_thread_of_no_such_runtime_takes_none() {
    let engine = engine(|_| ());
    let (job, _ended) = compiled(&engine, "1 + 1");
    let plain = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    plain.block_on(async { assert!(!visit(&engine, job).await) });
}

/// What keeps a thread for long leaves it to others: the only thread of the runtime goes on.
fn leaves(source: &str) {
    let engine = engine(|_| ());
    let (job, ended) = compiled(&engine, source);
    let runtime = runtime(1);
    runtime.block_on(async {
        assert!(visit(&engine, job).await);
        for _ in 0..100 {
            tokio::spawn(tokio::task::yield_now()).await.expect("the runtime goes on");
        }
        assert_eq!(engine.gauges().in_flight, 1, "and the run too: {source}");
    });
    engine.stop(Duration::ZERO);
    let (outcome, _) = ended.recv_timeout(PATIENCE).expect("it ends");
    assert_eq!(failure_of(outcome).kind, FailureKind::Stopped);
}

#[test]
fn a_run_of_many_operations_leaves_the_thread() {
    leaves("loop {}");
}

#[test]
fn a_run_that_waits_leaves_the_thread() {
    leaves("sleep(1000)");
}

#[test]
fn a_run_with_a_long_native_leaves_the_thread() {
    leaves("let a = []; a.pad(300000, 0); a.sort(|x, y| { while test::is_held(27) {} 0 });");
}

#[test]
fn a_run_that_holds_much_leaves_before_a_native_is_busy_with_it() {
    leaves(
        "let s = \"x\"; for i in 0..20 { s += s } loop { s.replace(\"xx\", \"yy\"); s.replace(\"yy\", \"xx\") }",
    );
}

#[test]
fn a_run_of_few_operations_that_take_long_leaves() {
    leaves("let b = \"x\"; b.pad(60000, \"y\"); loop { hex::decode(hex::encode(b)) }");
}

#[test]
fn a_run_that_left_keeps_to_its_limits() {
    let engine = engine(|_| ());
    let (mut job, ended) = compiled(&engine, "let s = \"x\"; loop { s += s }");
    job.limits.memory = 1 << 20;
    runtime(1).block_on(async { assert!(visit(&engine, job).await) });
    let (outcome, _) = ended.recv_timeout(PATIENCE).expect("it ends");
    assert!(matches!(failure_of(outcome).kind, FailureKind::Memory | FailureKind::Size));
    let (mut job, ended) = compiled(&engine, "loop {}");
    job.limits.wall_clock = Duration::from_millis(50);
    runtime(1).block_on(async { assert!(visit(&engine, job).await) });
    let (outcome, _) = ended.recv_timeout(PATIENCE).expect("it ends");
    assert_eq!(failure_of(outcome).kind, FailureKind::Timeout);
    eventually("the places are free", || engine.gauges().in_flight == 0);
}

#[test]
fn a_script_that_was_long_is_made_on_script_threads_until_it_is_short_again() {
    let engine = engine(|_| ());
    let script = ScriptId::new();
    let source = "if \"long\" in ctx.request.query { for i in 0..200000 { } } 1";
    run_on(&engine, "1", |job| job.code = Code::Version { script, version: 1, source: source.into() });
    let runtime = runtime(1);
    let turn = |long: bool| {
        let (mut job, ended) = again(&engine, script);
        if long {
            job.invocation.request.query = vec![("long".to_owned(), "1".to_owned())];
        }
        let entered = runtime.block_on(visit(&engine, job));
        if entered {
            ended.recv_timeout(PATIENCE).expect("it ends");
        } else {
            let (job, outcome) = again(&engine, script);
            engine.submit(job).expect("room");
            outcome.recv_timeout(PATIENCE).expect("it ends");
        }
        entered
    };
    // A busy machine makes any run long by chance: it is short again after some more.
    let short_again = || (0..2_000).any(|_| turn(false));
    assert!(short_again());
    turn(true);
    assert!(!turn(false), "it was long just now");
    assert!(short_again());
}

#[test]
fn nobody_goes_before_those_who_wait_and_no_more_enter_than_there_are_permits() {
    let engine = narrow(1, 8, 8);
    let (job, _ended) = compiled(&engine, "1");
    let held = run_held(&engine, 26);
    let job = refused(&engine, job);
    let waiting = {
        let (job, outcome) = super::job("2", |_| ());
        engine.submit(job).expect("room");
        outcome
    };
    let job = refused(&engine, job);
    release(26);
    assert_eq!(body_of(held.recv_timeout(PATIENCE).expect("it ends")), "1");
    assert_eq!(body_of(waiting.recv_timeout(PATIENCE).expect("it ends")), "2");
    eventually("all is quiet", || engine.gauges().in_flight == 0);
    drop(engine.inner.gate.enter(Box::new(job)).unwrap_or_else(|_| panic!("there is room")));
    assert_eq!(engine.gauges().in_flight, 0, "one that is dropped gives its place back");
}

/// The gate does not let it through.
fn refused(engine: &Engine, job: Job) -> Job {
    *engine.inner.gate.enter(Box::new(job)).err().expect("there is no room")
}

fn run_held(engine: &Engine, latch: usize) -> mpsc::Receiver<Outcome> {
    let (job, outcome) = job(&held(latch), |job| job.limits.operations = u64::MAX);
    engine.submit(job).expect("room");
    eventually("it runs", || engine.gauges().running == 1);
    outcome
}
