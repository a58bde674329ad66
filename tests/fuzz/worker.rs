//! One worker: makes cases from seeds, runs them, and ends with an error at the first that went wrong.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use picloud::engine::{Body, Bounds, Code, Engine, FailureKind, Limits, Outcome, body::decode_request};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use crate::{bodies, driver, grammar, soup};

const WALL_CLOCK: Duration = Duration::from_millis(300);
/// How much longer a run may take than its wall clock, on a busy machine.
const GRACE: Duration = Duration::from_secs(5);
/// What the process may hold after any case.
const RESIDENT_KIB: u64 = 250 << 10;
/// How much memory scripts may have left that nothing can free, before another
/// process goes on: each case is a script of its own, with a bound of its own.
const LEFT_BEHIND: u64 = 16 << 20;

/// Does one case after another, from seed `first` on, until it is killed, finds something,
/// or has lost so much memory that another process should go on.
pub(crate) fn work(first: u64) -> ExitCode {
    let bench = Bench::new();
    for seed in first.. {
        println!("{seed}");
        if let Err(found) = bench.case(seed) {
            println!("fuzz: seed {seed}: {found}\n{}", script(&mut StdRng::seed_from_u64(seed)));
            return ExitCode::FAILURE;
        }
        if bench.engine.memory_taken() > LEFT_BEHIND {
            break;
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
        Self { engine: driver::engine(16 << 20, 64 << 20), runtime: driver::runtime() }
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
        let resident = driver::status_kib("VmRSS:");
        if resident > RESIDENT_KIB {
            return Err(format!("the process holds {resident} KiB: {told}"));
        }
        Ok(told)
    }

    fn run(&self, source: String, body: Body) -> Option<Outcome> {
        let limits = Limits {
            wall_clock: WALL_CLOCK,
            operations: 300_000,
            memory: 16 << 20,
            call_depth: 32,
            ..Bounds::default().default
        };
        driver::run(&self.engine, Code::Draft(source.into()), body, limits, Duration::from_secs(40))
    }
}
