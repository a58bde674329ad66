//! Starts every part in order and stops them in reverse.
//!
//! A straight list of steps, used by `serve` and by the tests alike: the
//! database server, the pool, the schema, the engine, what dispatches, the
//! routes, and last the doors. Whoever waits for a part gets it handed here.

mod dispatch;

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, middleware};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::{net::TcpListener, sync::watch};

use self::dispatch::{Dispatch, Needs};
use crate::{
    access::{form_token::FormKey, password::Cost},
    api,
    base::{Error, Result},
    config::Config,
    db,
    engine::SdkModule,
    events::{Inbox, Settings, accept, node, settings},
    ingress,
    postgres::{self, Server},
    routing::{self, Routes},
    store::{app, instance},
    system::{
        clock, disk,
        hardware::Hardware,
        metrics::Metrics,
        notify,
        tasks::{OnFailure, Tasks},
    },
    ui,
    upkeep::{self, Upkeep},
    web::{self, State, origin::OwnNames, state},
};

/// How long what still runs may take once the doors have closed: what was asked
/// had the time of the doors already.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// Connections beside the pool's: one that listens, one of another node during
/// a rolling restart, and a person with `psql`.
const SPARE_CONNECTIONS: u32 = 8;

/// What `start` needs from outside.
pub struct Setup {
    /// The resolved configuration.
    pub config: Config,
    /// The machine.
    pub hardware: Hardware,
    /// The socket to answer on, already bound.
    pub listener: std::net::TcpListener,
    /// The program that becomes the database server: this one.
    pub program: postgres::Program,
    /// What scripts can use beside the standard library.
    pub modules: &'static [SdkModule],
}

/// Everything that runs.
pub struct Running {
    /// What takes requests: stopped first.
    doors: Tasks,
    /// What works behind them: stopped once the last request is answered.
    background: Tasks,
    dispatch: Dispatch,
    db: PgPool,
    server: Option<Server>,
}

/// Starts everything; returns once requests are answered.
pub async fn start(setup: Setup) -> Result<Running> {
    let started = Instant::now();
    let Setup { config, hardware, listener, program, modules } = setup;
    let (server, options) = database(&config, &hardware, program).await?;
    let db = db::connect(options.clone(), config.database.pool_size).await?;
    let schema = db::migrate(&db).await?;
    first_start(&db).await?;

    let (doors, background) = (Tasks::new(), Tasks::new());
    let clock = clock::Watch::default();
    upkeep::clock::Keeper::begin(&db, &clock).await?.start(&background);
    let metrics = Metrics::new();
    let routes = Arc::new(Routes::load(&db).await?);
    let settings = Settings::load(&db, &config).await?;
    let needs = Needs {
        config: &config,
        db: &db,
        options: &options,
        metrics: &metrics,
        routes: &routes,
        settings: &settings,
        modules,
    };
    let dispatch = Dispatch::start(needs, hardware.host_name.clone(), &background).await?;
    follow_changes(needs, &dispatch, &background);
    let state = State::new(state::Parts {
        own_names: OwnNames::new(&hardware.host_name, &config.http.own_names),
        host_name: hardware.host_name,
        password_cost: password_cost(&db).await?,
        form_key: FormKey::new(&instance::form_key(&db).await?),
        first_start: web::claim::prepare(&db, &config).await?,
        bounds: dispatch::bounds(&config),
        upkeep: Upkeep::start(db.clone(), config.retention, clock.clone(), &background),
        stopping: doors.token(),
        db: db.clone(),
        engine: dispatch.engine.clone(),
        recorder: dispatch.recorder.clone(),
        metrics: metrics.clone(),
        schema,
        dispatcher: dispatch.dispatcher.clone(),
        acceptor: dispatch.acceptor.clone(),
        durable: dispatch.durable.clone(),
        clock,
        disk: disk::Watch::new(config.data_dir.clone(), config.min_free),
        settings,
        routes,
        started,
        config,
    });
    read_gauges(&metrics, &state, dispatch.inbox.clone());
    open(listener, &state, &doors)?;
    tracing::info!(ready_ms = started.elapsed().as_millis(), "ready");
    Ok(Running { doors, background, dispatch, db, server })
}

impl Running {
    /// Returns, with its name, when a part has failed without which nothing works.
    pub async fn failed(&self) -> &'static str {
        let (doors, background) = (self.doors.token(), self.background.token());
        tokio::select! {
            () = doors.cancelled() => self.doors.failed(),
            () = background.cancelled() => self.background.failed(),
        }
        .unwrap_or("stopped")
    }

    /// Stops everything: no new request, the open ones answered, what they
    /// did recorded, the database server last.
    pub async fn stop(self) -> Result<()> {
        self.dispatch.durable.close();
        let mut late = self.doors.stop(web::server::DRAIN + STOP_WITHIN).await;
        self.dispatch.stop(STOP_WITHIN).await?;
        late.extend(self.background.stop(STOP_WITHIN).await);
        if !late.is_empty() {
            tracing::warn!(tasks = ?late, "background tasks did not end in time");
        }
        if tokio::time::timeout(STOP_WITHIN, self.db.close()).await.is_err() {
            tracing::warn!("connections to the database were still in use at the stop");
        }
        match self.server {
            Some(server) => server.stop().await.map_err(|e| Error::internal_from("stopping PostgreSQL", e)),
            None => Ok(()),
        }
    }
}

