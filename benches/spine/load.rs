//! Load by `wrk`, and what its rounds say.

use std::process::Command;

/// How long one target is loaded in one round.
const ROUND: &str = "3s";

/// Something to load.
pub(crate) struct Target {
    /// Its name in the table.
    pub(crate) name: &'static str,
    url: String,
}

/// What one round measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    rate: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// A figure over all rounds.
pub(crate) struct Spread {
    /// The middle one.
    pub(crate) median: f64,
    /// The lowest.
    pub(crate) least: f64,
    /// The highest.
    pub(crate) most: f64,
}

/// All rounds of one target.
pub(crate) struct Summary {
    /// Requests per second.
    pub(crate) rate: Spread,
    /// Median over the rounds of the median latency.
    pub(crate) p50_ms: f64,
    /// Median over the rounds of the 99th percentile.
    pub(crate) p99_ms: f64,
}

impl Target {
    /// A target by its address.
    pub(crate) fn new(name: &'static str, url: String) -> Self {
        Self { name, url }
    }
}

/// Says what to install where the load generator is missing.
pub(crate) fn require_wrk() -> Result<(), String> {
    match Command::new("wrk").arg("--version").output() {
        Ok(_) => Ok(()),
        Err(_) => Err("the load generator is missing: apt-get install wrk".to_owned()),
    }
}

/// Loads every target once in each round; the figures by target.
pub(crate) fn interleaved(
    targets: &[Target],
    callers: usize,
    rounds: usize,
) -> Result<Vec<Vec<Figures>>, String> {
    let mut all = vec![Vec::new(); targets.len()];
    for _ in 0..rounds {
        for (target, figures) in targets.iter().zip(&mut all) {
            figures.push(round(target, callers)?);
        }
    }
    Ok(all)
}

/// Median and spread over the rounds.
pub(crate) fn summary(rounds: &[Figures]) -> Summary {
    Summary {
        rate: spread(rounds.iter().map(|r| r.rate)),
        p50_ms: spread(rounds.iter().map(|r| r.p50_ms)).median,
        p99_ms: spread(rounds.iter().map(|r| r.p99_ms)).median,
    }
}

/// Median and extremes of some figures.
pub(crate) fn spread(figures: impl Iterator<Item = f64>) -> Spread {
    let mut all: Vec<f64> = figures.collect();
    all.sort_by(f64::total_cmp);
    Spread { median: all[all.len() / 2], least: all[0], most: all[all.len() - 1] }
}

fn round(target: &Target, callers: usize) -> Result<Figures, String> {
    let callers = callers.to_string();
    let output = Command::new("wrk")
        .args(["--latency", "-t", "1", "-c", &callers, "-d", ROUND, &target.url])
        .output()
        .map_err(|e| format!("wrk: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Non-2xx") || text.contains("Socket errors") || !output.status.success() {
        return Err(format!("{} did not answer well:\n{text}", target.name));
    }
    figures(&text).ok_or_else(|| format!("wrk said something unexpected:\n{text}"))
}

fn figures(text: &str) -> Option<Figures> {
    let after = |start: &str| text.lines().find_map(|line| line.trim().strip_prefix(start)).map(str::trim);
    Some(Figures {
        rate: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(after("50%")?)?,
        p99_ms: milliseconds(after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    let (unit, factor) = units.iter().find(|(unit, _)| text.ends_with(unit))?;
    Some(text.strip_suffix(unit)?.parse::<f64>().ok()? * factor)
}
