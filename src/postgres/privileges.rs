//! Giving up root: PostgreSQL refuses to run as root, and PiCloud need not.
//!
//! Started as root, PiCloud makes the user `picloud` if there is none, gives it
//! the data directory and becomes it. Nothing here may run once there are
//! threads: an identity is changed as a whole.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, lchown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::{Uid, User, initgroups, setgid, setuid},
};

use super::layout::Layout;

/// The user PiCloud runs as when it is started as root.
const USER: &str = "picloud";

/// Makes the data directory if there is none; as root, becomes the user
/// `picloud`, whose name is returned.
///
/// The way to the program and to where it was started may be closed to that
/// user: what it starts is started through `/proc/self/exe`, and the working
/// directory becomes the data directory. So `data_dir` should be absolute.
pub fn drop_privileges(data_dir: &Path) -> anyhow::Result<Option<String>> {
    make(data_dir)?;
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    let data_dir = fs::canonicalize(data_dir)
        .with_context(|| format!("could not find the data directory {}", data_dir.display()))?;
    let user = become_user(&data_dir)?;
    std::env::set_current_dir(&data_dir)
        .with_context(|| format!("could not enter the data directory {}", data_dir.display()))?;
    Ok(Some(user))
}

/// Makes the data directory closed to others; its parents stay open.
fn make(data_dir: &Path) -> anyhow::Result<()> {
    if data_dir.is_dir() {
        return Ok(());
    }
    if data_dir.exists() {
        bail!("the data directory {} is not a directory", data_dir.display());
    }
    // A parent that is a file is left to the system's own words.
    let made = match data_dir.parent() {
        Some(parent) if !parent.exists() => fs::create_dir_all(parent),
        _ => Ok(()),
    };
    made.and_then(|()| fs::DirBuilder::new().mode(0o700).create(data_dir))
        .with_context(|| format!("could not make the data directory {}", data_dir.display()))
}

fn become_user(data_dir: &Path) -> anyhow::Result<String> {
    let user = find_or_make_user()?;
    give(data_dir, &user)?;
    let name = std::ffi::CString::new(user.name.clone())?;
    initgroups(&name, user.gid)
        .and_then(|()| setgid(user.gid))
        .and_then(|()| setuid(user.uid))
        .with_context(|| format!("could not become the user {USER}"))?;
    check_way(data_dir)?;
    check_program()?;
    Ok(user.name)
}

fn find_or_make_user() -> anyhow::Result<User> {
    if let Some(user) = find_user()? {
        return Ok(user);
    }
    // Two that start at once must not both make it: the programs do not wait for each other.
    let passwd = fs::File::open("/etc/passwd").context("could not open /etc/passwd")?;
    let _turn = Flock::lock(passwd, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    if let Some(user) = find_user()? {
        return Ok(user);
    }
    make_user()?;
    find_user()?.with_context(|| format!("the user {USER} was made and cannot be found"))
}

fn find_user() -> anyhow::Result<Option<User>> {
    User::from_name(USER).with_context(|| format!("could not look up the user {USER}"))
}

/// Makes the system user with what the machine has: the shadow tools, Debian's
/// `adduser` or that of busybox.
fn make_user() -> anyhow::Result<()> {
    let ways: [(&str, &[&str]); 3] = [
        (
            "useradd",
            &["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell"],
        ),
        ("adduser", &["--system", "--group", "--no-create-home", "--home", "/nonexistent", "--shell"]),
        ("adduser", &["-S", "-D", "-H", "-s"]),
    ];
    let mut refusal = None;
    for (program, arguments) in ways {
        match Command::new(program).args(arguments).args(["/usr/sbin/nologin", USER]).output() {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => {
                let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                refusal = Some(format!("{program} could not make the user {USER}: {words}"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("could not run {program}")),
        }
    }
    match refusal {
        Some(refusal) => bail!(refusal),
        None => bail!(
            "PostgreSQL must not run as root, there is no user {USER}, and neither useradd nor adduser is \
             here to make it: make that user, or start PiCloud as another one"
        ),
    }
}

/// Gives the data directory to the user. Its own owner is changed last, so
/// that it tells whether everything below has been given.
fn give(data_dir: &Path, user: &User) -> anyhow::Result<()> {
    let owner = fs::metadata(data_dir)?.uid();
    if owner == user.uid.as_raw() {
        return Ok(());
    }
    let entries = entries(data_dir)?;
    if !entries.is_empty() && !Layout::new(data_dir).cluster().exists() {
        bail!(
            "the data directory {} is not empty and holds no data of PiCloud: choose another, or give it to \
             the user {USER}",
            data_dir.display()
        );
    }
    let (uid, gid) = (Some(user.uid.as_raw()), Some(user.gid.as_raw()));
    let mut waiting = entries;
    while let Some(path) = waiting.pop() {
        // A link is given itself, never what it leads to.
        lchown(&path, uid, gid).with_context(|| format!("could not give {} to {USER}", path.display()))?;
        if fs::symlink_metadata(&path)?.is_dir() {
            waiting.extend(self::entries(&path)?);
        }
    }
    chown(data_dir, uid, gid).with_context(|| format!("could not give {} to {USER}", data_dir.display()))?;
    Ok(())
}

/// What is in a directory, without the `lost+found` of a file system of its own.
fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let listed = fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<Vec<_>>>());
    let mut listed = listed.with_context(|| format!("could not read {}", directory.display()))?;
    listed.retain(|path| path.file_name().is_none_or(|name| name != "lost+found"));
    Ok(listed)
}

/// Names the directory that keeps the user out of the data directory.
fn check_way(data_dir: &Path) -> anyhow::Result<()> {
    if nix::unistd::access(data_dir, nix::unistd::AccessFlags::X_OK) != Err(Errno::EACCES) {
        return Ok(());
    }
    let above: Vec<&Path> = data_dir.ancestors().skip(1).collect();
    let closed = above
        .into_iter()
        .rev()
        .find(|directory| nix::unistd::access(*directory, nix::unistd::AccessFlags::X_OK).is_err())
        .unwrap_or(data_dir);
    bail!(
        "the user {USER} cannot enter {}, so the data directory {} is out of its reach: choose one elsewhere, \
         such as /var/lib/picloud",
        closed.display(),
        data_dir.display()
    );
}

/// The program starts itself again for the server, so others must be allowed
/// to execute it; the directories above it do not matter.
fn check_program() -> anyhow::Result<()> {
    let own = Path::new("/proc/self/exe");
    let mode = fs::metadata(own)?.permissions().mode();
    if mode & 0o001 != 0 || nix::unistd::access(own, nix::unistd::AccessFlags::X_OK).is_ok() {
        return Ok(());
    }
    let program = fs::read_link(own).unwrap_or_else(|_| own.to_owned());
    bail!("the user {USER} must not execute {0}: allow it with `chmod a+rx {0}`", program.display());
}
