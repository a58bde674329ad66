//! What is counted, and its text for Prometheus.
//!
//! Every name begins with `picloud_`. A label's values come from a fixed set,
//! or, for `app_id`, from the apps there are: what strangers send never becomes
//! one. Counters are raised where things happen; what is a state rather than an
//! event (the gate, the pool) is asked for when somebody reads, by a hook.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder, core::Collector,
};

/// All counters of the process; clones share them.
#[derive(Clone)]
pub struct Metrics {
    /// Finished executions, by `source` (`http`, `manual`) and `outcome` (`ok` or the failure's name).
    pub executions: IntCounterVec,
    /// How long executions ran in seconds, by `source`.
    pub execution_seconds: HistogramVec,
    /// How long executions waited at the gate in seconds, by `lane`: `interactive`, `background`.
    pub gate_wait_seconds: HistogramVec,
    /// Calls refused because the gate and its queue were full.
    pub refused: IntCounter,
    /// Execution records, by `fate`: `stored`, `counted` (over the app's budget), `dropped` (buffer full).
    pub execution_records: IntCounterVec,
    /// Durable rows, by `state`: `waiting`, `retrying`, `running`; those that wait are counted up to 100 000.
    pub outbox: IntGaugeVec,
    /// Seconds since the durable row was due that has been longest.
    pub outbox_oldest_due: IntGauge,
    /// Runs of durable events that failed and are made again.
    pub retries: IntCounter,
    /// Events that became dead letters.
    pub dead_letters: IntCounter,
    /// Executions whose caller had gone or whose process ended, by `app_id`.
    pub abandoned: IntCounterVec,
    /// What was to be recorded of synchronous runs and did not fit while the database was away, by `what`:
    /// `run`, `abandoned`.
    pub behind_dropped: IntCounterVec,
    /// Requests answered, by `door` (`app`, `api`, `admin`, `open`) and `class` (`2xx`, ...).
    pub http_requests: IntCounterVec,
    /// The gate's scripts, by `state`: `running`, `in_flight`, `waiting` (somebody waits for them), `resuming`,
    /// `background_running`, `background_waiting`.
    pub gate: IntGaugeVec,
    /// Bytes that scripts have taken of the memory for all of them.
    pub scripts_memory: IntGauge,
    /// Connections of the database pool, by `state`: `open`, `idle`.
    pub database_connections: IntGaugeVec,
    /// Bytes of WAL; not there until somebody has asked the server, for from nought on it would seem to have
    /// written them all at once.
    wal_bytes: IntCounterVec,
    /// Callers that wait for the outcome of a run.
    pub inbox: IntGauge,
    /// Routes in the table that is being served.
    pub routes: IntGauge,
    registry: Registry,
    hooks: Arc<Mutex<Vec<Hook>>>,
    /// Held while a counter is raised to what was read elsewhere.
    raising: Arc<Mutex<()>>,
}

type Hook = Box<dyn Fn(&Metrics) + Send + Sync>;

/// Buckets of the duration histograms in seconds: from what a small script takes
/// to the longest time a script may have.
const SECONDS: [f64; 12] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0];

impl Metrics {
    /// Makes all counters, at nought.
    pub fn new() -> Self {
        let all = Registry::new();
        let metrics = Self {
            executions: counters(&all, "executions_total", "Finished executions.", &["source", "outcome"]),
            execution_seconds: seconds(&all, "execution_seconds", "How long executions ran.", "source"),
            gate_wait_seconds: seconds(
                &all,
                "gate_wait_seconds",
                "How long executions waited at the gate.",
                "lane",
            ),
            refused: counter(&all, "gate_refused_total", "Calls refused: the gate and its queue were full."),
            execution_records: counters(
                &all,
                "execution_records_total",
                "Execution records stored, counted only, or dropped.",
                &["fate"],
            ),
            outbox: gauges(&all, "outbox_rows", "Durable rows.", &["state"]),
            outbox_oldest_due: gauge(
                &all,
                "outbox_oldest_due_seconds",
                "How long a durable row has been due.",
            ),
            retries: counter(&all, "retries_total", "Runs that failed and are made again."),
            dead_letters: counter(&all, "dead_letters_total", "Events whose every run failed."),
            abandoned: counters(
                &all,
                "abandoned_executions_total",
                "Executions nobody waited for any more.",
                &["app_id"],
            ),
            behind_dropped: counters(
                &all,
                "behind_dropped_total",
                "Records of sync runs dropped.",
                &["what"],
            ),
            http_requests: counters(&all, "http_requests_total", "Requests answered.", &["door", "class"]),
            gate: gauges(&all, "gate_scripts", "Scripts at the execution gate.", &["state"]),
            scripts_memory: gauge(&all, "scripts_memory_bytes", "Memory that scripts have taken."),
            database_connections: gauges(
                &all,
                "database_connections",
                "Connections of the pool.",
                &["state"],
            ),
            wal_bytes: counters(&all, "wal_bytes_total", "Bytes of WAL the server has written.", &[]),
            inbox: gauge(&all, "inbox_pending", "Callers that wait for an outcome."),
            routes: gauge(&all, "routes", "Routes in the table."),
            registry: all,
            hooks: Arc::default(),
            raising: Arc::default(),
        };
        let build = gauges(&metrics.registry, "build_info", "The version that runs; always 1.", &["version"]);
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        metrics
    }

