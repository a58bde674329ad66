//! The dispatcher of durable rows without doors, on ways to the database that can be cut and are counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use picloud::{
    base::id::{AppId, ExecutionId, ScriptId},
    config::Config,
    engine::{
        AppRef, Bounds, Code, Engine, Invocation, Job, Kind, Lane, LogLimits, Request, ScriptRef, Settings,
    },
    events::{self, Cause, Durable, Node, Planned, Recorder, SourceKind, What, Work, durable::Parts},
    store::outbox::Claimed,
    system::{hardware::Hardware, metrics::Metrics, tasks::Tasks},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    runtime::Runtime,
    sync::{Semaphore, oneshot},
};

use crate::{node::support::Member, support::DEADLINE};

/// How long the dispatcher waits for a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// The dispatcher, with one kind of source: what it claims runs one script.
pub struct Alone {
    pub durable: Durable,
    pub node: Node,
    pub bell: Arc<Bell>,
    pub metrics: Metrics,
    engine: Engine,
    /// How often it has asked the database for something.
    asked: Arc<AtomicU64>,
    /// One of its own, so that it can be told how busy the dispatcher is.
    runtime: Option<Runtime>,
}

/// A source of events whose runs the test can hold back.
pub struct Bell {
    script: ScriptId,
    source: Arc<str>,
    /// A permit for each row that is about to be planned.
    reached: Semaphore,
    open: Semaphore,
}

impl Alone {
    /// Starts it for a node, to claim by way of `queue` and run `source`.
    pub async fn start(member: &Member, queue: PgConnectOptions, db: &PgPool, source: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let asked = Arc::<AtomicU64>::default();
        let bell = Arc::new(Bell {
            script: ScriptId::new(),
            source: source.into(),
            reached: Semaphore::new(0),
            open: Semaphore::new(0),
        });
        let engine = Engine::start(&settings(), &[]);
        let config = Config::load(None, std::iter::empty(), &[], &Hardware::detect()).expect("the defaults");
        let settings = events::Settings::load(db, &config).await.expect("the settings");
        let (kinds, metrics): (Vec<Arc<dyn SourceKind>>, _) = (vec![bell.clone()], Metrics::new());
        let (node, db, tasks) = (member.node.clone(), db.clone(), Tasks::new());
        let (of_engine, counted, told) = (engine.clone(), asked.clone(), metrics.clone());
        let starting = runtime.spawn(async move {
            let recorder = Recorder::start(db.clone(), 1_000, told.clone(), &tasks);
            let queue = counted_pool(queue, counted);
            let parts = Parts {
                engine: of_engine,
                queue,
                db,
                recorder,
                metrics: told,
                node,
                settings,
                kinds,
                largest_claim: 512,
                jitter_pct: 0,
            };
            Durable::start(parts, &tasks)
        });
        let durable = starting.await.expect("no panic");
        // As who listens to the other nodes does when it begins.
        durable.wake();
        Self { durable, node: member.node.clone(), bell, metrics, engine, asked, runtime: Some(runtime) }
    }

    /// How often it has asked the database for something.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }

    /// Which part of the next moment it is busy.
    pub async fn busy(&self) -> f64 {
        let metrics = self.runtime.as_ref().expect("it runs").metrics();
        let (before, begun) = (metrics.worker_total_busy_duration(0), Instant::now());
        // Nothing is waited for: this is the time in which it is measured.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let busy = metrics.worker_total_busy_duration(0).saturating_sub(before);
        busy.as_secs_f64() / begun.elapsed().as_secs_f64()
    }

    /// Runs the script once, so that it is at hand.
    pub async fn compile(&self) {
        let (done, ran) = oneshot::channel();
        let work = self.bell.work(AppId::new(), ExecutionId::new(), 1);
        let Bell { script, source, .. } = &*self.bell;
        let job = Job {
            invocation: work.invocation,
            code: Code::Version { script: *script, version: 1, source: source.clone() },
            limits: work.limits,
            lane: Lane::Interactive,
            done: Box::new(|outcome| drop(done.send(outcome))),
        };
        assert!(self.engine.submit(job).is_ok());
        ran.await.expect("an outcome").result.expect("it compiles");
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.runtime.take().expect("it runs").shutdown_background();
    }
}

impl Bell {
    /// Waits until a row is about to be planned that was not before.
    pub async fn reached(&self) {
        let reached = tokio::time::timeout(DEADLINE, self.reached.acquire()).await;
        reached.expect("a row is planned").expect("nobody closes it").forget();
    }

    /// Lets everything run from now on.
    pub fn open(&self) {
        self.open.add_permits(1);
    }

    /// A run of the script.
    pub fn work(&self, app: AppId, execution_id: ExecutionId, attempt: u32) -> Work {
        let invocation = Invocation {
            execution_id,
            root_execution_id: execution_id,
            request_id: String::new(),
            attempt,
            trigger_depth: 0,
            app: AppRef { id: app, slug: "garden".parse().expect("a slug") },
            script: ScriptRef { id: self.script, name: "bell".parse().expect("a name"), version: Some(1) },
            kind: Kind::Http,
            request: Request::default(),
            principal: None,
        };
        let (code, limits) = (What::Version(self.script, 1), Bounds::default().default);
        Work { invocation, code, limits, cause: Cause::default() }
    }
}

impl SourceKind for Bell {
    fn name(&self) -> &'static str {
        Kind::Http.name()
    }

    fn plan<'r>(&'r self, row: &'r Claimed) -> BoxFuture<'r, Planned> {
        Box::pin(async move {
            self.reached.add_permits(1);
            let _open = self.open.acquire().await;
            let work = self.work(row.app_id, row.execution_id, row.attempt.unsigned_abs());
            Planned::Run(Box::new(Work { code: What::Draft(self.source.clone()), ..work }))
        })
    }
}

/// An engine with room for more runs than a hand is to hold.
fn settings() -> Settings {
    Settings {
        running: 2,
        in_flight: 64,
        queue: 4,
        compiled_scripts: 4,
        max_call_depth: 128,
        max_memory: 32 << 20,
        memory_of_all: 256 << 20,
        response_limit: 1 << 20,
        log: LogLimits::default(),
    }
}

/// A pool of one connection that counts how often it is used.
fn counted_pool(options: PgConnectOptions, asked: Arc<AtomicU64>) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .test_before_acquire(false)
        .before_acquire(move |_, _| {
            asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(Ok(true)))
        })
        .connect_lazy_with(options)
}
