//! The cluster and its server: made, refused, killed, restarted, stopped.

mod root;
mod run;

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use picloud::{
    db,
    postgres::{Layout, Program, Server, Status},
};
use run::Run;
use tokio::time::timeout;

use crate::support::{DEADLINE, PICLOUD, eventually, postgres::DataDir};

#[tokio::test]
async fn a_cluster_that_was_cut_off_while_it_was_made_is_made_anew() {
    let data_dir = DataDir::absent();
    let mut cut_off = Run::start(&data_dir);
    appears(&data_dir.path().join("postgres.new/base")).await;
    cut_off.kill();
    assert!(!data_dir.layout().cluster().exists());

    let server = data_dir.start().await;
    let pool = db::connect(server.connect_options(), 1).await.unwrap();
    db::migrate(&pool).await.unwrap();
    assert!(!data_dir.path().join("postgres.new").exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_instance_on_the_same_directory_is_refused() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let words = Run::start(&data_dir).refusal();
    let path = data_dir.path().display();
    assert_eq!(words, format!("error: another PiCloud already uses the data directory {path}"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pid_files_that_name_a_stranger_are_no_obstacle() {
    let (stranger, data_dir) = (DataDir::with_cluster().await, DataDir::with_cluster().await);
    let other = stranger.start().await;
    // After a power cut the ids in them are given to whatever starts next.
    data_dir.start().await.stop().await.unwrap();
    let pid = stranger.postmaster();
    fs::write(data_dir.layout().cluster().join("postmaster.pid"), format!("{pid}\n")).unwrap();
    fs::write(data_dir.layout().socket_directory().join(".s.PGSQL.5432.lock"), format!("{pid}\n")).unwrap();

    let server = data_dir.start().await;
    server.stop().await.unwrap();
    other.stop().await.unwrap();
}

#[tokio::test]
async fn what_prevents_a_start_is_one_sentence() {
    let data_dir = DataDir::with_cluster().await;
    for file in ["PG_VERSION", "picloud-major"] {
        fs::write(data_dir.layout().cluster().join(file), "14\n").unwrap();
    }
    let refused = Server::start(Program::at(PICLOUD), data_dir.settings()).await;
    let cluster = data_dir.layout().cluster();
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!(
            "the cluster in {} was made by PostgreSQL 14; this PiCloud works with 15 to 18",
            cluster.display()
        )
    );
}

#[tokio::test]
async fn a_cluster_that_picloud_did_not_make_is_left_alone() {
    let data_dir = DataDir::with_cluster().await;
    fs::remove_file(data_dir.layout().cluster().join("picloud-major")).unwrap();
    let words = Run::start(&data_dir).refusal();
    assert!(words.contains("that PiCloud did not make: move it away"), "{words}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_one_sentence() {
    let data_dir = DataDir::with_cluster().await;
    // The server's first start here gives the directory to its user; the lock is what a start writes first.
    data_dir.start().await.stop().await.unwrap();
    fs::remove_file(data_dir.layout().lock_file()).unwrap();
    fs::set_permissions(data_dir.path(), fs::Permissions::from_mode(0o500)).unwrap();
    let file = data_dir.path().join("postgres/PG_VERSION");
    for (path, end) in [
        (data_dir.path(), "is not writable: Permission denied"),
        (&file, "is not a directory"),
        ("/proc/picloud".as_ref(), "No such file or directory"),
    ] {
        let words = Run::at(path, None).refusal();
        assert!(words.contains(&path.display().to_string()) && words.ends_with(end), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
}

#[tokio::test]
async fn the_server_is_restarted_when_it_dies_alone() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let mut status = server.status();
    let before = data_dir.postmaster();
    kill(before, Signal::SIGKILL).unwrap();
    let starting = status.wait_for(|status| matches!(status, Status::Starting(_)));
    timeout(DEADLINE, starting).await.unwrap().unwrap();
    timeout(DEADLINE, status.wait_for(|status| *status == Status::Ready)).await.unwrap().unwrap();
    assert_ne!(data_dir.postmaster(), before);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_server_stops_in_good_order() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let mut status = server.status();
    server.stop().await.unwrap();
    assert_eq!(*status.borrow_and_update(), Status::Stopped);
    assert!(!data_dir.layout().cluster().join("postmaster.pid").exists());
    assert!(!data_dir.layout().socket_directory().join(".s.PGSQL.5432").exists());
}

/// A shell's `&` starts its children with interrupts ignored, so this also
/// proves that the signal of the parent's death is not lost.
#[tokio::test]
async fn the_server_dies_with_its_parent() {
    let data_dir = DataDir::with_cluster().await;
    let mut parent = Run::below_a_shell(&data_dir);
    parent.says("database system is ready to accept connections");
    let server = data_dir.postmaster();
    parent.kill();
    dies(server).await;
    data_dir.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn the_preparation_dies_with_its_parent() {
    let data_dir = DataDir::absent();
    let mut parent = Run::below_a_shell(&data_dir);
    appears(&data_dir.path().join("postgres.new/base")).await;
    parent.kill();
    // The next start waits for what is left and makes the cluster anew.
    data_dir.start().await.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_whose_parent_is_already_gone_does_not_start() {
    let data_dir = DataDir::with_cluster().await;
    let words = Run::at(data_dir.path(), Some(Pid::from_raw(1))).refusal();
    assert_eq!(words, "error: the process that started this server has ended");
}

#[tokio::test]
async fn nothing_listens_on_the_network() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let sockets = fs::read_dir(format!("/proc/{}/fd", data_dir.postmaster())).unwrap();
    let own: BTreeSet<String> = sockets
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok()?.into_os_string().into_string().ok())
        .filter_map(|link| Some(link.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    assert!(!own.is_empty());
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let Ok(text) = fs::read_to_string(format!("/proc/net/{table}")) else { continue };
        let inodes = text.lines().filter_map(|line| line.split_whitespace().nth(9));
        assert!(inodes.into_iter().all(|inode| !own.contains(inode)), "{table}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_configuration_is_taken_whole() {
    let data_dir = DataDir::with_cluster().await;
    let server = data_dir.start().await;
    let pool = db::connect(server.connect_options(), 1).await.unwrap();
    let wrong = sqlx::query_scalar(
        "select name from pg_file_settings where error is not null
         union all select line_number::text from pg_hba_file_rules where error is not null
         union all select line_number::text from pg_ident_file_mappings where error is not null",
    );
    let wrong: Vec<String> = wrong.fetch_all(&pool).await.unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    for (name, value) in [
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("jit", "off"),
        ("wal_compression", "pglz"),
        ("client_connection_check_interval", "100ms"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", ""),
        ("max_connections", "200"),
        // The last word is the caller's.
        ("fsync", "off"),
    ] {
        let is: String =
            sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&pool).await.unwrap();
        assert_eq!(is, value, "{name}");
    }
    let collation = sqlx::query_scalar("select datcollate from pg_database where datname = 'picloud'");
    let collation: String = collation.fetch_one(&pool).await.unwrap();
    assert_eq!(collation, "C.UTF-8");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_deep_data_directory_has_its_socket_in_a_runtime_directory() {
    let parent = DataDir::absent();
    fs::create_dir(parent.path()).unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let deep = parent.path().join("d".repeat(100));
    let mut settings = parent.settings();
    settings.data_dir.clone_from(&deep);
    let server = Server::start(Program::at(PICLOUD), settings).await.unwrap();
    let sockets = Layout::new(&deep).socket_directory();
    assert!(!sockets.starts_with(&deep));
    assert_eq!(fs::metadata(&sockets).unwrap().permissions().mode() & 0o777, 0o700);
    let pool = db::connect(server.connect_options(), 1).await.unwrap();
    pool.close().await;
    server.stop().await.unwrap();
    fs::remove_dir_all(sockets).unwrap();
}

async fn appears(path: &std::path::Path) {
    eventually(&path.display().to_string(), || async { path.exists().then_some(()) }).await;
}

async fn dies(process: Pid) {
    let stat = format!("/proc/{process}/stat");
    // What nobody collects stays as a zombie.
    let is_dead = || fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
    eventually("the process dies", || async { is_dead().then_some(()) }).await;
}
