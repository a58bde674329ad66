//! The slice of keys: the one list that file, variables, flags, defaults, help
//! and `docs/configuration.md` are made of.

use std::time::Duration;

use super::Slot::{
    self, Address, Claim, Count, DatabaseUrl, Directory, Filter, Floor, Growth, Large, LogFormat, Names,
    Networks, Size, Span, Switch, Units,
};

/// One thing that can be set.
pub struct Key {
    /// Its name in the file; a dot stands between a table and a key in it.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub doc: &'static str,
    /// Whether its default follows from the machine.
    pub sized: bool,
    /// Its kind and place.
    pub slot: Slot,
}

impl Key {
    /// The variable of the environment, such as `PICLOUD_CLAIM_WINDOW_MINUTES`.
    pub fn variable(&self) -> String {
        format!("PICLOUD_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// The flag without its two hyphens, such as `claim-window-minutes`.
    pub fn flag(&self) -> String {
        self.name.replace(['.', '_'], "-")
    }
}

const fn key(name: &'static str, slot: Slot, doc: &'static str) -> Key {
    Key { name, doc, sized: false, slot }
}

/// A key whose default follows from the machine.
const fn sized(name: &'static str, slot: Slot, doc: &'static str) -> Key {
    Key { name, doc, sized: true, slot }
}

const KIB: usize = 1 << 10;
const GIB: usize = 1 << 30;
const MIB: usize = 1 << 20;
const MOMENT: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Everything that can be set.
pub const KEYS: &[Key] = &[
    key("listen", Address(|c| &mut c.http.listen), "Where the HTTP server listens."),
    key(
        "data_dir",
        Directory(|c| &mut c.data_dir),
        "Where PiCloud keeps what it owns, its PostgreSQL cluster among it.",
    ),
    key(
        "min_free_bytes",
        Floor(0..=1024 * 1024 * GIB, |c| &mut c.min_free),
        "What stays free on that disk: with less, only reading and deleting goes on.",
    ),
    key(
        "database_url",
        DatabaseUrl(|c| &mut c.database.url),
        "A PostgreSQL of yours, instead of PiCloud's own.",
    ),
    sized("db_pool", Count(1..=200, |c| &mut c.database.pool_size), "Connections to the database at most."),
    key("log", Filter(|c| &mut c.log.filter), "What PiCloud logs about itself."),
    key(
        "log_format",
        LogFormat(|c| &mut c.log.format),
        "How it is logged; `auto` is the journal under systemd, else text.",
    ),
    key(
        "own_names",
        Names(|c| &mut c.http.own_names),
        "Further host names of this machine, under which the administration answers.",
    ),
    key(
        "trusted_proxies",
        Networks(|c| &mut c.http.trusted_proxies),
        "Proxies in front of PiCloud: what they say of the client's address, the scheme and the host is believed.",
    ),
    key(
        "metrics_open",
        Switch(|c| &mut c.http.metrics_open),
        "Whether `/metrics` answers everybody, not only this machine and administrators.",
    ),
    key("body_limit", Size(KIB..=64 * MIB, |c| &mut c.http.body_limit), "The longest request body."),
    key(
        "header_limit",
        Size(8 * KIB..=256 * KIB, |c| &mut c.http.header_limit),
        "The longest head of a request.",
    ),
    key(
        "request_timeout",
        Span(SECOND..=HOUR, |c| &mut c.http.request_timeout),
        "How long reading a request may take.",
    ),
    key(
        "idle_timeout",
        Span(SECOND..=HOUR, |c| &mut c.http.idle_timeout),
        "How long a connection may stay open without a request.",
    ),
    sized(
        "max_concurrent_executions",
        Count(1..=1_024, |c| &mut c.execution.running),
        "Scripts that compute at the same time.",
    ),
    sized(
        "max_in_flight_executions",
        Count(1..=4_096, |c| &mut c.execution.in_flight),
        "Scripts that have begun and not ended, those that wait included.",
    ),
    sized(
        "sync_queue",
        Count(0..=100_000, |c| &mut c.execution.queue),
        "Requests that may wait for their script to begin; the next is answered 503.",
    ),
    key(
        "permit_wait",
        Span(MOMENT..=MINUTE, |c| &mut c.execution.permit_wait),
        "How long a request waits in that queue before it is answered 503.",
    ),
    key(
        "max_operations",
        Large(1_000..=10_000_000_000, |c| &mut c.execution.max_operations),
        "Operations of one run, unless its script sets another number.",
    ),
    key(
        "max_operations_ceiling",
        Large(1_000..=10_000_000_000, |c| &mut c.execution.max_operations_ceiling),
        "The largest number of operations a script may set.",
    ),
    key(
        "max_call_depth",
        Count(1..=128, |c| &mut c.execution.max_call_depth),
        "Depth of calls in one run, unless its script sets another.",
    ),
    key(
        "max_call_depth_ceiling",
        Count(1..=128, |c| &mut c.execution.max_call_depth_ceiling),
        "The greatest depth of calls a script may set.",
    ),
    sized(
        "max_memory_bytes",
        Size(MIB..=4 * GIB, |c| &mut c.execution.max_memory),
        "Memory one run may hold, unless its script sets another size.",
    ),
    sized(
        "max_memory_bytes_ceiling",
        Size(MIB..=4 * GIB, |c| &mut c.execution.max_memory_ceiling),
        "The most memory a script may set; a script's thread has a stack of four times as much, which costs only what is used.",
    ),
    sized(
        "scripts_memory_bytes",
        Size(MIB..=1024 * GIB, |c| &mut c.execution.memory_of_all),
        "Memory all scripts together may hold.",
    ),
    key(
        "max_string_bytes",
        Size(KIB..=GIB, |c| &mut c.execution.max_string),
        "The longest string a script may return, store or have made by a function that makes long ones.",
    ),
    key(
        "max_blob_bytes",
        Size(KIB..=GIB, |c| &mut c.execution.max_blob),
        "The largest blob a script may return, store or have made by a function that makes large ones.",
    ),
    key(
        "max_log_lines",
        Count(0..=100_000, |c| &mut c.execution.max_log_lines),
        "Log lines of one run, unless its script sets another number.",
    ),
    key(
        "max_log_lines_ceiling",
        Count(0..=100_000, |c| &mut c.execution.max_log_lines_ceiling),
        "The largest number of log lines a script may set.",
    ),
    key(
        "response_limit",
        Size(KIB..=64 * MIB, |c| &mut c.execution.response_limit),
        "The longest body a script may answer.",
    ),
    sized(
        "compiled_scripts",
        Count(1..=100_000, |c| &mut c.execution.compiled_scripts),
        "Compiled scripts kept in memory.",
    ),
    key(
        "log_budget_per_second",
        Count(1..=10_000, |c| &mut c.history.log_budget_per_second),
        "Executions recorded in full for each app and second; beyond it successes are only counted.",
    ),
    key(
        "dispatch_paused",
        Switch(|c| &mut c.dispatch.paused),
        "Whether triggered and asynchronous runs wait; the setting of the same name overrides the file, but not the variable and the flag.",
    ),
    key(
        "trigger_retry_max_attempts",
        Count(1..=20, |c| &mut c.dispatch.retry_max_attempts),
        "How often a triggered or asynchronous run is tried, the first time included.",
    ),
    key(
        "trigger_retry_backoff",
        Growth(|c| &mut c.dispatch.retry_backoff),
        "How the waits between the tries grow.",
    ),
    key(
        "trigger_retry_base_ms",
        Units(MOMENT, 10..=86_400_000, |c| &mut c.dispatch.retry_base),
        "The wait they grow from, in milliseconds; none grows beyond a day.",
    ),
    key(
        "trigger_retry_jitter_pct",
        Count(0..=100, |c| &mut c.dispatch.retry_jitter_pct),
        "How far each wait is moved by chance either way, in percent of it.",
    ),
    key(
        "max_trigger_depth",
        Count(1..=64, |c| &mut c.dispatch.max_trigger_depth),
        "How many triggers may fire one another in a chain; a longer chain is cut off.",
    ),
    key(
        "outbox_quota",
        Count(1..=10_000_000, |c| &mut c.dispatch.outbox_quota),
        "Runs that may wait for each app; beyond it asynchronous requests are refused.",
    ),
    sized(
        "largest_claim",
        Count(1..=10_000, |c| &mut c.dispatch.largest_claim),
        "Waiting runs taken from the database at once at most.",
    ),
    key(
        "dead_letter_retention_days",
        Units(DAY, 1..=3_650, |c| &mut c.retention.dead_letter_age),
        "Days after which a dead letter is deleted, resolved or not.",
    ),
    key(
        "dead_letter_retention_rows",
        Count(1..=100_000_000, |c| &mut c.retention.dead_letter_rows),
        "Dead letters that are kept; the oldest beyond it are deleted.",
    ),
    key(
        "abandoned_executions_retention_days",
        Units(DAY, 1..=3_650, |c| &mut c.retention.abandoned_age),
        "Days after which an abandoned execution is deleted.",
    ),
    key(
        "abandoned_executions_retention_rows",
        Count(1..=100_000_000, |c| &mut c.retention.abandoned_rows),
        "Abandoned executions that are kept; the oldest beyond it are deleted.",
    ),
    key(
        "execution_log_retention_days",
        Units(DAY, 1..=3_650, |c| &mut c.retention.execution_age),
        "Days after which an entry of the execution log is deleted.",
    ),
    key(
        "execution_log_retention_rows",
        Count(1..=100_000_000, |c| &mut c.retention.execution_rows),
        "Entries of the execution log that are kept; the oldest beyond it are deleted.",
    ),
    key(
        "execution_log_retention_bytes",
        Size(MIB..=1024 * GIB, |c| &mut c.retention.execution_bytes),
        "Room the execution log may take in the database; the oldest entries beyond it are deleted.",
    ),
    key(
        "claim_window.minutes",
        Count(0..=1_440, |c| &mut c.claim_window.minutes),
        "How long a new machine can be claimed over the network; with 0 only from the machine itself.",
    ),
    key(
        "claim_window.from",
        Claim(|c| &mut c.claim_window.from),
        "What opens that time: each `start` of PiCloud; its first start of all and each later power-up (`install`); or each power-up, `boot`.",
    ),
    key(
        "claim_code",
        Switch(|c| &mut c.claim_code),
        "Whether claiming also asks for a code that PiCloud's log shows at each start until then.",
    ),
];
