//! One worker: makes cases from seeds, runs them, and ends with an error at the first that went wrong.

use std::{
    fs,
    process::ExitCode,
    sync::mpsc,
    time::{Duration, Instant},
};

use picloud::{
    base::id::{AppId, ExecutionId, ScriptId},
    engine::{
        AppRef, Body, Bounds, Code, Engine, FailureKind, Invocation, Job, Kind, Limits, LogLimits, Outcome,
        Request, ScriptRef, Settings, body::decode_request,
    },
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use crate::{bodies, grammar, soup};

const WALL_CLOCK: Duration = Duration::from_millis(300);
/// How much longer a run may take than its wall clock, on a busy machine.
const GRACE: Duration = Duration::from_secs(5);
/// What the process may hold after any case.
const RESIDENT_KIB: u64 = 250 << 10;

/// Does one case after another, from seed `first` on, until it is killed or finds something.
pub(crate) fn work(first: u64) -> ExitCode {
    let bench = Bench::new();
    for seed in first.. {
        println!("{seed}");
        if let Err(found) = bench.case(seed) {
            println!("fuzz: seed {seed}: {found}\n{}", script(&mut StdRng::seed_from_u64(seed)));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Does one case again and shows it.
pub(crate) fn repeat(seed: u64) -> ExitCode {
    println!("{}", script(&mut StdRng::seed_from_u64(seed)));
    match Bench::new().case(seed) {
        Ok(told) => {
            println!("fuzz: {told}");
            ExitCode::SUCCESS
        }
        Err(found) => {
            println!("fuzz: {found}");
            ExitCode::FAILURE
        }
    }
}

/// The script of a seed.
fn script(random: &mut StdRng) -> String {
    if random.random_ratio(1, 4) { soup::script(random) } else { grammar::script(random) }
}

struct Bench {
    engine: Engine,
    runtime: Runtime,
}

impl Bench {
    fn new() -> Self {
        picloud::system::memory::return_large_blocks();
        let settings = Settings {
            running: 1,
            in_flight: 2,
            queue: 4,
            compiled_scripts: 8,
            max_call_depth: 32,
            max_memory: 16 << 20,
            memory_of_all: 64 << 20,
            response_limit: 1 << 20,
            log: LogLimits::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        Self { engine: Engine::start(&settings, &[]), runtime }
    }

    /// Does one case: what happened, or what should not have.
    fn case(&self, seed: u64) -> Result<String, String> {
        let random = &mut StdRng::seed_from_u64(seed);
        let source = script(random);
        let (content_type, raw) = bodies::body(random);
        let decoded = self.runtime.block_on(decode_request(content_type.as_deref(), raw.into()));
        let body = decoded.unwrap_or_default();
        let checked = self.engine.check(&source);
        let began = Instant::now();
        let outcome = self.run(source, body).ok_or("it does not end")?;
        let took = began.elapsed();
        let (kind, told) = match outcome.result {
            Ok(response) => (None, format!("{} with {} bytes", response.status, response.body.len())),
            Err(failure) => (Some(failure.kind), format!("{}: {}", failure.kind.name(), failure.message)),
        };
        if kind == Some(FailureKind::Panic) {
            return Err("a native panicked".to_owned());
        }
        if checked.is_err() != (kind == Some(FailureKind::Parse)) {
            return Err(format!("checked it is {checked:?}, run it is {told}"));
        }
        if took > WALL_CLOCK + GRACE {
            return Err(format!("it took {took:?}: {told}"));
        }
        let resident = resident_kib();
        if resident > RESIDENT_KIB {
            return Err(format!("the process holds {resident} KiB: {told}"));
        }
        Ok(told)
    }

    fn run(&self, source: String, body: Body) -> Option<Outcome> {
        let (sender, receiver) = mpsc::channel();
        let limits = Limits {
            wall_clock: WALL_CLOCK,
            operations: 300_000,
            memory: 16 << 20,
            call_depth: 32,
            ..Bounds::default().default
        };
        let job = Job {
            invocation: invocation(body),
            code: Code::Draft(source.into()),
            limits,
            done: Box::new(move |outcome| {
                // Who no longer waits does not care.
                let _ = sender.send(outcome);
            }),
        };
        self.engine.submit(job).ok()?;
        receiver.recv_timeout(Duration::from_secs(40)).ok()
    }
}

fn invocation(body: Body) -> Invocation {
    let execution_id = ExecutionId::new();
    let request = Request {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        headers: vec![("accept".to_owned(), "*/*".to_owned())],
        query: vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())],
        body,
        ..Request::default()
    };
    Invocation {
        execution_id,
        root_execution_id: execution_id,
        request_id: "fuzz".to_owned(),
        attempt: 1,
        trigger_depth: 0,
        app: AppRef { id: AppId::new(), slug: "fuzz".parse().expect("a slug") },
        script: ScriptRef { id: ScriptId::new(), name: "fuzz".parse().expect("a name"), version: None },
        kind: Kind::Http,
        request,
        principal: None,
    }
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(u64::MAX)
}
