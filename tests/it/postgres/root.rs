//! Started as root: PiCloud becomes its user, and what it cannot then do is said.
//!
//! An ordinary user cannot be root for a test, so these do nothing there.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use nix::unistd::{Uid, User};
use picloud::postgres::{Program, Server};

use super::run::Run;
use crate::support::{PICLOUD, postgres::DataDir};

/// A directory that only root can enter.
fn closed_directory() -> PathBuf {
    let closed = DataDir::absent().path().to_owned();
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    closed
}

#[tokio::test]
async fn the_server_runs_as_the_user_picloud_from_a_program_only_root_can_reach() {
    if !Uid::effective().is_root() {
        return;
    }
    let program = closed_directory().join("picloud");
    fs::copy(PICLOUD, &program).unwrap();
    let data_dir = DataDir::absent();
    let server = Server::start(Program::at(program), data_dir.settings()).await.unwrap();
    let user = User::from_name("picloud").unwrap().expect("the user was made");
    let process = fs::metadata(format!("/proc/{}", data_dir.postmaster())).unwrap();
    assert_eq!(process.uid(), user.uid.as_raw());
    let data = fs::metadata(data_dir.path()).unwrap();
    assert_eq!((data.uid(), data.permissions().mode() & 0o777), (user.uid.as_raw(), 0o700));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_below_a_closed_one_is_one_sentence() {
    if !Uid::effective().is_root() {
        return;
    }
    let closed = closed_directory();
    let words = Run::at(&closed.join("data"), None).refusal();
    let starts = format!("error: the user picloud cannot enter {}, so the data directory", closed.display());
    assert!(words.starts_with(&starts), "{words}");
}

#[tokio::test]
async fn data_of_root_is_given_to_the_user_and_data_of_others_is_not() {
    if !Uid::effective().is_root() {
        return;
    }
    let data_dir = DataDir::with_cluster().await;
    assert!(Command::new("chown").args(["-R", "root"]).arg(data_dir.path()).status().unwrap().success());
    data_dir.start().await.stop().await.unwrap();

    let foreign = DataDir::absent();
    fs::create_dir(foreign.path()).unwrap();
    fs::write(foreign.path().join("letter"), "").unwrap();
    let words = Run::start(&foreign).refusal();
    assert!(words.contains("is not empty and holds no data of PiCloud"), "{words}");
    assert_eq!(fs::metadata(foreign.path().join("letter")).unwrap().uid(), 0);
}

#[tokio::test]
async fn a_full_disk_is_one_sentence() {
    if !Uid::effective().is_root() {
        return;
    }
    let disk = DataDir::absent();
    fs::create_dir(disk.path()).unwrap();
    let mounted = Mount::of_size("8m", disk.path());
    let words = Run::at(&disk.path().join("data"), None).refusal();
    assert!(words.contains("could not make the cluster"), "{words}");
    assert!(words.ends_with("No space left on device"), "{words}");
    drop(mounted);
}

/// A small disk, taken away again.
struct Mount<'a>(&'a Path);

impl<'a> Mount<'a> {
    fn of_size(size: &str, at: &'a Path) -> Self {
        let options = format!("size={size},mode=755");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(at).status();
        assert!(status.unwrap().success(), "root can mount");
        Self(at)
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}
