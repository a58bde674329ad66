//! Working off a backlog.

use std::time::Instant;

use serde_json::json;

use crate::{
    ROUNDS,
    graphile::Graphile,
    load::{self, Target},
    product::{self, Product},
};

const EMPTY: &str = "not exists (select from outbox)";

/// 50 000 trivial rows, beside graphile-worker with as many jobs.
pub(crate) fn beside_a_peer(product: &Product) -> Result<String, String> {
    const ROWS: u32 = 50_000;
    let peer = Graphile::install(&product.socket())?;
    let (mut ours, mut tuned, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(f64::from(ROWS) / drained(product, ROWS)?);
        tuned.push(f64::from(ROWS) / peer.drain(ROWS, true)?);
        plain.push(f64::from(ROWS / 10) / peer.drain(ROWS / 10, false)?);
    }
    let (ours, tuned, plain) = (median(ours), median(tuned), median(plain));
    Ok(format!(
        "### {ROWS} trivial rows that wait (medians of {ROUNDS} interleaved rounds)\n\n| | rows/s | picloud over it |\n|---|---|---|\n| picloud | {ours:.0} | |\n| graphile-worker as its documentation tunes it | {tuned:.0} | {:.2} (target 1) |\n| graphile-worker by default | {plain:.0} | {:.1} |\n",
        ours / tuned,
        ours / plain
    ))
}

/// Fills the outbox while nothing runs, and says how many seconds it took to empty it.
fn drained(product: &Product, rows: u32) -> Result<f64, String> {
    product.pause(true)?;
    product.fill("bench", rows)?;
    let start = Instant::now();
    product.pause(false)?;
    product.until(EMPTY)?;
    Ok(start.elapsed().as_secs_f64())
}

/// The rate with a million rows waiting, beside that with ten thousand.
pub(crate) fn by_size(product: &Product) -> Result<String, String> {
    const MEASURED: u32 = 10_000;
    let mut small = Vec::new();
    for _ in 0..ROUNDS {
        small.push(f64::from(MEASURED) / drained(product, MEASURED)?);
    }
    product.pause(true)?;
    product.fill("bench", 1_000_000)?;
    let mut large = Vec::new();
    let mut left = product.number("select count(*)::double precision from outbox")?;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        product.pause(false)?;
        std::thread::sleep(std::time::Duration::from_secs(1));
        product.pause(true)?;
        let took = start.elapsed().as_secs_f64();
        let now = product.number("select count(*)::double precision from outbox")?;
        large.push((left - now) / took);
        left = now;
    }
    product.sql("delete from outbox where claimed_epoch is null")?;
    product.pause(false)?;
    product.until(EMPTY)?;
    let (small, large) = (median(small), median(large));
    Ok(format!(
        "### The same with many rows waiting\n\n| waiting | rows/s | ratio |\n|---|---|---|\n| 10 000 | {small:.0} | |\n| 1 000 000 | {large:.0} | {:.2} (target 0.8) |\n",
        large / small
    ))
}

/// One app's single event, and a sync route, while another app's 100 000 rows drain.
pub(crate) fn fairness(product: &Product) -> Result<String, String> {
    let target = [Target::new("sync", product.url("/~other/now"))];
    let quiet = load::summary(&load::interleaved(&target, 4, 3)?[0]);
    let mut singles = Vec::new();
    product.pause(true)?;
    product.fill("bench", 400_000)?;
    product.pause(false)?;
    let mut sent = Vec::new();
    for _ in 0..40 {
        let start = product::now()?;
        let answer = product.post("/~other/later", &json!({}))?;
        sent.push((answer["execution_id"].as_str().ok_or("no id")?.to_owned(), start));
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let busy = load::summary(&load::interleaved(&target, 4, 3)?[0]);
    let left = product.number("select count(*)::double precision from outbox")?;
    product.until(EMPTY)?;
    // By the log, which has an index for it: to look into the outbox would read all of the backlog.
    for (id, start) in &sent {
        let ended = product.number(&format!(
            "select (extract(epoch from started_at) + duration_us / 1e6)::double precision
             from executions where execution_id = '{id}'"
        ))?;
        singles.push((ended - start) * 1000.0);
    }
    singles.sort_by(f64::total_cmp);
    Ok(format!(
        "### Beside another app's backlog\n\n| | |\n|---|---|\n| one app's single event, sent until it has run (median of 40; most) | {:.0} ms; {:.0} ms (target 100) |\n| sync route, 4 callers, p99 quiet and beside the backlog | {:.2} ms and {:.2} ms: {:.1} x (target 3) |\n| rows of the backlog left at the end | {left:.0} |\n",
        singles[20],
        singles[39],
        quiet.p99_ms,
        busy.p99_ms,
        busy.p99_ms / quiet.p99_ms
    ))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
