//! What the spine costs, as ratios within one run: `make bench`.
//!
//! A bare axum server with a static route, in a process of its own, is the
//! baseline. Rounds are interleaved, so that a noisy neighbour meets all
//! targets alike; each figure is the median of the rounds with their spread.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and ends where it cannot go on"
)]

mod load;
mod machine;
mod matching;
mod servers;

use std::{fmt::Write as _, time::Duration};

use load::{Figures, Target};
use servers::{Baseline, PiCloud};

/// Interleaved rounds of each measurement.
const ROUNDS: usize = 7;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(servers::BASELINE) {
        return servers::be_baseline();
    }
    if let Err(why) = measure() {
        eprintln!("bench: {why}");
        std::process::exit(1);
    }
}

fn measure() -> Result<(), String> {
    load::require_wrk()?;
    println!("{}\n", machine::describe());
    let baseline = Baseline::start()?;
    let mut picloud = PiCloud::start()?;
    picloud.deploy()?;
    println!("{}", machine::memory(picloud.pid()));

    let targets = [
        Target::new("bare axum, static route", baseline.url("/")),
        Target::new("picloud /healthz", picloud.url("/healthz")),
        Target::new("picloud, sync route, small script", picloud.url("/~bench/small")),
    ];
    for callers in [16, 1] {
        let rounds = load::interleaved(&targets, callers, ROUNDS)?;
        println!("{}", table(&targets, &rounds, callers));
    }
    println!("{}", machine::memory(picloud.pid()));
    println!("{}", cold_start(&mut picloud)?);
    println!("{}", matching::report(ROUNDS)?);
    Ok(())
}

/// The figures of all targets, each with its ratio to the first.
fn table(targets: &[Target], rounds: &[Vec<Figures>], callers: usize) -> String {
    let mut text = format!(
        "### {callers} caller{}\n\n| target | requests/s (spread) | ratio | p50 ms | p99 ms | p50 over the first, ms |\n|---|---|---|---|---|---|\n",
        if callers == 1 { "" } else { "s" }
    );
    let first = load::summary(&rounds[0]);
    for (target, figures) in targets.iter().zip(rounds) {
        let this = load::summary(figures);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {:.0} ({:.0} to {:.0}) | {:.2} | {:.3} | {:.3} | {:+.3} |",
            target.name,
            this.rate.median,
            this.rate.least,
            this.rate.most,
            this.rate.median / first.rate.median,
            this.p50_ms,
            this.p99_ms,
            this.p50_ms - first.p50_ms,
        );
    }
    text
}

/// How long a start on an existing data directory takes until `/readyz` is 200.
fn cold_start(picloud: &mut PiCloud) -> Result<String, String> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.push(picloud.restart()?);
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    Ok(format!(
        "### Start on an existing data directory, until /readyz is 200\n\n{:.0} ms (median of {ROUNDS}; {:.0} to {:.0})\n",
        ms(times[ROUNDS / 2]),
        ms(times[0]),
        ms(times[ROUNDS - 1])
    ))
}
