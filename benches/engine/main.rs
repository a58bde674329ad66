//! What running a script costs, as ratios within one run to the same work in a
//! bare Rhai engine or in plain Rust: `make bench`.
//!
//! Rounds are interleaved, so that a noisy neighbour meets both sides alike. A
//! neighbour only ever adds time, so the ratio is of the best rounds; the
//! median of the rounds' own ratios stands beside it.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and ends where it cannot go on"
)]

mod bare;
#[path = "../../tests/driver/mod.rs"]
mod driver;
mod ours;
mod work;

use std::time::Duration;

/// Interleaved rounds of each measurement.
const ROUNDS: usize = 41;

/// One row: the same work done by a baseline and by PiCloud.
struct Row {
    name: &'static str,
    /// What the ratio may be at most, where the specification says.
    target: Option<f64>,
    baseline: Box<dyn FnMut() -> Duration>,
    picloud: Box<dyn FnMut() -> Duration>,
}

fn main() {
    // On a thread of its own like the scripts: the first one of a process allocates otherwise.
    let bench = std::thread::Builder::new().stack_size(64 << 20).spawn(measure);
    bench.expect("a thread").join().expect("the bench ends");
}

fn measure() {
    let engine = ours::Ours::start();
    println!("| work | baseline | picloud | ratio | median of ratios | target |\n|---|---|---|---|---|---|");
    for row in work::rows(&engine) {
        report(row);
    }
}

/// Measures a row in interleaved rounds and prints it.
fn report(mut row: Row) {
    let mut rounds: Vec<(Duration, Duration)> = Vec::new();
    // The first round warms caches on both sides and does not count.
    for round in 0..=ROUNDS {
        let pair = ((row.baseline)(), (row.picloud)());
        if round > 0 {
            rounds.push(pair);
        }
    }
    let ratios = sorted(rounds.iter().map(|(base, this)| this.as_secs_f64() / base.as_secs_f64()).collect());
    let best =
        |side: fn(&(Duration, Duration)) -> Duration| rounds.iter().map(side).min().unwrap_or_default();
    let (base, this) = (best(|round| round.0), best(|round| round.1));
    let target = row.target.map_or_else(String::new, |target| format!("{target:.2}"));
    println!(
        "| {} | {:?} | {:?} | **{:.2}** | {:.2} | {target} |",
        row.name,
        rounded(base.as_secs_f64()),
        rounded(this.as_secs_f64()),
        this.as_secs_f64() / base.as_secs_f64(),
        median(&ratios),
    );
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// Seconds as a duration with three digits that mean something.
fn rounded(seconds: f64) -> Duration {
    let unit = 10_f64.powf(seconds.log10().floor() - 2.0);
    Duration::from_secs_f64((seconds / unit).round() * unit)
}
