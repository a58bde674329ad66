//! What dispatch costs and does, as ratios within one run: `make bench`.
//!
//! The product runs as a process of its own on its own PostgreSQL; graphile-worker,
//! the fastest of the peers, drains the same number of jobs on the same server.
//! With `--card` each fsync of that server is delayed by 5 ms, a model of an SD card.

#![allow(
    missing_docs,
    dead_code,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::format_push_string,
    clippy::disallowed_methods,
    reason = "a bench prints its figures and ends where it cannot go on"
)]

mod card;
mod drain;
mod graphile;
#[path = "../spine/load.rs"]
mod load;
#[path = "../spine/machine.rs"]
mod machine;
mod measure;
mod product;
#[path = "../spine/servers.rs"]
mod servers;

use product::Product;

/// Interleaved rounds of each measurement.
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some(servers::BASELINE) {
        return servers::be_baseline();
    }
    if let Err(why) = run(arguments.iter().any(|argument| argument == "--card")) {
        eprintln!("bench: {why}");
        std::process::exit(1);
    }
}

fn run(card: bool) -> Result<(), String> {
    load::require_wrk()?;
    println!("{}\n", machine::describe());
    if card {
        println!("Each fsync of PostgreSQL takes 5 ms more.\n");
        card::slow_down()?;
    }
    let mut product = Product::start()?;
    product.deploy()?;
    println!("{}", machine::memory(product.pid()));
    println!("{}", measure::rates(&product)?);
    println!("{}", drain::beside_a_peer(&product)?);
    println!("{}", drain::by_size(&product)?);
    println!("{}", drain::fairness(&product)?);
    println!("{}", measure::pushed(&product)?);
    println!("{}", machine::memory(product.pid()));
    println!("{}", measure::latency(&product)?);
    println!("{}", product.ready_after_a_kill()?);
    Ok(())
}
