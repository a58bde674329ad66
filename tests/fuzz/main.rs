//! Random scripts, bodies and answers against the engine, in processes that must survive.
//!
//! `cargo test --test fuzz` takes a few seconds; `make fuzz SECONDS=3600` as
//! long as one likes, and `cargo test --test fuzz -- --seed N` repeats what a
//! finding names. What is found becomes a named test beside the hostile scripts.

mod bodies;
mod grammar;
mod soup;
mod worker;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
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
        return worker::work(first, Path::new(arguments.last().map_or(".", String::as_str)));
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
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for the workers: {error}"))?;
    // New cases each time; a finding names its seed.
    let first = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let mut workers = Vec::new();
    for index in 0..2 {
        workers.push(Worker::start(folder.path(), (first * 2 + index) << 24)?);
    }
    let until = Instant::now() + span;
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(200));
        for worker in &mut workers {
            worker.look()?;
        }
    }
    Ok(workers.iter().map(|worker| worker.seed - worker.first).sum())
}

/// A process that works through cases, and what is known of its progress.
struct Worker {
    process: Child,
    /// Where it writes the seed of the case it is at.
    progress: PathBuf,
    first: u64,
    seed: u64,
    moved: Instant,
}

impl Worker {
    fn start(folder: &Path, first: u64) -> Result<Self, String> {
        let progress = folder.join(first.to_string());
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let process = Command::new(program)
            .args([WORKER, &first.to_string()])
            .arg(&progress)
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("no worker: {error}"))?;
        Ok(Self { process, progress, first, seed: first, moved: Instant::now() })
    }

    /// Whether it still lives and gets on.
    fn look(&mut self) -> Result<(), String> {
        let ended = self.process.try_wait().map_err(|error| error.to_string())?;
        let told = fs::read_to_string(&self.progress).unwrap_or_default();
        let seed = told.trim().parse().unwrap_or(self.seed);
        if let Some(status) = ended {
            return Err(format!("seed {seed}: the process ended ({status})"));
        }
        if seed != self.seed {
            (self.seed, self.moved) = (seed, Instant::now());
        }
        if self.moved.elapsed() > PATIENCE {
            return Err(format!("seed {seed}: no end after {PATIENCE:?}"));
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