/// The database server: the user's, or our own as a child process.
async fn database(
    config: &Config,
    hardware: &Hardware,
    program: postgres::Program,
) -> Result<(Option<Server>, PgConnectOptions)> {
    if let Some(url) = &config.database.url {
        let options: Result<PgConnectOptions, sqlx::Error> = url.expose().parse();
        return Ok((None, options.map_err(|e| Error::internal_from("the database_url cannot be read", e))?));
    }
    let settings = postgres::Settings {
        data_dir: config.data_dir.clone(),
        hardware: hardware.clone(),
        max_connections: config.database.pool_size + SPARE_CONNECTIONS,
        extra: Vec::new(),
    };
    let server = started(program, settings).await;
    let server = server.map_err(|e| Error::internal_from("PostgreSQL could not be started", e))?;
    let options = server.connect_options();
    Ok((Some(server), options))
}

/// Starts our own server, and tells systemd what it is at: recovery after a power cut takes minutes on a card.
async fn started(program: postgres::Program, settings: postgres::Settings) -> anyhow::Result<Server> {
    let mut server = Server::spawn(program, settings)?;
    let mut status = server.status();
    let telling = async {
        while status.changed().await.is_ok() {
            if let postgres::Status::Starting(words) = &*status.borrow_and_update() {
                notify::status(words);
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ready = server.ready() => ready?,
        () = telling => {}
    }
    Ok(server)
}

/// What is made once in the life of an instance.
async fn first_start(db: &PgPool) -> Result<()> {
    let mut tx = db.begin().await?;
    if app::ensure_default(&mut tx).await? {
        tracing::info!("made the default app with its route /hello");
    }
    tx.commit().await?;
    Ok(())
}

/// The cost of a password hash: as measured at the first start.
pub async fn password_cost(db: &PgPool) -> Result<Cost> {
    if let Some(cost) = instance::password_cost(db).await? {
        return Ok(cost);
    }
    let measured = tokio::task::spawn_blocking(Cost::measure).await;
    let measured =
        measured.map_err(|e| Error::internal_from("measuring the cost of a password hash", e))??;
    let mut connection = db.acquire().await?;
    instance::keep_password_cost(&mut connection, measured).await
}

/// Follows what other nodes tell: routes and settings that changed, rows that wait, nodes that come and go.
fn follow_changes(needs: Needs<'_>, dispatch: &Dispatch, tasks: &Tasks) {
    let channels = [routing::CHANGED, settings::CHANGED, accept::WAITING, node::CHANGED];
    let (nudges, listening) = db::listen(needs.options.clone(), &channels);
    let stop = tasks.token();
    tasks.spawn("listen", OnFailure::Shutdown, async move {
        stop.run_until_cancelled(listening).await;
        Ok::<(), Error>(())
    });
    if let Some(changed) = nudges.subscribe(routing::CHANGED) {
        let (routes, db) = (Arc::clone(needs.routes), needs.db.clone());
        follow("routes", tasks, async move { routes.follow(&db, changed).await });
    }
    if let Some(changed) = nudges.subscribe(settings::CHANGED) {
        let (settings, db) = (needs.settings.clone(), needs.db.clone());
        follow("settings", tasks, async move { settings.follow(&db, changed).await });
    }
    if let Some(waiting) = nudges.subscribe(accept::WAITING) {
        let durable = dispatch.durable.clone();
        follow("outbox nudges", tasks, each(waiting, move || durable.wake()));
    }
    if let Some(changed) = nudges.subscribe(node::CHANGED) {
        let (node, durable) = (dispatch.node.clone(), dispatch.durable.clone());
        // One that has gone in good order has given its rows back.
        let look = move || {
            node.look();
            durable.wake();
        };
        follow("node nudges", tasks, each(changed, look));
    }
}

/// Runs what follows a channel until the end.
fn follow(name: &'static str, tasks: &Tasks, work: impl Future<Output = ()> + Send + 'static) {
    let stop = tasks.token();
    tasks.spawn(name, OnFailure::Shutdown, async move {
        stop.run_until_cancelled(work).await;
        Ok::<(), Error>(())
    });
}

/// Does `act` at each nudge.
async fn each(mut nudges: watch::Receiver<()>, act: impl Fn()) {
    while nudges.changed().await.is_ok() {
        act();
    }
}

/// Has the gauges read where the states are, whenever somebody asks for the metrics.
fn read_gauges(metrics: &Metrics, state: &State, inbox: Inbox) {
    // Not the state itself: it holds the metrics, which hold this.
    let (engine, db, routes) = (state.engine.clone(), state.db.clone(), Arc::clone(&state.routes));
    let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    metrics.on_read(move |metrics| {
        let gate = engine.gauges();
        let scripts = [
            ("running", gate.running),
            ("in_flight", gate.in_flight),
            ("waiting", gate.queued),
            ("resuming", gate.resuming),
            ("background_running", gate.background_running),
            ("background_waiting", gate.background_waiting),
        ];
        for (name, value) in scripts {
            metrics.gate.with_label_values(&[name]).set(value.into());
        }
        metrics.scripts_memory.set(i64::try_from(engine.memory_taken()).unwrap_or(i64::MAX));
        for (name, value) in [("open", i64::from(db.size())), ("idle", size(db.num_idle()))] {
            metrics.database_connections.with_label_values(&[name]).set(value);
        }
        metrics.routes.set(size(routes.table().len()));
        metrics.inbox.set(size(inbox.waiting()));
    });
}

/// Opens the doors: the API, the pages, and whatever else the apps answer.
fn open(listener: std::net::TcpListener, state: &State, tasks: &Tasks) -> Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let router = Router::new()
        .merge(api::router())
        .merge(ui::router(state))
        .merge(ingress::router(state))
        .layer(middleware::from_fn_with_state(state.clone(), web::layers::around))
        .with_state(state.clone());
    let (http, stop) = (state.config.http.clone(), tasks.token());
    tasks.spawn("http", OnFailure::Shutdown, async move {
        web::server::serve(listener, router, http, stop).await;
        Ok::<(), Error>(())
    });
    Ok(())
}
