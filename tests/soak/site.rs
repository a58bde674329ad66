//! Where a soak runs: a directory of its own, gone afterwards with all that was started in it.

use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};
use picloud::postgres::Layout;

/// The program under test.
pub const PICLOUD: &str = env!("CARGO_BIN_EXE_picloud");

/// The directory, and who clears it away.
pub struct Site {
    path: PathBuf,
    /// A shell that reads until we have ended, however that happens.
    remover: Child,
}

/// Ends what was left running in the directory, waits for the servers, which
/// end with whoever started them, and removes it, unless it is to be kept.
const REMOVE: &str = r#"
    said=$(cat)
    for file in "$0"/*.pid; do
        pid=$(cat "$file") && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "$0" && kill -9 "$pid"
    done
    [ -z "$said" ] || exit 0
    for lock in "$0"/*/postgres.lock; do [ ! -e "$lock" ] || flock -w 60 "$lock" true; done
    rm -rf "$0"
"#;

impl Site {
    /// Makes one that the user PostgreSQL runs as can pass through.
    pub fn new() -> Result<Self> {
        let path = tempfile::Builder::new().prefix("picloud-soak-").tempdir()?.keep();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        fs::write(path.join("empty.toml"), "")?;
        let mut shell = Command::new("sh");
        shell.args(["-c", REMOVE]).arg(&path);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // A Ctrl-C is for us alone.
        let remover = shell.process_group(0).spawn().context("sh")?;
        Ok(Self { path, remover })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where what is named so lies.
    pub fn file(&self, name: &str, end: &str) -> PathBuf {
        self.path.join(format!("{name}.{end}"))
    }

    /// The data directory of what is named so.
    pub fn data(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// How to reach the server on a data directory.
    pub fn options(&self, name: &str) -> sqlx::postgres::PgConnectOptions {
        Layout::new(&self.data(name)).connect_options()
    }

    /// Leaves the directory where it is, to be looked at.
    pub fn keep(&mut self) {
        if let Some(shell) = &mut self.remover.stdin {
            // Without a shell nobody removes it.
            let _ = shell.write_all(b"keep");
        }
    }

    /// A program with nothing of our environment that PiCloud would read, its
    /// errors appended to a file and its output in a new one.
    pub fn program(&self, program: impl AsRef<OsStr>, name: &str) -> Result<Command> {
        let mut command = Command::new(program);
        let ours = std::env::vars_os().map(|(name, _)| name);
        ours.filter(|name| name.to_string_lossy().starts_with("PICLOUD_")).for_each(|name| {
            command.env_remove(name);
        });
        let log = fs::OpenOptions::new().create(true).append(true).open(self.file(name, "log"))?;
        command.stdin(Stdio::null()).stdout(fs::File::create(self.file(name, "out"))?).stderr(log);
        Ok(command)
    }

    /// Notes whom the remover is to end.
    pub fn note(&self, name: &str, child: &Child) -> Result<()> {
        Ok(fs::write(self.file(name, "pid"), child.id().to_string())?)
    }
}
