//! Random scripts, bodies and answers against the engine, in processes that must survive.
//!
//! `cargo test --test fuzz` takes a few seconds; `make fuzz FUZZ_SECONDS=3600` as
//! long as one likes, and `cargo test --test fuzz -- --seed N` repeats what a
//! finding names. What is found becomes a named test beside the hostile scripts.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it found"
)]

mod bodies;
#[path = "../driver/mod.rs"]
mod driver;
mod grammar;
mod soup;
mod worker;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// The argument that makes this program a worker.
const WORKER: &str = "--worker";

/// How long it takes when nobody says.
const BRIEFLY: u64 = 5;

/// A worker that shows no progress for this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    if let Some(first) = number(WORKER) {
        return worker::work(first);
    }
    if let Some(seed) = number("--seed") {
        return worker::repeat(seed);
    }
    // What `cargo test NAME` passes on to all test programs is not for this one.
    if arguments.iter().any(|argument| !argument.starts_with('-') && argument.parse::<u64>().is_err()) {
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    match fuzz(Duration::from_secs(number("--seconds").unwrap_or(BRIEFLY))) {
        Ok(cases) => {
            println!("fuzz: {cases} cases, nothing found");
            ExitCode::SUCCESS
        }
        Err(found) => {
            println!("fuzz: {found}");
            ExitCode::FAILURE
        }
    }
}

/// Runs two workers for `span`, and says how many cases they did or what was found.
fn fuzz(span: Duration) -> Result<u64, String> {
    // New cases each time; a finding names its seed.
    let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let (said, lines) = mpsc::channel();
    let mut workers = Vec::new();
    let mut cases = 0;
    for index in 0..2 {
        workers.push(Worker::start(index, (first * 2 + index as u64) << 24, said.clone())?);
    }
    let until = Instant::now() + span;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        if let Ok((index, line)) = lines.recv_timeout(left.min(Duration::from_secs(1))) {
            let worker = &mut workers[index];
            if line.is_none() && worker.has_done()? {
                cases += worker.seed + 1 - worker.first;
                *worker = Worker::start(index, worker.seed + 1, said.clone())?;
                continue;
            }
            worker.heard(line)?;
        }
        workers.iter().try_for_each(Worker::must_get_on)?;
    }
    // A worker that did nothing has found nothing.
    match workers.iter().find(|worker| cases == 0 && worker.seed == worker.first) {
        Some(idle) => Err(format!("seed {}: no case was done in {span:?}", idle.first)),
        None => Ok(cases + workers.iter().map(|worker| worker.seed - worker.first).sum::<u64>()),
    }
}

/// A process that works through cases, and what is known of its progress.
struct Worker {
    process: Child,
    first: u64,
    /// The case it is at.
    seed: u64,
    moved: Instant,
}

impl Worker {
    /// Starts one whose lines are sent on under its index; the last is `None`.
    fn start(index: usize, first: u64, said: mpsc::Sender<(usize, Option<String>)>) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut process = Command::new(program)
            .args([WORKER, &first.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("no worker: {error}"))?;
        let output = BufReader::new(process.stdout.take().ok_or("no output")?);
        thread::spawn(move || {
            let lines = output.lines().map_while(Result::ok).map(Some).chain([None]);
            // At the end nobody listens any more.
            let _ = lines.into_iter().try_for_each(|line| said.send((index, line)));
        });
        Ok(Self { process, first, seed: first, moved: Instant::now() })
    }

    /// Takes in a line: the seed of a case that begins, or what was found.
    fn heard(&mut self, line: Option<String>) -> Result<(), String> {
        let Some(line) = line else {
            let ended = self.process.wait().map_err(|error| error.to_string())?;
            return Err(format!("seed {}: the process ended ({ended})", self.seed));
        };
        match line.parse() {
            Ok(seed) => (self.seed, self.moved) = (seed, Instant::now()),
            // What follows it is the script.
            Err(_) => println!("{line}"),
        }
        Ok(())
    }

    /// Whether the process has ended, and well: another is to go on.
    fn has_done(&mut self) -> Result<bool, String> {
        Ok(self.process.wait().map_err(|error| error.to_string())?.success())
    }

    fn must_get_on(&self) -> Result<(), String> {
        if self.moved.elapsed() > PATIENCE {
            return Err(format!("seed {}: no end after {PATIENCE:?}", self.seed));
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
