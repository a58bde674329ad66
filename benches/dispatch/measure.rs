//! Rates of requests, the latency of a run, and what callers push.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    ROUNDS,
    load::{self, Target},
    product::{self, Product},
    servers::Baseline,
};

/// Sync and async routes beside a bare server, and what a sync request writes.
pub(crate) fn rates(product: &Product) -> Result<String, String> {
    let baseline = Baseline::start()?;
    let targets = [
        Target::new("bare axum, static route", baseline.url("/")),
        Target::new("sync route, trivial script", product.url("/~bench/now")),
        Target::new("async route, trivial script: 202", product.url("/~bench/later")),
    ];
    let rounds = load::interleaved(&targets, 16, ROUNDS)?;
    let first = load::summary(&rounds[0]).rate.median;
    let mut said = "### 16 callers\n\n| target | requests/s (spread) | ratio | p50 ms | p99 ms |\n|---|---|---|---|---|\n".to_owned();
    for (target, figures) in targets.iter().zip(&rounds) {
        let this = load::summary(figures);
        said += &format!(
            "| {} | {:.0} ({:.0} to {:.0}) | {:.2} | {:.3} | {:.3} |\n",
            target.name,
            this.rate.median,
            this.rate.least,
            this.rate.most,
            this.rate.median / first,
            this.p50_ms,
            this.p99_ms
        );
    }
    let settled = product.until("not exists (select from outbox)")?;
    said += &format!(
        "\nThe backlog of the last round was worked off {:.1} s after it (target 3).\n",
        settled.as_secs_f64()
    );
    said += &wal(product)?;
    Ok(said)
}

/// Bytes of WAL for a sync request, its line in the execution log apart.
fn wal(product: &Product) -> Result<String, String> {
    let lsn = || product.number("select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::double precision");
    // What the log takes stops growing: a checkpoint's full pages would be counted too.
    product.sql("checkpoint")?;
    std::thread::sleep(Duration::from_secs(2));
    let target = [Target::new("sync", product.url("/~bench/now"))];
    let rows = "select count(*)::double precision from executions";
    let (before, logged) = (lsn()?, product.number(rows)?);
    let start = Instant::now();
    let figures = load::interleaved(&target, 16, 1)?;
    let requests = load::summary(&figures[0]).rate.median * 3.0;
    std::thread::sleep(Duration::from_secs(2));
    let (after, stored) = (lsn()?, product.number(rows)?);
    let lines = (stored - logged) * 420.0;
    Ok(format!(
        "\nWAL of {requests:.0} sync requests in {:.0} s: {:.0} bytes each, of which {:.1} are not the {:.0} stored lines of the log (taken as 420 bytes each; target 15).\n",
        start.elapsed().as_secs_f64(),
        (after - before) / requests,
        (after - before - lines).max(0.0) / requests,
        stored - logged
    ))
}

/// From the commit of its row until a run has started, and from before the request, one at a time.
pub(crate) fn latency(product: &Product) -> Result<String, String> {
    const TIMES: usize = 200;
    product.tell_commits()?;
    // Its runs last, so that their rows are there to be looked at.
    let url = product.url("/~bench/lasting");
    let (mut sent, mut answers) = (Vec::new(), Vec::new());
    for _ in 0..TIMES {
        let (wall, began) = (product::now()?, Instant::now());
        let body = product.runtime.block_on(async {
            let answer = product.http.post(&url).json(&json!({})).send().await.map_err(|e| e.to_string())?;
            answers.push(began.elapsed().as_secs_f64() * 1000.0);
            answer.json::<serde_json::Value>().await.map_err(|e| e.to_string())
        })?;
        let id = body["execution_id"].as_str().ok_or("no id")?.to_owned();
        let committed = product.number(&format!(
            "select extract(epoch from pg_xact_commit_timestamp(xmin))::double precision
             from outbox where execution_id = '{id}'"
        ))?;
        sent.push((id, wall, committed));
        std::thread::sleep(Duration::from_millis(130));
    }
    std::thread::sleep(Duration::from_secs(2));
    let (mut since_sent, mut since_commit) = (Vec::new(), Vec::new());
    for (id, wall, committed) in &sent {
        let started = product.number(&format!(
            "select extract(epoch from started_at)::double precision from executions where execution_id = '{id}'"
        ))?;
        since_sent.push((started - wall) * 1000.0);
        since_commit.push((started - committed) * 1000.0);
    }
    let mut said = "### One event at a time, idle\n\n| | p50 ms | p99 ms |\n|---|---|---|\n".to_owned();
    for (what, times) in [
        ("commit of its row until its run starts (target p50 1)", since_commit),
        ("request sent until its run starts", since_sent),
        ("request sent until 202", answers),
    ] {
        let times = sorted(times);
        said += &format!("| {what} | {:.2} | {:.2} |\n", percentile(&times, 0.5), percentile(&times, 0.99));
    }
    Ok(said)
}

/// Callers push as fast as they can for ten seconds; how long until all has run.
pub(crate) fn pushed(product: &Product) -> Result<String, String> {
    let target = [Target::new("async", product.url("/~bench/later"))];
    let rounds = load::interleaved(&target, 16, 3)?;
    let after = product.until("not exists (select from outbox)")?;
    Ok(format!(
        "### Pushed as fast as 16 callers can\n\n{:.0} accepted a second; all had run {:.2} s after the last (target 3)\n",
        load::summary(&rounds[0]).rate.median,
        after.as_secs_f64()
    ))
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

fn percentile(sorted: &[f64], part: f64) -> f64 {
    sorted.get(((sorted.len() as f64 - 1.0) * part).round() as usize).copied().unwrap_or(f64::NAN)
}
