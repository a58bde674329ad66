//! The program as a person meets it: what it prints, and how it ends when something is wrong.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{
    DEADLINE, PICLOUD,
    postgres::{DataDir, TestDb},
};

/// Where the system's programs are.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The program with these arguments and no environment but what it needs to find PostgreSQL.
fn picloud(arguments: &[&str]) -> Command {
    let mut command = Command::new(PICLOUD);
    command.args(arguments).env_clear().env("PATH", PATH);
    command
}

fn end(mut command: Command) -> Output {
    command.output().expect("the program runs")
}

/// The exit code, and what stands on standard error.
fn failure(command: Command) -> (Option<i32>, String) {
    let output = end(command);
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

fn printed(command: Command) -> String {
    let output = end(command);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn a_typo_in_the_file_stops_the_start_with_its_place() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("picloud.toml");
    fs::write(&file, "log = \"info\"\nlistn = \"127.0.0.1:1\"\n").expect("written");
    let place = file.display();
    assert_eq!(
        failure(picloud(&["serve", "--config", text(&file)])),
        (Some(78), format!("error: {place}:2: there is no \"listn\"; did you mean \"listen\"?\n"))
    );
}

#[test]
fn a_file_that_is_named_and_missing_stops_the_start() {
    let (code, said) = failure(picloud(&["config", "show", "--config", "/nowhere.toml"]));
    assert_eq!(code, Some(78));
    assert_eq!(
        said,
        "error: the configuration file /nowhere.toml cannot be read: No such file or directory\n"
    );
}

#[test]
fn an_unknown_variable_stops_the_start() {
    let mut command = picloud(&["serve"]);
    command.env("PICLOUD_LISTN", "127.0.0.1:1");
    let said = "error: the environment: there is no \"PICLOUD_LISTN\"; did you mean \"PICLOUD_LISTEN\"?\n";
    assert_eq!(failure(command), (Some(78), said.to_owned()));
}

#[test]
fn all_bad_values_are_told_at_once() {
    let mut command = picloud(&["serve", "--db-pool", "-1"]);
    command.env("PICLOUD_MAX_CONCURRENT_EXECUTIONS", "0");
    let said = "error: PICLOUD_MAX_CONCURRENT_EXECUTIONS: \"0\" is not allowed; \
                allowed is a whole number from 1 to 1024\n\
                --db-pool: \"-1\" is not allowed; allowed is a whole number from 1 to 200\n";
    assert_eq!(failure(command), (Some(78), said.to_owned()));
}

#[test]
fn a_flag_that_does_not_exist_is_answered_with_the_nearest() {
    let (code, said) = failure(picloud(&["serve", "--listne", "x"]));
    assert_eq!(code, Some(2));
    assert!(said.contains("--listen"), "{said}");
}

#[test]
fn a_taken_address_is_told_with_who_holds_it() {
    let held = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = held.local_addr().expect("bound");
    let (code, said) = failure(picloud(&["serve", "--listen", &address.to_string()]));
    assert_eq!(code, Some(69));
    let holder = format!("(process {})", std::process::id());
    assert!(said.starts_with(&format!("error: {address} is already in use by ")), "{said}");
    assert!(said.contains(&holder) && said.contains("--listen"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Nobody may make a directory there, root included; in a container it is read-only besides.
#[test]
fn a_data_directory_that_cannot_be_made_is_told() {
    let (code, said) = failure(picloud(&["serve", "--listen", "127.0.0.1:0", "--data-dir", "/sys/picloud"]));
    assert!(matches!(code, Some(73 | 77)), "{code:?}: {said}");
    assert!(said.contains("/sys/picloud") && said.contains("--data-dir"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_data_directory_that_is_a_file_is_told() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let inside = file.path().join("data");
    let (code, said) = failure(picloud(&["migrate", "--data-dir", text(&inside)]));
    assert_eq!(code, Some(73), "{said}");
    assert!(said.contains(text(&inside)) && said.contains("--data-dir"), "{said}");
}

/// A file system of its own can only be had by root.
#[test]
fn a_full_disk_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    // PiCloud's user has to get there.
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let mount = |room: &str| {
        let script = format!(
            "mount -t tmpfs -o {room} none {0} && exec {PICLOUD} serve --listen 127.0.0.1:0 --data-dir {0}",
            text(dir.path())
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]).env_clear().env("PATH", PATH);
        command
    };
    if !Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success()) {
        return;
    }
    for (room, words) in
        [("size=4k", "No space left on device"), ("size=20m", "a new database takes 100 MiB")]
    {
        let (code, said) = failure(mount(room));
        assert_eq!(code, Some(73), "{said}");
        assert!(said.contains(words) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn the_configuration_is_shown_with_where_it_came_from() {
    let mut command = picloud(&["config", "show", "--json", "--body-limit", "2MiB"]);
    command.env("PICLOUD_DATABASE_URL", "postgres://me:secret@db/picloud");
    let shown = printed(command);
    assert!(!shown.contains("secret"), "{shown}");
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let find = |key: &str| {
        let all = shown.as_array().expect("a list");
        let one = all.iter().find(|one| one["key"] == key).expect(key);
        (one["value"].clone(), one["origin"].clone())
    };
    assert_eq!(find("body_limit"), ("2MiB".into(), "--body-limit".into()));
    assert_eq!(find("database_url"), ("postgres://me:...@db/picloud".into(), "PICLOUD_DATABASE_URL".into()));
    assert_eq!(find("idle_timeout"), ("1m".into(), "default".into()));
    let lines = printed(picloud(&["config", "show"]));
    assert!(lines.lines().any(|line| line.starts_with("listen ") && line.ends_with("default")), "{lines}");
}

#[test]
fn the_reference_is_printed_as_the_docs_have_it() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    let docs = fs::read_to_string(docs).expect("the document");
    assert_eq!(printed(picloud(&["config", "reference"])), docs);
}

#[test]
fn the_openapi_document_is_printed() {
    let document: Value = serde_json::from_str(&printed(picloud(&["openapi"]))).expect("JSON");
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{document}");
    assert!(document["paths"]["/api/v1/setup"]["post"].is_object());
}

#[test]
fn whoever_reads_may_stop_reading() {
    let mut command = picloud(&["config", "reference"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[tokio::test]
async fn doctor_looks_at_everything_and_fails_if_something_is_wrong() {
    let data_dir = DataDir::with_cluster().await;
    let held = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let taken = held.local_addr().expect("bound").to_string();
    let output = end(picloud(&["doctor", "--json", "--listen", &taken, "--data-dir", text(data_dir.path())]));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let state = |name: &str| {
        let checks = report["checks"].as_array().expect("a list");
        checks.iter().find(|check| check["name"] == name).expect(name)["state"].clone()
    };
    for (name, expected) in [
        ("machine", "ok"),
        ("data directory", "ok"),
        ("address", "fail"),
        ("PostgreSQL", "ok"),
        ("database", "ok"),
    ] {
        assert_eq!(state(name), expected, "{name}: {report}");
    }
    let size = |name: &str| {
        let all = report["sizing"].as_array().expect("a list");
        all.iter().find(|size| size["name"] == name).expect(name)["why"].clone()
    };
    assert!(size("max_concurrent_executions").as_str().is_some_and(|why| why.contains("cores")));
}

#[tokio::test]
async fn doctor_says_who_set_a_figure() {
    let output = end(picloud(&["doctor", "--listen", "127.0.0.1:0", "--db-pool", "7"]));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(said.contains("db_pool = 7  (set by --db-pool)"), "{said}");
}

#[tokio::test]
async fn migrate_prints_the_version_it_brought_the_database_to() {
    let db = TestDb::new().await;
    let version = printed(picloud(&["migrate", "--log", "warn", "--database-url", &db.url()]));
    assert_eq!(version, format!("{}\n", picloud::db::newest_schema()));
}

#[tokio::test]
async fn serve_tells_where_to_go_and_stops_when_told() {
    let data_dir = DataDir::with_cluster().await;
    let mut command = picloud(&["serve", "--listen", "127.0.0.1:0", "--data-dir", text(data_dir.path())]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("runs");
    let stdout = child.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(DEADLINE, lines.next_line()).await.expect("in time").expect("readable");
    let line = line.expect("a line");
    let url = line.strip_prefix("PiCloud is ready: ").expect("the address");
    let health = reqwest::get(format!("{url}healthz")).await.expect("an answer");
    assert_eq!(health.status(), 200);

    let pid = i32::try_from(child.id().expect("it runs")).expect("an id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it can be told");
    let output =
        tokio::time::timeout(DEADLINE, child.wait_with_output()).await.expect("in time").expect("ends");
    assert!(output.status.success(), "{output:?}");
}
