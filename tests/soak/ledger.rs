//! What the nodes' logs tell: which attempts ended, when, and what was taken over.
//!
//! A node says that an attempt has ended before it does anything about it, and
//! what is written to a file survives the writer. So the logs know of every run,
//! whatever the database thinks.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::stage::{Fault, Kind};

/// A run may have ended this long before a fault and still be in flight: its outcome waits to be
/// written, and on a busy machine that takes its time.
const UNWRITTEN: TimeDelta = TimeDelta::seconds(1);

/// How long a fault lasts beyond its end: what it cut off has to be found and held again.
const AFTERMATH: TimeDelta = TimeDelta::seconds(2);

/// The end of an attempt.
pub struct End {
    /// Whose.
    pub node: usize,
    /// Which one.
    pub attempt: i64,
    /// When it began.
    pub began: DateTime<Utc>,
    /// When it ended.
    pub ended: DateTime<Utc>,
    /// How.
    pub outcome: String,
}

/// What the logs of all nodes tell.
#[derive(Default)]
pub struct Ledger {
    /// The attempts of each execution.
    pub executions: HashMap<String, Vec<End>>,
    /// Which epoch a node held from when on.
    epochs: Vec<(usize, DateTime<Utc>, i64)>,
    /// When an epoch was taken over.
    taken: HashMap<i64, DateTime<Utc>>,
    /// What was logged as an error, by its words, and how often.
    pub errors: BTreeMap<String, u64>,
}

impl Ledger {
    /// Reads the log of each node.
    pub fn read<'p>(logs: impl IntoIterator<Item = &'p Path>) -> Result<Self> {
        let mut ledger = Self::default();
        for (node, path) in logs.into_iter().enumerate() {
            let log = File::open(path).with_context(|| path.display().to_string())?;
            for line in BufReader::new(log).lines() {
                // The words of PostgreSQL, and of one who could not start, are none of ours.
                if let Ok(line) = serde_json::from_str(&line?) {
                    ledger.enter(node, &line);
                }
            }
        }
        for ends in ledger.executions.values_mut() {
            ends.sort_by_key(|end| end.ended);
        }
        Ok(ledger)
    }

    fn enter(&mut self, node: usize, line: &Value) {
        let Some(at) = line["timestamp"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok()) else {
            return;
        };
        let fields = &line["fields"];
        let message = fields["message"].as_str().unwrap_or_default();
        match message {
            "an attempt ended" => {
                let took = TimeDelta::microseconds(fields["micros"].as_i64().unwrap_or_default());
                let end = End {
                    node,
                    attempt: fields["attempt"].as_i64().unwrap_or_default(),
                    began: at - took,
                    ended: at,
                    outcome: fields["outcome"].as_str().unwrap_or_default().to_owned(),
                };
                let id = fields["execution.id"].as_str().unwrap_or_default();
                self.executions.entry(id.to_owned()).or_default().push(end);
            }
            "took over from a node that is gone" => {
                self.taken.insert(fields["epoch"].as_i64().unwrap_or_default(), at);
            }
            "the node holds its epoch" | "the node holds its epoch again" => {
                self.epochs.push((node, at, fields["epoch"].as_i64().unwrap_or_default()));
            }
            _ => {}
        }
        if line["level"] == "ERROR" {
            *self
                .errors
                .entry(format!("{message} {}", fields["error"].as_str().unwrap_or_default()))
                .or_default() += 1;
        }
    }

    /// How many attempts ended.
    pub fn runs(&self) -> usize {
        self.executions.values().map(Vec::len).sum()
    }

    /// Those of these executions that never ended well.
    pub fn never_ran(&self, accepted: &[String]) -> Vec<String> {
        let ran = |id: &&String| self.successes(id).next().is_some();
        accepted.iter().filter(|id| !ran(id)).map(|id| format!("{id}: {:?}", self.outcomes(id))).collect()
    }

    fn successes(&self, id: &str) -> impl Iterator<Item = &End> {
        self.executions.get(id).into_iter().flatten().filter(|end| end.outcome == "ok")
    }

    fn outcomes(&self, id: &str) -> Vec<(i64, &str)> {
        let ends = self.executions.get(id).into_iter().flatten();
        ends.map(|end| (end.attempt, end.outcome.as_str())).collect()
    }

    /// How often an execution ended well once more, and the cases no fault explains.
    pub fn duplicates(&self, faults: &[Fault]) -> (usize, Vec<String>) {
        let (mut count, mut unexplained) = (0, Vec::new());
        for id in self.executions.keys() {
            let ends: Vec<&End> = self.successes(id).collect();
            for pair in ends.windows(2) {
                count += 1;
                if !faults.iter().any(|fault| fault.explains(pair[0], pair[1])) {
                    let told = |end: &End| {
                        format!("attempt {} on node {} at {}", end.attempt, end.node, end.ended.time())
                    };
                    unexplained.push(format!("{id}: {}, {}", told(pair[0]), told(pair[1])));
                }
            }
        }
        (count, unexplained)
    }

    /// How many runs ended otherwise than well, by how.
    pub fn failures(&self) -> BTreeMap<&str, u64> {
        let mut failures = BTreeMap::new();
        for end in self.executions.values().flatten().filter(|end| end.outcome != "ok") {
            *failures.entry(end.outcome.as_str()).or_default() += 1;
        }
        failures
    }

    /// The longest from the death of a node until somebody took over what it
    /// held, and the longest of those with no other fault meanwhile.
    pub fn longest_takeovers(&self, faults: &[Fault]) -> [Option<TimeDelta>; 2] {
        let kills = faults.iter().filter(|fault| fault.kind == Kind::Kill);
        let all: Vec<(TimeDelta, bool)> = kills
            .filter_map(|kill| {
                let took = self.takeover(kill)?;
                Some((took, faults.iter().any(|other| other.disturbs(kill, took))))
            })
            .collect();
        let alone = all.iter().filter(|(_, disturbed)| !disturbed);
        [all.iter().max().map(|(took, _)| *took), alone.max().map(|(took, _)| *took)]
    }

    fn takeover(&self, kill: &Fault) -> Option<TimeDelta> {
        let held = self.epochs.iter().filter(|(node, at, _)| Some(*node) == kill.node && *at < kill.begin);
        let (.., epoch) = held.max_by_key(|(_, at, _)| at)?;
        // None if it died before it held another than the one that was taken over before.
        self.taken.get(epoch).map(|at| *at - kill.begin).filter(|took| *took > TimeDelta::zero())
    }
}

impl Fault {
    /// Whether it happened, or was not over, while a killed node waited for an heir.
    fn disturbs(&self, kill: &Fault, took: TimeDelta) -> bool {
        let over = self.end.unwrap_or_else(Utc::now);
        !std::ptr::eq(self, kill) && self.begin <= kill.begin + took && kill.begin <= over
    }

    /// Whether the first run was in flight when it happened, and the second began after it.
    fn explains(&self, first: &End, second: &End) -> bool {
        let end = self.end.unwrap_or_else(Utc::now);
        let in_flight = self.begin - UNWRITTEN <= first.ended && first.began <= end + AFTERMATH;
        in_flight && self.begin <= second.ended
    }
}
