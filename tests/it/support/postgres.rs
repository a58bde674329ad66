//! The PostgreSQL of the test run, started through `picloud::postgres`, and a database for each test.
//!
//! One server runs for the whole run on a thread of its own; each test gets a
//! clone of one migrated template. Statics are never dropped, so nothing is
//! cleaned up by them: the server dies with the process, however that ends, and
//! a shell that waits for the end of its input then removes what is left.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use nix::unistd::Pid;
use picloud::{
    db,
    postgres::{Layout, Program, Search, Server, Settings},
    system::hardware::Hardware,
};
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};

use super::PICLOUD;

/// The database every test's database is a clone of.
const TEMPLATE: &str = "migrated";

/// A database of its own for one test.
pub struct TestDb {
    /// Connected to it the way PiCloud is.
    pub pool: PgPool,
    /// How to connect to it once more.
    pub options: PgConnectOptions,
    name: String,
}

impl TestDb {
    /// Makes one that is migrated and empty.
    pub async fn new() -> Self {
        Self::cloned_from(TEMPLATE).await
    }

    /// Makes one as PostgreSQL makes it.
    pub async fn unmigrated() -> Self {
        Self::cloned_from("template0").await
    }

    async fn cloned_from(template: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let (reply, made) = oneshot::channel();
        HOST.send(Request::Clone { template, name: name.clone(), reply }).expect("the test server runs");
        let options = made.await.expect("the test server answers; see above why it did not");
        let pool = db::connect(options.clone(), 5).await.expect("the test's database answers");
        Self { pool, options, name }
    }
}

impl TestDb {
    /// Where it is, as a configuration says it.
    pub fn url(&self) -> String {
        let socket = self.options.get_socket().expect("a socket").display().to_string();
        let name = self.options.get_database().expect("a name");
        format!("postgres://{}@localhost/{name}?host={socket}", self.options.get_username())
    }

    /// Moves the database out of its place, which then owns none.
    pub fn take(this: &mut Self) -> Self {
        Self { pool: this.pool.clone(), options: this.options.clone(), name: std::mem::take(&mut this.name) }
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        // Nobody waits for it; a hundred databases would fill a small disk.
        let _ = HOST.send(Request::Drop(std::mem::take(&mut self.name)));
    }
}

enum Request {
    Clone { template: &'static str, name: String, reply: oneshot::Sender<PgConnectOptions> },
    Drop(String),
}

static HOST: LazyLock<mpsc::UnboundedSender<Request>> = LazyLock::new(|| {
    let (sender, requests) = mpsc::unbounded_channel();
    // The runtime of a test ends with the test; this one lives on.
    let host = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be made").block_on(host(requests));
    };
    std::thread::Builder::new().name("host".to_owned()).spawn(host).expect("a thread can be started");
    sender
});

async fn host(mut requests: mpsc::UnboundedReceiver<Request>) {
    let server = DataDir::with_cluster().await.start().await;
    let options = server.connect_options();
    let admin = db::connect(options.clone(), 4).await.expect("the server answers");
    execute(&admin, format!("create database {TEMPLATE}")).await;
    let template = db::connect(options.clone().database(TEMPLATE), 1).await.expect("the template answers");
    db::migrate(&template).await.expect("the template can be migrated");
    // A template with a connection cannot be cloned.
    template.close().await;
    while let Some(request) = requests.recv().await {
        let (admin, options) = (admin.clone(), options.clone());
        tokio::spawn(async move {
            match request {
                Request::Clone { template, name, reply } => {
                    execute(&admin, format!("create database {name} template {template}")).await;
                    let _ = reply.send(options.database(&name));
                }
                Request::Drop(name) => execute(&admin, format!("drop database {name} with (force)")).await,
            }
        });
    }
}

async fn execute(db: &PgPool, statement: String) {
    sqlx::raw_sql(&statement).execute(db).await.expect(&statement);
}

/// A data directory of its own for one test, gone after the run.
pub struct DataDir(PathBuf);

impl DataDir {
    /// A path where nothing is yet.
    pub fn absent() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        Self(RUN.join(COUNT.fetch_add(1, Ordering::Relaxed).to_string()))
    }

    /// A data directory with a cluster that was shut down in good order.
    pub async fn with_cluster() -> Self {
        let data_dir = Self::absent();
        fs::create_dir(&data_dir.0).expect("the directory is new");
        let copied = copy(prepared_cluster().await, &data_dir.layout().cluster());
        assert!(copied, "the prepared cluster can be copied");
        data_dir
    }

    /// A server on it.
    pub async fn start(&self) -> Server {
        Server::start(Program::at(PICLOUD), self.settings()).await.expect("PostgreSQL starts")
    }

    /// What a server on it is started with: quick, and careless of a power cut.
    pub fn settings(&self) -> Settings {
        let off = |name: &str| (name.to_owned(), "off".to_owned());
        Settings {
            data_dir: self.0.clone(),
            hardware: Hardware::detect(),
            max_connections: 200,
            extra: vec![off("fsync"), off("full_page_writes")],
        }
    }

    /// The process id of the server that runs on it.
    pub fn postmaster(&self) -> Pid {
        let text = fs::read_to_string(self.layout().cluster().join("postmaster.pid"));
        let text = text.expect("a running server has its id in a file");
        Pid::from_raw(text.lines().next().and_then(|line| line.parse().ok()).expect("it is a number"))
    }

    /// Where things lie in it.
    pub fn layout(&self) -> Layout {
        Layout::new(&self.0)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

/// A cluster to copy: making one takes longer than most tests, so it is kept
/// between runs, for each major and each user.
async fn prepared_cluster() -> &'static Path {
    static PREPARED: tokio::sync::OnceCell<PathBuf> = tokio::sync::OnceCell::const_new();
    let prepare = || async {
        let major = Search::default().newest().expect("PostgreSQL is installed").major;
        let user = nix::unistd::Uid::effective();
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{major}-{user}"));
        if !kept.exists() {
            let data_dir = DataDir::absent();
            data_dir.start().await.stop().await.expect("PostgreSQL stops");
            // Another run may do the same now: the first that is complete stays.
            let beside = kept.with_extension(std::process::id().to_string());
            assert!(copy(&data_dir.layout().cluster(), &beside), "the cluster can be copied");
            if fs::rename(&beside, &kept).is_err() {
                fs::remove_dir_all(&beside).expect("our own copy can be removed");
            }
        }
        kept
    };
    PREPARED.get_or_init(prepare).await
}

/// Copies a directory with its owners, which only a program of the system does in a line.
fn copy(from: &Path, to: &Path) -> bool {
    Command::new("cp").arg("-a").args([from, to]).status().is_ok_and(|status| status.success())
}

/// The directory of this run. The user PostgreSQL runs as must be able to pass through it.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| {
    let run =
        tempfile::Builder::new().prefix("picloud-it-").tempdir().expect("a directory can be made").keep();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).expect("it is ours");
    remove_after_the_end(&run);
    run
});

/// Leaves a shell behind that reads until this process has ended, waits for the
/// servers that end with it, and removes the directory.
#[expect(clippy::zombie_processes, reason = "it outlives us, that is its purpose")]
fn remove_after_the_end(run: &Path) {
    let script = r#"
        cat
        for lock in "$0"/*/postgres.lock; do [ ! -e "$lock" ] || flock "$lock" true; done
        chmod -R u+rwX "$0"; rm -rf "$0"
    "#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script]).arg(run).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // A Ctrl-C is for the tests alone.
    let mut shell = shell.process_group(0).spawn().expect("sh runs");
    // Its input ends when the process does.
    std::mem::forget(shell.stdin.take());
}
