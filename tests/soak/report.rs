//! What has come of it: the judgement, and the figures.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Result, bail};
use chrono::TimeDelta;

use crate::{
    ledger::Ledger,
    load::Tally,
    stage::{Fault, Kind, Stage},
};

/// The most memory a node may take, in KiB; debug builds need more than the product.
const MEMORY: u64 = 192 << 10;

/// The largest the outbox may be, in bytes.
const TABLE: u64 = 64 << 20;

/// The longest that what a dead node held may wait for another, with other faults meanwhile and without.
const TAKEOVERS: [TimeDelta; 2] = [TimeDelta::seconds(20), TimeDelta::seconds(5)];

/// The one error that a node may log: it is ours.
const EXPECTED: &str = "PostgreSQL died and is started again: PostgreSQL ended with signal: 9";

/// How many cases of one kind are shown.
const SHOWN: usize = 10;

/// The figures of a phase.
#[derive(Default)]
pub struct Report {
    faults: BTreeMap<Kind, u64>,
    failed_starts: u32,
    accepted: usize,
    answered: u64,
    refused: u64,
    broken: u64,
    runs: usize,
    duplicates: usize,
    abandoned: i64,
    /// The most memory of any process, and of each third, in KiB.
    peak: u64,
    memory: [u64; 3],
    table: [u64; 3],
    /// The longest, and the longest with no other fault meanwhile.
    takeovers: [Option<TimeDelta>; 2],
    drained: Duration,
}

/// The figures, if nothing is wrong; else all that is.
pub async fn judged(stage: &mut Stage<'_>, tally: Tally, drained: Result<Duration>) -> Result<Report> {
    let mut wrong = Vec::new();
    let drained = drained.unwrap_or_else(|error| {
        wrong.push(error.to_string());
        Duration::MAX
    });
    let abandoned =
        sqlx::query_scalar("select count(*) from abandoned_executions").fetch_one(&stage.db).await?;
    let letters = sqlx::query_scalar(
        "select format('dead letter of %s: %s', execution_id, errors) from dead_letters order by id",
    );
    some(&mut wrong, "given up without cause", &letters.fetch_all(&stage.db).await?);
    match stage.close().await {
        Ok(left) => some(&mut wrong, "left behind by nodes that stopped in good order", &left),
        Err(error) => wrong.push(error.to_string()),
    }
    let logs: Vec<_> = stage.nodes.iter().map(crate::node::Node::log).collect();
    let ledger = Ledger::read(logs.iter().map(std::path::PathBuf::as_path))?;
    some(&mut wrong, "accepted and never ran", &ledger.never_ran(&tally.accepted));
    let (duplicates, unexplained) = ledger.duplicates(&stage.faults);
    some(&mut wrong, "ran again without cause", &unexplained);
    some(&mut wrong, "answers that should not have been", &tally.odd);
    let errors = ledger.errors.iter().filter(|(words, _)| !words.starts_with(EXPECTED));
    let errors = errors.map(|(words, times)| format!("{times} x {words}"));
    some(&mut wrong, "errors in the log", &errors.collect::<Vec<_>>());
    let odd = ledger.failures().into_iter().filter(|(how, _)| !matches!(*how, "throw" | "stopped"));
    some(
        &mut wrong,
        "runs that failed",
        &odd.map(|(how, times)| format!("{times} x {how}")).collect::<Vec<_>>(),
    );
    let report = Report {
        faults: counted(&stage.faults),
        failed_starts: stage.failed_starts,
        accepted: tally.accepted.len(),
        answered: tally.answered,
        refused: tally.refused,
        broken: tally.broken,
        runs: ledger.runs(),
        duplicates,
        abandoned,
        peak: stage.nodes.iter().map(|node| node.peak).max().unwrap_or_default(),
        memory: stage.memory,
        table: stage.table,
        takeovers: ledger.longest_takeovers(&stage.faults),
        drained,
    };
    wrong.extend(report.beyond());
    if wrong.is_empty() {
        return Ok(report);
    }
    bail!("{}\n{}", wrong.join("\n"), report.summary("so far", Duration::ZERO))
}

fn counted(faults: &[Fault]) -> BTreeMap<Kind, u64> {
    let mut counted = BTreeMap::new();
    for fault in faults {
        *counted.entry(fault.kind).or_default() += 1;
    }
    counted
}

fn some(wrong: &mut Vec<String>, what: &str, cases: &[String]) {
    if !cases.is_empty() {
        let shown: Vec<&str> = cases.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>();
        wrong.push(format!("{what}, {} cases:\n  {}", cases.len(), shown.join("\n  ")));
    }
}

impl Report {
    /// What is more than it may be.
    fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        if self.peak > MEMORY {
            beyond.push(format!("a node held {} MiB", self.peak >> 10));
        }
        if self.table.iter().any(|size| *size > TABLE) {
            beyond.push(format!("the outbox took {:?} bytes", self.table));
        }
        for (took, most) in self.takeovers.into_iter().zip(TAKEOVERS) {
            if took.is_some_and(|took| took > most) {
                beyond.push("nobody took over in time what a dead node had held".to_owned());
            }
        }
        beyond
    }

    /// The figures of two phases together.
    pub fn and(mut self, other: Self) -> Self {
        for (kind, times) in other.faults {
            *self.faults.entry(kind).or_default() += times;
        }
        let larger = |a: [u64; 3], b: [u64; 3]| [a[0].max(b[0]), a[1].max(b[1]), a[2].max(b[2])];
        Self {
            faults: self.faults,
            failed_starts: self.failed_starts + other.failed_starts,
            accepted: self.accepted + other.accepted,
            answered: self.answered + other.answered,
            refused: self.refused + other.refused,
            broken: self.broken + other.broken,
            runs: self.runs + other.runs,
            duplicates: self.duplicates + other.duplicates,
            abandoned: self.abandoned + other.abandoned,
            peak: self.peak.max(other.peak),
            memory: larger(self.memory, other.memory),
            table: larger(self.table, other.table),
            // Alone nobody takes over before the next start.
            takeovers: self.takeovers,
            drained: self.drained.max(other.drained),
        }
    }

    /// A few lines.
    pub fn summary(&self, name: &str, took: Duration) -> String {
        let faults = self.faults.iter().map(|(kind, times)| format!("{kind:?} {times}"));
        let faults = faults.collect::<Vec<_>>().join(", ");
        let mib = |kib: [u64; 3]| kib.map(|kib| (kib >> 10).to_string()).join("/");
        let kib = |bytes: [u64; 3]| bytes.map(|bytes| (bytes >> 10).to_string()).join("/");
        let [longest, alone] = self.takeovers.map(|took| took.unwrap_or_default().num_milliseconds());
        format!(
            "soak: {name}: {} s, {} faults ({faults}; {} failed starts), {} acknowledged, {} answered, {} refused, \
             {} broken, {} runs, {} duplicates, {} abandoned, peak {} MiB (thirds {}), outbox {} KiB, longest takeover \
             {longest} ms ({alone} ms undisturbed), drained in {} ms",
            took.as_secs(),
            self.faults.values().sum::<u64>(),
            self.failed_starts,
            self.accepted,
            self.answered,
            self.refused,
            self.broken,
            self.runs,
            self.duplicates,
            self.abandoned,
            self.peak >> 10,
            mib(self.memory),
            kib(self.table),
            self.drained.as_millis(),
        )
    }
}
