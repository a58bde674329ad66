//! PiCloud's engine as the product starts it, driven without HTTP.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use picloud::{
    base::id::ScriptId,
    engine::{Body, Bounds, Code, Engine, Outcome},
};

use crate::driver;

/// The engine.
#[derive(Clone)]
pub(crate) struct Ours {
    engine: Engine,
}

impl Ours {
    pub(crate) fn start() -> Self {
        Self { engine: driver::engine(256 << 20, 1 << 30) }
    }

    /// Runs `source`, compiled once; each call is one run, of which the time on the script's thread counts.
    pub(crate) fn runs(&self, source: &'static str, body: Body) -> Box<dyn FnMut() -> Duration> {
        let mut run = self.prepared(source, body);
        Box::new(move || run().duration)
    }

    /// The same, from handing the job in until its outcome is here.
    pub(crate) fn calls(&self, source: &'static str) -> Box<dyn FnMut() -> Duration> {
        let mut run = self.prepared(source, Body::default());
        Box::new(move || {
            let began = Instant::now();
            for _ in 0..CALLS {
                run();
            }
            began.elapsed()
        })
    }

    fn prepared(&self, source: &'static str, body: Body) -> impl FnMut() -> Outcome + use<> {
        let engine = self.engine.clone();
        let (script, source) = (ScriptId::new(), Arc::<str>::from(source));
        move || {
            let code = Code::Version { script, version: 1, source: Arc::clone(&source) };
            let limits = Bounds::default().default;
            let outcome = driver::run(&engine, code, body.clone(), limits, Duration::from_secs(60));
            let outcome = outcome.expect("an outcome");
            assert!(outcome.result.is_ok(), "{:?}", outcome.result);
            outcome
        }
    }
}

/// How many runs one figure of [`Ours::calls`] is of.
pub(crate) const CALLS: usize = 1000;
