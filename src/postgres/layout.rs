//! Where things lie in the data directory, and where its socket is.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::ROLE;

/// The port PostgreSQL names its socket after; nothing listens on it.
pub(super) const PORT: u16 = 5432;

/// The longest path a socket may have: `sun_path` has 108 bytes, the last of them zero.
const LONGEST_SOCKET_PATH: usize = 107;

/// The paths under one data directory.
#[derive(Clone, Debug)]
pub struct Layout {
    data_dir: PathBuf,
}

impl Layout {
    /// The layout of `data_dir`, by its one real path, so that each way to
    /// write the path leads to the same socket.
    pub fn new(data_dir: &Path) -> Self {
        let absolute = || std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
        Self { data_dir: fs::canonicalize(data_dir).unwrap_or_else(|_| absolute()) }
    }

    /// The data directory itself.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The cluster.
    pub fn cluster(&self) -> PathBuf {
        self.data_dir.join("postgres")
    }

    /// A cluster being made.
    pub fn unfinished(&self) -> PathBuf {
        self.data_dir.join("postgres.new")
    }

    /// The file whose lock means that the cluster is in use.
    pub fn lock_file(&self) -> PathBuf {
        self.data_dir.join("postgres.lock")
    }

    /// The directory the socket is in: in the data directory, or for a deep one
    /// in a run-time directory named after it.
    pub fn socket_directory(&self) -> PathBuf {
        let near = self.data_dir.join("run");
        if fits(&near) { near } else { self.far_socket_directory() }
    }

    /// `/run/picloud` is there and ours under systemd; `/tmp` is everywhere.
    fn far_socket_directory(&self) -> PathBuf {
        let hash = Sha256::digest(self.data_dir.as_os_str().as_bytes());
        let name = format!("{:016x}", hash.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        let run = Path::new("/run/picloud");
        match (fs::metadata(run), fs::metadata(&self.data_dir)) {
            (Ok(run_time), Ok(data)) if run_time.uid() == data.uid() => run.join(name),
            _ => PathBuf::from(format!("/tmp/picloud-{name}")),
        }
    }

    /// Makes the socket's directory, which only its owner can enter.
    ///
    /// In a place others can write to, somebody may have been there first; a
    /// directory that is not ours alone is refused.
    pub fn make_socket_directory(&self) -> anyhow::Result<PathBuf> {
        let directory = self.socket_directory();
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.check_socket_directory(&directory)?;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("could not make the socket directory {}", directory.display()));
            }
        }
        Ok(directory)
    }

    fn check_socket_directory(&self, directory: &Path) -> anyhow::Result<()> {
        let found = fs::symlink_metadata(directory)
            .with_context(|| format!("could not look at the socket directory {}", directory.display()))?;
        let owner = fs::metadata(&self.data_dir)?.uid();
        if !found.is_dir() || found.uid() != owner || found.mode() & 0o077 != 0 {
            bail!("the socket directory {} does not belong to PiCloud alone; remove it", directory.display());
        }
        Ok(())
    }

    /// How to connect to the server of this data directory.
    ///
    /// Everything is set, so that no `PG...` variable of a developer's shell
    /// leads elsewhere.
    pub fn connect_options(&self) -> sqlx::postgres::PgConnectOptions {
        sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .socket(self.socket_directory())
            .port(PORT)
            .username(ROLE)
            .database(ROLE)
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
    }
}

fn fits(directory: &Path) -> bool {
    let file = directory.join(format!(".s.PGSQL.{PORT}"));
    file.as_os_str().len() <= LONGEST_SOCKET_PATH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_stays_near_while_its_path_has_107_bytes() {
        let deep = |bytes: usize| PathBuf::from(format!("/{}", "d".repeat(bytes - 1)));
        let around = "/run/.s.PGSQL.5432".len();
        let last = Layout { data_dir: deep(LONGEST_SOCKET_PATH - around) };
        assert_eq!(last.socket_directory(), last.data_dir().join("run"));
        let over = Layout { data_dir: deep(LONGEST_SOCKET_PATH - around + 1) };
        assert!(!over.socket_directory().starts_with(over.data_dir()));
        assert!(fits(&over.socket_directory()));
    }
}
