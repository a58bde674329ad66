//! Nodes under load, killed, frozen and cut off again and again, and nothing lost.
//!
//! Three phases: two nodes that share a PostgreSQL; one that owns its own; and
//! one with a row that takes its process along. `cargo test --test soak` takes a
//! minute, `make test-soak` ten, `cargo test --test soak -- --seconds N` as long as one
//! likes; `--seed N` draws the same faults again, if not at the same moments, and
//! `--keep` leaves the logs there though nothing was found.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    reason = "a test says what it found, and nobody else uses it"
)]

mod ledger;
mod load;
mod node;
mod poison;
mod report;
mod server;
mod site;
mod stage;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rand::{SeedableRng as _, rngs::StdRng};
use sqlx::ConnectOptions as _;

use self::{
    load::{Load, Person},
    node::Node,
    report::{Report, judged},
    server::Server,
    site::Site,
    stage::{SERVER, Stage},
};

/// How long it takes when nobody says.
const BRIEFLY: u64 = 60;

/// How long rows may take to be gone when everything stands again: besides what they need, the longest backoff.
const DRAIN: Duration = Duration::from_secs(32);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == poison::NODE) {
        return poison::be_a_node(&arguments[1..]).unwrap_or_else(|error| failed(&error));
    }
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    // What `cargo test NAME` passes on to all test programs is not for this one.
    let named =
        arguments.iter().any(|argument| !argument.starts_with('-') && argument.parse::<u64>().is_err());
    if named || arguments.iter().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let seconds = number("--seconds").unwrap_or(BRIEFLY);
    let seed = number("--seed").unwrap_or_else(rand::random);
    let keep = arguments.iter().any(|argument| argument == "--keep");
    match soak(Duration::from_secs(seconds), seed, keep) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    println!("soak: {error:#}");
    ExitCode::FAILURE
}

/// All phases.
fn soak(span: Duration, seed: u64, keep: bool) -> Result<()> {
    println!("soak: {} s, seed {seed}", span.as_secs());
    let mut site = Site::new()?;
    if keep {
        println!("soak: logs in {}", site.path().display());
        site.keep();
    }
    // The kernel ends the servers with the thread that started them: all is done on this one.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(phases(&site, span, seed));
    done.inspect_err(|_| site.keep())
        .with_context(|| format!("seed {seed}, what happened is in {}", site.path().display()))
}

async fn phases(site: &Site, span: Duration, seed: u64) -> Result<()> {
    let begin = Instant::now();
    let random = &mut StdRng::seed_from_u64(seed);
    let options = site.options(SERVER);
    let mut server = Server::start(site, SERVER)?;
    while !server.look()? {
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let admin = sqlx::PgPool::connect_with(options.clone().database("postgres")).await?;
    for name in ["soak", NAME_OF_POISON] {
        sqlx::raw_sql(&format!("create database {name}")).execute(&admin).await?;
    }
    admin.close().await;
    let poisoned = options.clone().database(NAME_OF_POISON);
    let db = sqlx::PgPool::connect_with(poisoned.clone()).await?;
    let deaths = poison::run(site, poisoned.to_url_lossy().to_string(), &db).await.context("poison")?;
    db.close().await;
    println!("soak: poison: one row died with its process {deaths} times, its neighbours ran");

    let shared = options.database("soak");
    let node = |name| Node::new(site, name, Some(shared.to_url_lossy().to_string()));
    let pair = Stage::new(site, vec![node("one")?, node("two")?], Some(server), shared.clone());
    let pair = phase("two nodes", pair, span.mul_f32(0.7), random).await?;
    let solo = Stage::new(site, vec![Node::new(site, "solo", None)?], None, site.options("solo"));
    let solo = phase("a node and its PostgreSQL", solo, span.mul_f32(0.3), random).await?;
    println!("{}", pair.and(solo).summary("all", begin.elapsed()));
    Ok(())
}

/// The database of the poisonous row.
const NAME_OF_POISON: &str = "poison";

/// Faults under load for `span`, and what has come of it.
async fn phase(name: &str, mut stage: Stage<'_>, span: Duration, random: &mut StdRng) -> Result<Report> {
    let begin = Instant::now();
    let at = stage.nodes[0].address;
    stage.nodes[0].start(stage.site)?;
    while stage.nodes[0].state != node::State::Up {
        stage.nodes[0].tend(stage.site)?;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let owner = Person::owner(at).await?;
    owner.furnish(at).await?;
    stage.stand().await?;
    let addresses: Vec<_> = stage.nodes.iter().map(|node| node.address).collect();
    let load = Load::start(&addresses, &owner, rand::Rng::random(random));
    let shaken = stage.shake(span, random).await;
    let tally = load.stop().await;
    shaken?;
    let drained = stage.drain(DRAIN).await;
    let report = judged(&mut stage, tally, drained).await.with_context(|| name.to_owned())?;
    println!("{}", report.summary(name, begin.elapsed()));
    Ok(report)
}
