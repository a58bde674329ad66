//! PostgreSQL's programs: where they are, and the words for when they are not.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::bail;

/// The majors PiCloud works with.
pub(super) const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// The programs of one major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The major, such as 15.
    pub major: u32,
    /// Where the programs are; none means that the search path finds them.
    directory: Option<PathBuf>,
}

impl Binaries {
    /// What starts the program `name`.
    pub fn program(&self, name: &str) -> PathBuf {
        self.directory.as_deref().map_or_else(|| name.into(), |directory| directory.join(name))
    }
}

/// Where programs are looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Directories by major: `{}` stands for it.
    by_major: Vec<String>,
    /// Directories that hold one major, found out by asking; an empty one is the search path.
    plain: Vec<PathBuf>,
}

impl Default for Search {
    /// The places where Debian, Red Hat, Alpine and Buildroot put them, then the search path.
    fn default() -> Self {
        Self::in_places(
            &["/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin", "/usr/libexec/postgresql{}"],
            &["/usr/local/pgsql/bin", ""],
        )
    }
}

impl Search {
    /// Looks in these places only: `by_major` with `{}` for the major, `plain` with any.
    pub fn in_places(by_major: &[&str], plain: &[&str]) -> Self {
        Self {
            by_major: by_major.iter().map(|&place| place.to_owned()).collect(),
            plain: plain.iter().map(PathBuf::from).collect(),
        }
    }

    /// Finds the newest supported major, for a cluster that is yet to be made.
    pub fn newest(&self) -> anyhow::Result<Binaries> {
        match SUPPORTED.rev().find_map(|major| self.find(major)) {
            Some(binaries) => Ok(binaries),
            None => bail!(
                "PostgreSQL is missing: install it with `apt install postgresql` (PiCloud works with \
                 PostgreSQL {} to {}{})",
                SUPPORTED.start(),
                SUPPORTED.end(),
                self.unsupported()
            ),
        }
    }

    /// Finds the major that made the cluster in `cluster`: no other can read it.
    pub fn of_cluster(&self, major: u32, cluster: &Path) -> anyhow::Result<Binaries> {
        let cluster = cluster.display();
        if !SUPPORTED.contains(&major) {
            bail!(
                "the cluster in {cluster} was made by PostgreSQL {major}; this PiCloud works with {} to {}",
                SUPPORTED.start(),
                SUPPORTED.end()
            );
        }
        match self.find(major) {
            Some(binaries) => Ok(binaries),
            None => bail!(
                "the cluster in {cluster} was made by PostgreSQL {major}, whose programs are missing: \
                 install them with `apt install postgresql-{major}`"
            ),
        }
    }

    fn find(&self, major: u32) -> Option<Binaries> {
        let versioned = self
            .by_major
            .iter()
            .map(|place| PathBuf::from(place.replace("{}", &major.to_string())))
            .find(|directory| ["postgres", "initdb"].iter().all(|name| directory.join(name).is_file()));
        if versioned.is_some() {
            return Some(Binaries { major, directory: versioned });
        }
        let plain = self.plain.iter().find(|directory| asked_major(directory) == Some(major))?;
        let directory = (!plain.as_os_str().is_empty()).then(|| plain.clone());
        Some(Binaries { major, directory })
    }

    /// Names a major that was found but cannot be used.
    fn unsupported(&self) -> String {
        let found = self.plain.iter().find_map(|directory| asked_major(directory)).or_else(|| {
            (9..*SUPPORTED.start())
                .rev()
                .chain(SUPPORTED.end() + 1..99)
                .find(|major| self.find(*major).is_some())
        });
        found.map(|major| format!(", and found {major}")).unwrap_or_default()
    }
}

/// The major of the programs in `directory`, by what its `postgres` says.
fn asked_major(directory: &Path) -> Option<u32> {
    let answer = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    major_in(&String::from_utf8_lossy(&answer.stdout))
}

/// The major in an answer such as `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_in(answer: &str) -> Option<u32> {
    let version = answer.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_is_read_from_what_postgres_says() {
        assert_eq!(major_in("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_in("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_in("busybox"), None);
    }

    #[test]
    fn missing_programs_name_the_package_to_install() {
        let nowhere = Search::in_places(&[], &[]);
        let words = nowhere.newest().map_err(|e| e.to_string());
        assert_eq!(
            words,
            Err("PostgreSQL is missing: install it with `apt install postgresql` (PiCloud works with \
                 PostgreSQL 15 to 18)"
                .to_owned())
        );
        let words = nowhere.of_cluster(16, Path::new("/data/postgres")).map_err(|e| e.to_string());
        assert_eq!(
            words,
            Err("the cluster in /data/postgres was made by PostgreSQL 16, whose programs are missing: \
                 install them with `apt install postgresql-16`"
                .to_owned())
        );
    }

    #[test]
    fn a_cluster_of_a_major_we_do_not_know_is_refused() {
        let words = Search::default().of_cluster(9, Path::new("/data/postgres")).map_err(|e| e.to_string());
        assert_eq!(
            words,
            Err("the cluster in /data/postgres was made by PostgreSQL 9; this PiCloud works with 15 to 18"
                .to_owned())
        );
    }
}
