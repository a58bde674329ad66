//! A way to the database that can be cut: how a database that is away is tested.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    io::copy_bidirectional,
    net::{UnixListener, UnixStream},
    task::{AbortHandle, JoinSet},
};

use super::postgres::TestDb;

/// A way to the database's socket that can be cut and mended.
pub struct Cable {
    socket: PathBuf,
    real: PathBuf,
    carrier: Option<AbortHandle>,
    directory: tempfile::TempDir,
}

impl Cable {
    /// Lays one to the test's database, and connects through it with little patience.
    pub async fn to(test: &TestDb) -> (Self, PgPool) {
        let file = format!(".s.PGSQL.{}", test.options.get_port());
        let real = test.options.get_socket().expect("a server of our own has a socket").join(&file);
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut cable = Self { socket: directory.path().join(&file), real, carrier: None, directory };
        cable.mend();
        let options = test.options.clone().socket(cable.directory.path());
        let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(1)).connect_with(options).await;
        (cable, pool.expect("the cable carries"))
    }

    /// How to connect to the test's database by way of this cable.
    pub fn options(&self, test: &TestDb) -> PgConnectOptions {
        test.options.clone().socket(self.directory.path())
    }

    /// The address of the test's database by way of this cable.
    pub fn url(&self, test: &TestDb) -> String {
        self.options(test).to_url_lossy().to_string()
    }

    /// Carries again.
    pub fn mend(&mut self) {
        let listener = UnixListener::bind(&self.socket).expect("a socket can be made");
        self.carrier = Some(tokio::spawn(carry(listener, self.real.clone())).abort_handle());
    }

    /// Cuts every connection, and lets none be made.
    pub fn cut(&mut self) {
        self.carrier.take().expect("it carries").abort();
        std::fs::remove_file(&self.socket).expect("the socket is there");
    }
}

/// Carries every connection until it is aborted, and all connections with it.
async fn carry(listener: UnixListener, to: PathBuf) {
    let mut carried = JoinSet::new();
    while let Ok((near, _)) = listener.accept().await {
        carried.spawn(between(near, to.clone()));
    }
}

async fn between(mut near: UnixStream, to: impl AsRef<Path>) {
    if let Ok(mut far) = UnixStream::connect(to).await {
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
