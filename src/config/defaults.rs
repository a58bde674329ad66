//! What holds where nobody has set anything.

use std::{path::PathBuf, time::Duration};

use super::{
    ClaimFrom, ClaimWindow, Config, Database, Dispatch, Execution, History, Http, Retention, sizing,
};
use crate::{
    base::backoff::Backoff,
    system::{
        hardware::Hardware,
        log::{self, Format},
    },
};

const MIB: usize = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Config {
    /// The defaults on a machine.
    pub(super) fn defaults(hardware: &Hardware) -> Self {
        let sized = sizing(hardware);
        Self {
            data_dir: PathBuf::from("/var/lib/picloud"),
            min_free: None,
            database: Database { url: None, pool_size: sized.db_pool },
            http: Http {
                listen: ([127, 0, 0, 1], 8080).into(),
                body_limit: MIB,
                header_limit: 32 << 10,
                request_timeout: Duration::from_secs(30),
                idle_timeout: Duration::from_secs(60),
                own_names: Vec::new(),
                trusted_proxies: Vec::new(),
                metrics_open: false,
            },
            execution: Execution {
                running: sized.running,
                in_flight: sized.in_flight,
                queue: sized.queue,
                permit_wait: Duration::from_secs(1),
                max_operations: 10_000_000,
                max_operations_ceiling: 100_000_000,
                max_call_depth: 64,
                max_call_depth_ceiling: 128,
                max_memory: sized.script_memory,
                max_memory_ceiling: sized.script_memory_ceiling,
                memory_of_all: sized.memory_of_all_scripts,
                max_string: MIB,
                max_blob: 8 * MIB,
                max_log_lines: 200,
                max_log_lines_ceiling: 2_000,
                response_limit: 8 * MIB,
                compiled_scripts: sized.compiled_scripts,
            },
            dispatch: Dispatch {
                paused: false,
                retry_max_attempts: 3,
                retry_backoff: Backoff::Exponential,
                retry_base: Duration::from_secs(1),
                retry_jitter_pct: 20,
                max_trigger_depth: 8,
                outbox_quota: 100_000,
                largest_claim: sized.largest_claim,
            },
            history: History { log_budget_per_second: 50 },
            retention: Retention {
                dead_letter_age: 30 * DAY,
                dead_letter_rows: 100_000,
                abandoned_age: 7 * DAY,
                abandoned_rows: 10_000,
                execution_age: 14 * DAY,
                execution_rows: 1_000_000,
                execution_bytes: 1024 * MIB,
            },
            claim_window: ClaimWindow { minutes: 30, from: ClaimFrom::Start },
            claim_code: false,
            log: log::Settings { filter: "info".to_owned(), format: Format::Auto, journal_stream: None },
            resolved: Vec::new(),
        }
    }
}
