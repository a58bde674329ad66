//! What a person meets who sets something, rightly or wrongly.

use std::{fs, path::PathBuf, time::Duration};

use super::*;
use crate::system::hardware::Hardware;

fn machine() -> Hardware {
    Hardware { model: None, cores: 4, memory: 4 << 30, host_name: "picloud".to_owned() }
}

fn load(file: &str, env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("picloud.toml");
    fs::write(&path, file).expect("written");
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let loaded = Config::load(Some(&path), env, flags, &machine());
    loaded.map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
}

fn faults(file: &str, env: &[(&str, &str)]) -> String {
    load(file, env, &[]).expect_err("something is wrong")
}

#[test]
fn nothing_set_gives_the_defaults_of_the_machine() {
    let config = load("", &[], &[]).expect("defaults");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, PathBuf::from("/var/lib/picloud"));
    assert_eq!(
        (config.execution.running, config.execution.in_flight, config.database.pool_size),
        (4, 48, 10)
    );
    assert_eq!(config.claim_window, ClaimWindow { minutes: 30, from: ClaimFrom::Start });
    assert_eq!(config.resolved.len(), KEYS.len());
}

#[test]
fn each_layer_overrides_the_ones_before_it() {
    let file = "body_limit = \"2MiB\"\nlog = \"warn\"\npermit_wait = \"2s\"\n";
    let env = [("PICLOUD_LOG", "debug"), ("PICLOUD_PERMIT_WAIT", "3s"), ("HOME", "/root")];
    let config = load(file, &env, &[("permit_wait", "4s")]).expect("all of it is right");
    assert_eq!(config.http.body_limit, 2 << 20);
    assert_eq!(config.log.filter, "debug");
    assert_eq!(config.execution.permit_wait, Duration::from_secs(4));
    let origin = |name: &str| {
        let found = config.resolved.iter().find(|one| one.key == name).expect("a key");
        let origin = found.origin.to_string();
        origin.rsplit('/').next().map(str::to_owned).unwrap_or_default()
    };
    assert_eq!(origin("body_limit"), "picloud.toml:1");
    assert_eq!(origin("log"), "PICLOUD_LOG");
    assert_eq!(origin("permit_wait"), "--permit-wait");
    assert_eq!(origin("idle_timeout"), "default");
    assert_eq!(origin("db_pool"), "default for this machine");
}

#[test]
fn every_kind_of_value_can_stand_in_the_file() {
    let file = r#"
        max_operations = 5_000
        header_limit = 65536
        own_names = ["Pi.example.org", "shed"]
        metrics_open = true
        database_url = "postgres://me:secret@db/picloud"
        [claim_window]
        minutes = 0x10
        from = "boot"
    "#;
    let config = load(file, &[], &[]).expect("all of it is right");
    assert_eq!((config.execution.max_operations, config.http.header_limit), (5_000, 65_536));
    assert_eq!(config.http.own_names, ["pi.example.org", "shed"]);
    assert!(config.http.metrics_open);
    assert_eq!(config.claim_window, ClaimWindow { minutes: 16, from: ClaimFrom::Boot });
    let url = config.resolved.iter().find(|one| one.key == "database_url").map(|one| one.value.as_str());
    assert_eq!(url, Some("postgres://me:...@db/picloud"));
    assert!(!format!("{config:?}").contains("secret"));
}

#[test]
fn a_name_that_does_not_exist_is_named_with_its_place_and_the_nearest() {
    assert_eq!(
        faults("\nlisten_ = \"x\"\n", &[]),
        "picloud.toml:2: there is no \"listen_\"; did you mean \"listen\"?"
    );
    assert_eq!(
        faults("[claim_windw]\nminutes = 3\n", &[]),
        "picloud.toml:2: there is no \"claim_windw.minutes\"; did you mean \"claim_window.minutes\"?"
    );
    assert_eq!(
        faults("colour = 1", &[]),
        "picloud.toml:1: there is no \"colour\"; `picloud config show` lists what there is"
    );
    assert_eq!(
        faults("", &[("PICLOUD_LISTN", "x")]),
        "the environment: there is no \"PICLOUD_LISTN\"; did you mean \"PICLOUD_LISTEN\"?"
    );
}

