//! Starts what runs scripts, from the gate to the node's epoch, and stops it.

use std::{sync::Arc, time::Duration};

use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    base::{Error, Result},
    config::Config,
    db,
    engine::{self, Engine, SdkModule},
    events::{
        Acceptor, Behind, Dispatcher, Durable, Inbox, Node, Recorder, Settings, accept, dispatcher, durable,
        node,
    },
    ingress,
    routing::Routes,
    system::{metrics::Metrics, tasks::Tasks},
};

/// What runs scripts.
pub(super) struct Dispatch {
    pub(super) engine: Engine,
    pub(super) recorder: Recorder,
    pub(super) inbox: Inbox,
    pub(super) node: Node,
    pub(super) behind: Behind,
    pub(super) dispatcher: Dispatcher,
    pub(super) durable: Durable,
    pub(super) acceptor: Acceptor,
}

/// What it needs of the others.
#[derive(Clone, Copy)]
pub(super) struct Needs<'a> {
    pub(super) config: &'a Config,
    pub(super) db: &'a PgPool,
    pub(super) options: &'a PgConnectOptions,
    pub(super) metrics: &'a Metrics,
    pub(super) routes: &'a Arc<Routes>,
    pub(super) settings: &'a Settings,
    pub(super) modules: &'a [SdkModule],
}

impl Dispatch {
    /// Starts everything; the node has its epoch when this returns.
    pub(super) async fn start(needs: Needs<'_>, host_name: String, tasks: &Tasks) -> Result<Self> {
        let Needs { config, db, options, metrics, .. } = needs;
        let node = node::Parts {
            db: db.clone(),
            options: options.clone(),
            name: host_name,
            metrics: metrics.clone(),
            pace: node::Pace::default(),
        };
        let node = Node::register(node, tasks).await?;
        let engine = Engine::start(&engine_settings(config), needs.modules);
        let budget = config.history.log_budget_per_second;
        let recorder = Recorder::start(db.clone(), budget, metrics.clone(), tasks);
        let inbox = Inbox::default();
        let behind = Behind::start(db.clone(), node.clone(), metrics.clone(), tasks);
        let dispatcher = Dispatcher::new(dispatcher::Parts {
            engine: engine.clone(),
            recorder: recorder.clone(),
            db: db.clone(),
            metrics: metrics.clone(),
            permit_wait: config.execution.permit_wait,
            inbox: inbox.clone(),
            behind: behind.clone(),
        });
        let durable = durable(needs, (&engine, &recorder, &node), tasks);
        let accept = accept::Parts {
            db: db.clone(),
            durable: durable.clone(),
            node: node.clone(),
            quota: config.dispatch.outbox_quota,
        };
        let acceptor = Acceptor::start(accept, tasks);
        Ok(Self { engine, recorder, inbox, node, behind, dispatcher, durable, acceptor })
    }

    /// Ends what runs and has everything written that came of it: to be called
    /// when nobody asks for anything any more.
    pub(super) async fn stop(&self, grace: Duration) -> Result<()> {
        self.durable.close();
        let engine = self.engine.clone();
        // It waits for scripts on threads of its own.
        let stopped = tokio::task::spawn_blocking(move || engine.stop(grace)).await;
        stopped.map_err(|e| Error::internal_from("stopping the engine", e))?;
        match tokio::time::timeout(grace, self.durable.flush()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "what ran last could not be written: it runs again"),
            Err(_) => tracing::warn!("what ran last was not written in time: it runs again"),
        }
        self.recorder.stop(grace).await;
        self.behind.stop(grace).await;
        self.node.leave().await;
        Ok(())
    }
}

fn durable(needs: Needs<'_>, with: (&Engine, &Recorder, &Node), tasks: &Tasks) -> Durable {
    let Needs { config, db, options, metrics, routes, settings, .. } = needs;
    let (engine, recorder, node) = with;
    let http = ingress::HttpSource { routes: Arc::clone(routes), db: db.clone(), bounds: bounds(config) };
    let parts = durable::Parts {
        engine: engine.clone(),
        queue: db::queue(options.clone()),
        db: db.clone(),
        recorder: recorder.clone(),
        metrics: metrics.clone(),
        node: node.clone(),
        settings: settings.clone(),
        kinds: vec![Arc::new(http)],
        largest_claim: config.dispatch.largest_claim,
        jitter_pct: config.dispatch.retry_jitter_pct,
    };
    Durable::start(parts, tasks)
}

fn engine_settings(config: &Config) -> engine::Settings {
    let execution = &config.execution;
    engine::Settings {
        running: execution.running,
        in_flight: execution.in_flight,
        queue: execution.queue,
        compiled_scripts: execution.compiled_scripts,
        max_call_depth: execution.max_call_depth_ceiling,
        max_memory: execution.max_memory_ceiling,
        memory_of_all: execution.memory_of_all,
        response_limit: execution.response_limit,
        log: engine::LogLimits::default(),
    }
}

/// What a run gets, and the most a script may ask for.
pub(super) fn bounds(config: &Config) -> engine::Bounds {
    let execution = &config.execution;
    let built_in = engine::Bounds::default();
    // What has no ceiling of its own is the instance's to say.
    let default = engine::Limits {
        operations: execution.max_operations,
        wall_clock: built_in.default.wall_clock,
        call_depth: execution.max_call_depth,
        log_lines: execution.max_log_lines,
        memory: execution.max_memory,
        string_bytes: execution.max_string,
        blob_bytes: execution.max_blob,
    };
    let ceiling = engine::Limits {
        operations: execution.max_operations_ceiling,
        wall_clock: built_in.ceiling.wall_clock,
        call_depth: execution.max_call_depth_ceiling,
        log_lines: execution.max_log_lines_ceiling,
        memory: execution.max_memory_ceiling,
        ..default
    };
    engine::Bounds { default, ceiling }
}
