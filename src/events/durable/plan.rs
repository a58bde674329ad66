//! From rows that were claimed to jobs for the engine.

#[cfg(test)]
mod tests;

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Durable, Fate, Held, failed, key, outcome};
use crate::{
    base::{
        Result,
        id::{AppId, ScriptId},
        time::Timestamp,
    },
    engine::Code,
    events::{
        Work,
        dispatcher::{self, What},
        kind::{Planned, Refusal},
        settle,
    },
    store::outbox::{Claimed, LOST_TOO_OFTEN},
};
use rand::Rng as _;

/// How many rows are handed over at a time.
const AT_ONCE: usize = 32;

/// Sources that were loaded for this batch: the rows of one script come together.
type Sources = HashMap<(ScriptId, i32), Arc<str>>;

impl Durable {
    /// Has the rows run that were claimed, and settles those that cannot be; how many are handed over.
    pub(super) async fn take(&self, rows: Vec<Claimed>) -> usize {
        if self.0.parts.settings.dispatch_paused() {
            // While they were claimed.
            self.put_off(rows.into_iter());
            return 0;
        }
        let mut handed = 0;
        let mut sources = Sources::new();
        let mut jobs = Vec::with_capacity(rows.len().min(AT_ONCE));
        let mut rows = in_turns(rows).into_iter();
        while let Some(row) = rows.next() {
            if row.lost_count > LOST_TOO_OFTEN {
                self.refuse(row, &process_ended());
                continue;
            }
            match self.planned(&row, &mut sources).await {
                Ok(Ok((work, code))) => {
                    let mut hand = self.0.hand.lock();
                    hand.hold(key(&work), Held::claimed(row, settle::begun(&work.invocation, work.cause)));
                    drop(hand);
                    jobs.push(self.job(work, code));
                    handed += 1;
                }
                Ok(Err(refusal)) => self.refuse(row, &refusal),
                // The database is away: what waits for it waits on, and no attempt is counted.
                Err(_) => {
                    self.put_off(std::iter::once(row).chain(rows));
                    break;
                }
            }
            if jobs.len() == AT_ONCE {
                // The first run while the others are read.
                self.hand_over(std::mem::take(&mut jobs));
            }
        }
        self.hand_over(jobs);
        handed
    }

    async fn planned(&self, row: &Claimed, sources: &mut Sources) -> Result<Result<(Work, Code), Refusal>> {
        let kinds = &self.0.parts.kinds;
        let Some(kind) = kinds.iter().find(|kind| kind.name() == row.source_kind) else {
            return Ok(Err(Refusal::unreadable("this program does not know what kind of event it is")));
        };
        let work = match kind.plan(row).await {
            Planned::Run(work) => *work,
            Planned::Refused(refusal) => return Ok(Err(refusal)),
            Planned::Unknown(error) => return Err(error),
        };
        let code = match &work.code {
            What::Draft(source) => Some(Code::Draft(Arc::clone(source))),
            What::Version(script, version) => self.version(*script, *version, sources).await?,
        };
        Ok(code.map(|code| (work, code)).ok_or_else(|| Refusal::gone("the script is gone")))
    }

    async fn version(&self, script: ScriptId, version: i32, sources: &mut Sources) -> Result<Option<Code>> {
        let parts = &self.0.parts;
        if let Some(source) = sources.get(&(script, version)) {
            return Ok(Some(Code::Version { script, version, source: Arc::clone(source) }));
        }
        let code = dispatcher::saved(&parts.engine, &parts.db, script, version).await?;
        if let Some(Code::Version { source, .. }) = &code {
            sources.insert((script, version), Arc::clone(source));
        }
        Ok(code)
    }

    /// Settles a row that cannot be run: a failed attempt with that reason.
    fn refuse(&self, row: Claimed, refusal: &Refusal) {
        let parts = &self.0.parts;
        let begun = settle::refused(&row, refusal);
        let held = Held::claimed(row, begun);
        let fate = if refusal.kind == PROCESS_ENDED {
            Fate::Buried
        } else {
            outcome::of_failure(held.policy, held.failures + 1, parts.jitter_pct, rand::rng().random())
        };
        let (error, now) = (held.begun.error.clone(), Timestamp::now());
        let mut hand = self.0.hand.lock();
        match fate {
            Fate::Again(wait) => hand.settled.again.push(failed(&held, error, now, wait)),
            _ => hand.settled.buried.push(failed(&held, error, now, Duration::ZERO)),
        }
        hand.settled.touch();
        drop(hand);
        self.count(fate);
        settle::record(&parts.recorder, &parts.metrics, held.begun);
    }

    fn put_off(&self, rows: impl Iterator<Item = Claimed>) {
        let mut hand = self.0.hand.lock();
        hand.settled.unrun.extend(rows.map(|row| row.id));
        hand.settled.touch();
    }
}

/// The rows such that apps take turns: one app's single row is not behind a batch of another's.
fn in_turns(rows: Vec<Claimed>) -> Vec<Claimed> {
    let mut seen: HashMap<AppId, usize> = HashMap::new();
    let mut turns: Vec<(usize, Claimed)> = rows
        .into_iter()
        .map(|row| {
            let turn = seen.entry(row.app_id).or_default();
            *turn += 1;
            (*turn, row)
        })
        .collect();
    // Stable: within a turn they stay as they came.
    turns.sort_by_key(|(turn, _)| *turn);
    turns.into_iter().map(|(_, row)| row).collect()
}

/// The kind of error of a row whose runs took their process along.
const PROCESS_ENDED: &str = "process_ended";

fn process_ended() -> Refusal {
    Refusal {
        kind: PROCESS_ENDED,
        status: 500,
        message: format!("the process ended under {LOST_TOO_OFTEN} runs in a row"),
    }
}