#[test]
fn a_value_that_is_not_allowed_is_named_with_what_is() {
    assert_eq!(
        faults("", &[("PICLOUD_MAX_CONCURRENT_EXECUTIONS", "many")]),
        "PICLOUD_MAX_CONCURRENT_EXECUTIONS: \"many\" is not allowed; allowed is a whole number from 1 to 1024"
    );
    assert_eq!(
        faults("# why\nrequest_timeout = 30\n", &[]),
        "picloud.toml:2: request_timeout: 30 is not allowed; \
         allowed is a time such as 500ms, 30s or 2m, from 1s to 1h"
    );
    assert_eq!(
        faults("claim_window = 30", &[]),
        "picloud.toml:1: claim_window: 30 is not allowed; allowed is a table with minutes and from"
    );
    let flag = load("", &[], &[("listen", "8080")]).expect_err("no address");
    assert!(flag.starts_with("--listen: \"8080\" is not allowed; allowed is an IP address"), "{flag}");
}

#[test]
fn values_of_the_wrong_type_are_refused_in_the_same_words() {
    for (line, shown) in [
        ("listen = 8080", "listen: 8080 is"),
        ("metrics_open = \"yes\"", "metrics_open: \"yes\" is"),
        ("db_pool = \"4\"", "db_pool: \"4\" is"),
        ("db_pool = -1", "db_pool: -1 is"),
        ("db_pool = 4.0", "db_pool: 4.0 is"),
        ("own_names = [1]", "own_names: [1] is"),
        ("log = 2026-01-01", "log: 2026-01-01 is"),
        ("log = {}", "log: {} is"),
    ] {
        let said = faults(line, &[]);
        assert!(said.starts_with(&format!("picloud.toml:1: {shown} not allowed; allowed is ")), "{said}");
    }
}

#[test]
fn what_governs_dispatch_and_retention_has_the_documented_defaults() {
    let config = load("", &[], &[]).expect("defaults");
    let dispatch = &config.dispatch;
    assert_eq!((dispatch.paused, dispatch.max_trigger_depth, dispatch.outbox_quota), (false, 8, 100_000));
    assert_eq!((dispatch.retry_max_attempts, dispatch.retry_backoff), (3, Backoff::Exponential));
    assert_eq!((dispatch.retry_base, dispatch.retry_jitter_pct), (Duration::from_secs(1), 20));
    assert_eq!(dispatch.largest_claim, 256);
    let (kept, days) = (config.retention, |n: u64| Duration::from_secs(n * 86_400));
    assert_eq!([kept.dead_letter_age, kept.abandoned_age, kept.execution_age], [30, 7, 14].map(days));
    let rows = [kept.dead_letter_rows, kept.abandoned_rows, kept.execution_rows];
    assert_eq!((rows, kept.execution_bytes), ([100_000, 10_000, 1_000_000], 1 << 30));
    assert_eq!(config.min_free, None);
}

#[test]
fn what_governs_dispatch_and_retention_can_be_set() {
    let env = [
        ("PICLOUD_TRIGGER_RETRY_MAX_ATTEMPTS", "20"),
        ("PICLOUD_TRIGGER_RETRY_BACKOFF", "linear"),
        ("PICLOUD_TRIGGER_RETRY_BASE_MS", "10"),
        ("PICLOUD_TRIGGER_RETRY_JITTER_PCT", "0"),
        ("PICLOUD_DEAD_LETTER_RETENTION_DAYS", "2"),
    ];
    let file = "max_trigger_depth = 64\nmin_free_bytes = 4096\nabandoned_executions_retention_days = 1\n";
    let config = load(file, &env, &[("dispatch_paused", "true")]).expect("all of it is right");
    let dispatch = &config.dispatch;
    assert_eq!((dispatch.retry_max_attempts, dispatch.retry_backoff), (20, Backoff::Linear));
    assert_eq!((dispatch.retry_base, dispatch.retry_jitter_pct), (Duration::from_millis(10), 0));
    assert!(dispatch.paused && dispatch.max_trigger_depth == 64);
    assert_eq!(config.min_free, Some(4_096));
    assert_eq!(config.retention.dead_letter_age, Duration::from_secs(2 * 86_400));
    assert_eq!(config.retention.abandoned_age, Duration::from_secs(86_400));
}

