//! What answers without credentials: health, readiness, version, metrics.

use std::time::Duration;

use aide::axum::{ApiRouter, routing::get_with};
use axum::{
    Json,
    extract::{FromRequestParts as _, Request, State as AxumState},
    response::{IntoResponse as _, Response},
};
use http::{StatusCode, header};

use crate::{
    access::{Caller, Capability},
    base::Result,
    engine::SDK_VERSION,
    system::disk,
    web::{Client, NoQuery, State, origin},
};

/// How long the database may take to answer a probe.
const PROBE: Duration = Duration::from_secs(1);

/// The calls of this noun.
pub(super) fn routes() -> ApiRouter<State> {
    ApiRouter::new()
        .api_route(
            "/healthz",
            get_with(healthz, |op| op.id("healthz").tag("open").summary("The process answers")),
        )
        .api_route(
            "/readyz",
            get_with(readyz, |op| {
                op.id("readyz")
                    .tag("open")
                    .summary("Everything needed answers")
                    .response::<200, Json<Readiness>>()
                    .response::<503, Json<Readiness>>()
            }),
        )
        .api_route("/version", get_with(version, |op| op.id("version").tag("open").summary("What runs here")))
        .route("/metrics", axum::routing::get(metrics))
}

/// That the process answers.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Health {
    status: &'static str,
}

async fn healthz(_: NoQuery) -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether everything that is needed answers.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Readiness {
    /// `ok` or `unavailable`.
    status: &'static str,
    checks: Checks,
}

/// The single checks.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Checks {
    /// `ok` or `unavailable`.
    database: &'static str,
    /// `ok`, `paused`, which is no failure either, or `stopped`.
    dispatcher: &'static str,
    /// `ok`, `nearly full` or `unreadable`.
    disk: &'static str,
    /// `synchronised` or `unsynchronised`, which is shown and no failure.
    clock: &'static str,
}

async fn readyz(AxumState(state): AxumState<State>, _: NoQuery) -> Response {
    let database = database_check(&state).await;
    let dispatcher = match state.engine.is_running() {
        true if state.settings.dispatch_paused() => "paused",
        true => "ok",
        false => "stopped",
    };
    let disk = match state.disk.state() {
        disk::State::Roomy => "ok",
        disk::State::NearlyFull => "nearly full",
        disk::State::Unreadable => "unreadable",
    };
    let clock = if state.clock.now().is_right() { "synchronised" } else { "unsynchronised" };
    let ready = database == "ok" && dispatcher != "stopped" && disk == "ok";
    let (status, word) =
        if ready { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unavailable") };
    let checks = Checks { database, dispatcher, disk, clock };
    (status, Json(Readiness { status: word, checks })).into_response()
}

async fn database_check(state: &State) -> &'static str {
    // Whoever probes waits no longer than this; a caller of the API may.
    match tokio::time::timeout(PROBE, crate::db::ping(&state.db)).await {
        Ok(Ok(())) => "ok",
        _ => "unavailable",
    }
}

/// What runs here.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Version {
    /// The product's version.
    product: &'static str,
    /// The version of what scripts see.
    sdk: &'static str,
    /// The version of the API.
    api: u32,
    /// The number of the database's last migration.
    schema: i64,
}

async fn version(AxumState(state): AxumState<State>, _: NoQuery) -> Json<Version> {
    Json(Version { product: env!("CARGO_PKG_VERSION"), sdk: SDK_VERSION, api: 1, schema: state.schema })
}

/// Prometheus text: for the machine itself, for those who run it, or for everybody if so configured.
async fn metrics(AxumState(state): AxumState<State>, request: Request) -> Result<Response> {
    let (mut parts, _) = request.into_parts();
    // A name of somebody else's leads a browser on this machine here only if its page has rebound it.
    let local = Client::of(&parts)?.is_this_machine()
        && state.own_names.is_own(&origin::host_of(&parts.headers, &parts.uri));
    if !state.config.http.metrics_open && !local {
        Caller::from_request_parts(&mut parts, &state).await?.require(Capability::InstanceManageSettings)?;
    }
    // Without the database what it alone knows is as it was the last time.
    let _ = tokio::time::timeout(PROBE, ask_database(&state)).await;
    let text = state.metrics.text();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}

/// Has the metrics say what only the database knows.
async fn ask_database(state: &State) {
    match crate::db::wal_bytes(&state.db).await {
        Ok(bytes) => state.metrics.wal_reached(bytes),
        Err(error) => tracing::debug!(%error, "the database does not say how much WAL there is"),
    }
    if let Err(error) = state.durable.read_gauges().await {
        tracing::debug!(%error, "the waiting rows could not be counted");
    }
}
