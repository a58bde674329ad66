//! Who uses the cluster: one server at a time, proven by a lock that dies with it.
//!
//! PostgreSQL's own guard is a process id in a file, and ids come again: after
//! a power cut the id in `postmaster.pid` may be PiCloud's, and PostgreSQL would
//! refuse to start for ever. So the proof is a lock on an open file that the
//! server and all its processes inherit: the kernel lets it go with the last
//! of them. Whoever holds it may clear away a pid file that names a stranger.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl},
    unistd::{Pid, getpid},
};

use super::layout::{Layout, PORT};

/// How often a waiter looks again: the left-overs of a server end in a moment,
/// or after a checkpoint on a slow card.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The right to use the cluster, for this process and those it starts.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not read")] Flock<File>);

/// Who wrote the lock file.
#[derive(Debug, PartialEq, Eq)]
struct Holder {
    server: Pid,
    /// The process the server dies with, if it was told one.
    parent: Option<Pid>,
}

/// Takes the lock. Another instance is refused; what is left of one that ends
/// is waited for, however long its last checkpoint takes.
pub(super) fn take(layout: &Layout, parent: Option<Pid>, say: &dyn Fn(&str)) -> anyhow::Result<Lock> {
    let path = layout.lock_file();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("the data directory {} is not writable", layout.data_dir().display()))?;
    let mut said = false;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => {
                return keep(lock, parent).with_context(|| format!("could not write {}", path.display()));
            }
            Err((back, Errno::EWOULDBLOCK)) => file = back,
            Err((_, errno)) => bail!("could not lock {}: {errno}", path.display()),
        }
        let holder = read_holder(&mut file).with_context(|| format!("could not read {}", path.display()))?;
        if holder.as_ref().is_some_and(|holder| !ending(holder, parent)) {
            bail!("another PiCloud already uses the data directory {}", layout.data_dir().display());
        }
        if !said {
            say("waiting for the server before this one to end");
            said = true;
        }
        pause();
    }
}

/// Writes who holds the lock and hands it on to every process started from here.
fn keep(mut lock: Flock<File>, parent: Option<Pid>) -> io::Result<Lock> {
    let parent = parent.map_or(0, Pid::as_raw);
    lock.set_len(0)?;
    lock.rewind()?;
    writeln!(lock, "{} {parent}", getpid())?;
    fcntl(&*lock, FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok(Lock(lock))
}

/// None while the holder has not written itself down yet.
fn read_holder(file: &mut File) -> io::Result<Option<Holder>> {
    let mut text = String::new();
    file.rewind()?;
    file.read_to_string(&mut text)?;
    Ok(holder_in(&text))
}

fn holder_in(text: &str) -> Option<Holder> {
    let (server, parent) = text.strip_suffix('\n')?.split_once(' ')?;
    let parent: i32 = parent.parse().ok()?;
    Some(Holder {
        server: Pid::from_raw(server.parse().ok()?),
        parent: (parent != 0).then(|| Pid::from_raw(parent)),
    })
}

/// Whether the holder is on its way out: it is dead and its last processes
/// linger, or the one it dies with is dead, or ours, which starts the next
/// server only when the one before has ended.
fn ending(holder: &Holder, our_parent: Option<Pid>) -> bool {
    let orphaned = holder.parent.is_some_and(|parent| Some(parent) == our_parent || !is_alive(parent));
    orphaned || !is_alive(holder.server)
}

/// Clears away the pid files of a server that died with the power, where the
/// id now belongs to a process that has nothing to do with the cluster.
///
/// Only whoever holds the lock may do so. A server that was started by hand
/// does not hold it, but works in the cluster's directory.
pub(super) fn clear_stale_pids(_lock: &Lock, layout: &Layout, sockets: &Path) -> anyhow::Result<()> {
    let cluster = layout.cluster();
    for file in [cluster.join("postmaster.pid"), sockets.join(format!(".s.PGSQL.{PORT}.lock"))] {
        let Some(pid) = named_pid(&file) else { continue };
        // PostgreSQL itself clears away the file of a dead process.
        if !is_alive(pid) {
            continue;
        }
        if fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == cluster) {
            bail!("a PostgreSQL that PiCloud did not start (process {pid}) runs on {}", cluster.display());
        }
        fs::remove_file(&file).with_context(|| format!("could not remove {}", file.display()))?;
    }
    Ok(())
}

fn named_pid(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    // A standalone backend writes its id with a minus.
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    Some(Pid::from_raw(pid.abs()))
}

/// Whether the process lives. A zombie does not: in a container nobody may
/// ever collect it.
fn is_alive(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name before the state is in parentheses and may hold any.
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, Some('Z' | 'X'))
}

#[expect(clippy::disallowed_methods, reason = "flock cannot wait with an eye on who holds it")]
fn pause() {
    std::thread::sleep(LOOK_AGAIN);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_read_once_it_is_written_whole() {
        let with = |parent: Option<i32>| {
            Some(Holder { server: Pid::from_raw(12), parent: parent.map(Pid::from_raw) })
        };
        assert_eq!(holder_in("12 34\n"), with(Some(34)));
        assert_eq!(holder_in("12 0\n"), with(None));
        assert_eq!(holder_in("12 3"), None);
        assert_eq!(holder_in(""), None);
    }

    #[test]
    fn a_holder_is_ending_when_it_or_its_parent_is_dead() {
        let (alive, dead) = (getpid(), Pid::from_raw(i32::MAX));
        let holder = |server, parent| Holder { server, parent };
        assert!(!ending(&holder(alive, None), None));
        assert!(!ending(&holder(alive, Some(alive)), None));
        assert!(ending(&holder(dead, None), None));
        assert!(ending(&holder(alive, Some(dead)), None));
        assert!(ending(&holder(alive, Some(alive)), Some(alive)));
    }
}