#[test]
fn what_governs_dispatch_and_retention_is_checked() {
    for (name, value, allowed) in [
        ("TRIGGER_RETRY_MAX_ATTEMPTS", "21", "a whole number from 1 to 20"),
        ("TRIGGER_RETRY_MAX_ATTEMPTS", "0", "a whole number from 1 to 20"),
        ("TRIGGER_RETRY_BACKOFF", "quadratic", "exponential, linear or constant"),
        ("TRIGGER_RETRY_BASE_MS", "9", "a whole number from 10 to 86400000"),
        ("TRIGGER_RETRY_BASE_MS", "1s", "a whole number from 10 to 86400000"),
        ("TRIGGER_RETRY_JITTER_PCT", "101", "a whole number from 0 to 100"),
        ("MAX_TRIGGER_DEPTH", "65", "a whole number from 1 to 64"),
        ("DEAD_LETTER_RETENTION_DAYS", "0", "a whole number from 1 to 3650"),
        ("ABANDONED_EXECUTIONS_RETENTION_DAYS", "soon", "a whole number from 1 to 3650"),
        (
            "MIN_FREE_BYTES",
            "5%",
            "auto for 5 % of the disk and at least 256MiB, or a size from 0B to 1048576GiB",
        ),
    ] {
        let said = faults("", &[(&format!("PICLOUD_{name}"), value)]);
        assert_eq!(said, format!("PICLOUD_{name}: \"{value}\" is not allowed; allowed is {allowed}"));
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let said =
        faults("lisen = 1\nbody_limit = \"1MB\"\n", &[("PICLOUD_LOG", "loud=very"), ("PICLOUD_X", "")]);
    assert_eq!(said.lines().count(), 4, "{said}");
}

#[test]
fn a_file_that_is_not_toml_is_told_with_its_line() {
    let said = faults("log = \"info\"\nlisten = 127.0.0.1:8080\nnothing = 1\n", &[]);
    assert_eq!(said, "picloud.toml:2: this is not TOML (invalid float); text stands in \"quotes\"");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let error =
        Config::load(Some("/nowhere/picloud.toml".as_ref()), [], &[], &machine()).expect_err("not there");
    let said = error.to_string();
    assert!(
        said.starts_with("the configuration file /nowhere/picloud.toml cannot be read: No such file"),
        "{said}"
    );
}

#[test]
fn a_secret_is_not_told_even_if_it_is_wrong() {
    let said = faults("", &[("PICLOUD_DATABASE_URL", "mysql://me:secret@db/x")]);
    assert!(said.contains("PICLOUD_DATABASE_URL") && !said.contains("secret"), "{said}");
}

#[test]
fn a_limit_nobody_set_follows_the_one_that_was() {
    let more = load("max_concurrent_executions = 200", &[], &[]).expect("in flight follows");
    assert_eq!((more.execution.running, more.execution.in_flight), (200, 200));
    let fewer = load("max_in_flight_executions = 2", &[], &[]).expect("running follows");
    assert_eq!((fewer.execution.running, fewer.execution.in_flight), (2, 2));
    let lower = load("max_operations_ceiling = 5000", &[], &[]).expect("the default follows");
    assert_eq!(lower.execution.max_operations, 5_000);
}

#[test]
fn a_directory_is_so_from_where_the_program_was_started() {
    let here = std::env::current_dir().expect("a directory to be in");
    let config = load("", &[], &[("data_dir", "./.picloud")]).expect("a path");
    assert_eq!(config.data_dir, here.join(".picloud"));
    assert!(faults("data_dir = \"\"", &[]).contains("the path of a directory"));
}

#[test]
fn limits_that_contradict_one_another_are_a_fault() {
    assert_eq!(
        faults("max_concurrent_executions = 9\nmax_in_flight_executions = 8\n", &[]),
        "picloud.toml:1: max_concurrent_executions: 9 is not allowed; \
         allowed is at most max_in_flight_executions, which is 8"
    );
    let said = faults("max_operations = 200_000_000", &[]);
    assert!(said.ends_with("allowed is at most max_operations_ceiling, which is 100000000"), "{said}");
}

#[test]
fn names_are_used_once_and_every_default_is_allowed() {
    let mut defaults = load("", &[], &[]).expect("defaults");
    for (place, key) in KEYS.iter().enumerate() {
        let same = |other: &Key| other.variable() == key.variable() || other.flag() == key.flag();
        assert_eq!(KEYS.iter().position(same), Some(place), "{} is there twice", key.name);
        assert!(key.doc.ends_with('.'), "{}", key.name);
        let shown = key.slot.show(&mut defaults);
        assert_eq!(key.slot.set(&mut defaults, &shown), Ok(()), "{} = {shown}", key.name);
        assert_eq!(key.slot.show(&mut defaults), shown, "{}", key.name);
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == reference(), "run: picloud config reference > docs/configuration.md");
}