    /// Calls `hook` before each reading, so that it can set the gauges it knows of.
    pub fn on_read(&self, hook: impl Fn(&Self) + Send + Sync + 'static) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(hook));
    }

    /// Says how many bytes of WAL there were when somebody asked. Who asked earlier and comes later changes nothing.
    pub fn wal_reached(&self, bytes: u64) {
        let _one = self.raising.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = self.wal_bytes.with_label_values::<&str>(&[]);
        counter.inc_by(bytes.saturating_sub(counter.get()));
    }

    /// All counters as Prometheus reads them (`text/plain; version=0.0.4`).
    pub fn text(&self) -> String {
        for hook in self.hooks.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            hook(self);
        }
        let mut text = Vec::new();
        match TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "the metrics cannot be written");
                String::new()
            }
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("picloud_{name}"), help)
}

fn counter(all: &Registry, name: &str, help: &str) -> IntCounter {
    registered(all, IntCounter::with_opts(named(name, help)))
}

fn gauge(all: &Registry, name: &str, help: &str) -> IntGauge {
    registered(all, IntGauge::with_opts(named(name, help)))
}

fn counters(all: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    registered(all, IntCounterVec::new(named(name, help), labels))
}

fn gauges(all: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    registered(all, IntGaugeVec::new(named(name, help), labels))
}

fn seconds(all: &Registry, name: &str, help: &str, label: &str) -> HistogramVec {
    let options = HistogramOpts::from(named(name, help)).buckets(SECONDS.to_vec());
    registered(all, HistogramVec::new(options, &[label]))
}

/// Adds a collector to the registry.
#[expect(clippy::expect_used, reason = "the names are literals of this file, and a test makes them all")]
fn registered<C: Collector + Clone + 'static>(all: &Registry, made: prometheus::Result<C>) -> C {
    let collector = made.expect("a valid name and labels");
    all.register(Box::new(collector.clone())).expect("a name used once");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_the_prefix_and_the_build_is_told() {
        let metrics = Metrics::new();
        metrics.executions.with_label_values(&["http", "ok"]).inc();
        metrics.execution_seconds.with_label_values(&["http"]).observe(0.002);
        let text = metrics.text();
        assert!(text.contains("picloud_executions_total{outcome=\"ok\",source=\"http\"} 1"), "{text}");
        assert!(text.contains("picloud_execution_seconds_bucket{source=\"http\",le=\"0.005\"} 1"), "{text}");
        assert!(text.contains("picloud_build_info{version="), "{text}");
        let names = text.lines().filter(|line| !line.starts_with('#'));
        assert!(names.clone().count() > 0);
        for line in names {
            assert!(line.starts_with("picloud_"), "{line}");
        }
    }

    #[test]
    fn the_wal_is_counted_once_it_is_known_and_never_goes_back() {
        let metrics = Metrics::new();
        assert!(!metrics.text().contains("picloud_wal_bytes_total"));
        for (read, told) in [
            (5_000_000_000, 5_000_000_000_u64),
            (4_999_999_999, 5_000_000_000),
            (5_000_000_007, 5_000_000_007),
        ] {
            metrics.wal_reached(read);
            let text = metrics.text();
            assert!(text.lines().any(|line| line == format!("picloud_wal_bytes_total {told}")), "{text}");
            assert!(text.contains("# TYPE picloud_wal_bytes_total counter"), "{text}");
        }
    }

    #[test]
    fn states_are_asked_for_when_somebody_reads() {
        let metrics = Metrics::new();
        metrics.on_read(|metrics| metrics.gate.with_label_values(&["running"]).set(3));
        assert!(metrics.text().contains("picloud_gate_scripts{state=\"running\"} 3"));
    }
}
