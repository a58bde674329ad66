//! The cluster: whether there is one, which major made it, and making it.
//!
//! A cluster is made beside its place and renamed when it is complete, so that
//! one that was cut off in the middle never looks like a cluster: the next
//! start removes it and starts over.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, bail};

use super::{Binaries, ROLE, Search, layout::Layout};

/// The file in the cluster that says which major made it, and that we did.
const MARKER: &str = "picloud-major";

/// Finds the programs for the cluster, and makes the cluster if there is none.
pub(super) fn ensure(layout: &Layout, durable: bool, say: &dyn Fn(&str)) -> anyhow::Result<Binaries> {
    let search = Search::default();
    let cluster = layout.cluster();
    if let Some(major) = made_by(&cluster)? {
        return search.of_cluster(major, &cluster);
    }
    let binaries = search.newest()?;
    say(&format!("making the cluster with PostgreSQL {}", binaries.major));
    make(layout, &binaries, durable)
        .with_context(|| format!("could not make the cluster {}", cluster.display()))?;
    Ok(binaries)
}

/// The major that made the cluster; none if there is no cluster.
fn made_by(cluster: &Path) -> anyhow::Result<Option<u32>> {
    let version = cluster.join("PG_VERSION");
    let major = match fs::read_to_string(&version) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_vacant(cluster) => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", version.display())),
    };
    let marker = fs::read_to_string(cluster.join(MARKER)).unwrap_or_default();
    if marker.trim() != major {
        bail!(
            "{} is a cluster of PostgreSQL {major} that PiCloud did not make: move it away, or choose \
             another data directory",
            cluster.display()
        );
    }
    let major = major.parse().with_context(|| format!("{} holds no number", version.display()))?;
    Ok(Some(major))
}

/// Whether a cluster can be put in its place: nothing or an empty directory is there.
fn is_vacant(cluster: &Path) -> bool {
    fs::read_dir(cluster)
        .map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |mut entries| entries.next().is_none())
}

fn make(layout: &Layout, binaries: &Binaries, durable: bool) -> anyhow::Result<()> {
    let unfinished = layout.unfinished();
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("could not remove {}", unfinished.display()));
        }
        _ => {}
    }
    init(binaries, &unfinished, durable)?;
    create_database(binaries, &unfinished, durable)?;
    // Last of all, so that a cluster with its marker is a complete one.
    let marker = unfinished.join(MARKER);
    let mut file = File::create(&marker)?;
    file.write_all(format!("{}\n", binaries.major).as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("could not write {}", marker.display()))?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, layout.cluster())?;
    File::open(layout.data_dir())?.sync_all()?;
    Ok(())
}

fn init(binaries: &Binaries, directory: &Path, durable: bool) -> anyhow::Result<()> {
    let mut command = Command::new(binaries.program("initdb"));
    command.arg("--pgdata").arg(directory).args([
        "--username",
        ROLE,
        "--encoding=UTF8",
        "--locale=C.UTF-8",
        "--data-checksums",
        "--auth-local=peer",
        "--auth-host=scram-sha-256",
        "--no-instructions",
    ]);
    if !durable {
        command.arg("--no-sync");
    }
    let output = command.stdin(Stdio::null()).output().context("could not run initdb")?;
    succeeded("initdb", &output)
}

/// Creates the database in single-user mode: no server is needed, and the
/// cluster is complete before it gets its name.
fn create_database(binaries: &Binaries, directory: &Path, durable: bool) -> anyhow::Result<()> {
    let mut command = Command::new(binaries.program("postgres"));
    command.arg("--single").arg("-D").arg(directory);
    if !durable {
        command.arg("-F");
    }
    let mut child = command
        .args(["-c", "exit_on_error=true", "-c", "log_checkpoints=off", "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("could not run postgres")?;
    if let Some(mut stdin) = child.stdin.take() {
        // What went wrong is in its output, not in the broken pipe.
        let _ = writeln!(stdin, "create database {ROLE} template template0");
    }
    succeeded("postgres", &child.wait_with_output()?)
}

/// Turns the output of a program that failed into an error of one line.
fn succeeded(program: &str, output: &Output) -> anyhow::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    match cause(&text) {
        Some(cause) => bail!("{program}: {cause}"),
        None => bail!("{program} ended with {}", output.status),
    }
}

/// The line that names the cause: the first that the server or the program calls an error.
fn cause(stderr: &str) -> Option<&str> {
    let marks = ["FATAL:  ", "PANIC:  ", "ERROR:  ", "error: "];
    let marked =
        |line| marks.iter().find_map(|&mark| str::split_once(line, mark)).map(|(_, cause)| cause.trim());
    stderr.lines().find_map(marked).or_else(|| stderr.lines().rev().find(|line| !line.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_first_error_and_not_what_follows_from_it() {
        let stderr = "initdb: error: could not create directory \"/x\": Permission denied\n";
        assert_eq!(cause(stderr), Some("could not create directory \"/x\": Permission denied"));
        let stderr = "2026-01-01 UTC [9] FATAL:  could not write to file \"pg_wal/xlogtemp.9\": No space left \
                      on device\nchild process exited with exit code 1\ninitdb: removing data directory\n";
        assert_eq!(
            cause(stderr),
            Some("could not write to file \"pg_wal/xlogtemp.9\": No space left on device")
        );
        assert_eq!(cause("odd\n\n"), Some("odd"));
    }
}
