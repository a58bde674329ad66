//! `picloud migrate`: brings the database to the schema of this version.

use std::process::ExitCode;

use super::{Failure, Settings, data_dir, print, runtime};
use crate::{
    config::Config,
    db,
    postgres::{self, Program, Server},
    system::{hardware::Hardware, log},
};

/// Connections the server takes while it only migrates, with what it keeps for itself.
const CONNECTIONS: u32 = 10;

/// Migrates, starting PiCloud's own PostgreSQL for that time, and prints the schema's version.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let machine = Hardware::detect();
    let config = settings.load(&machine)?;
    log::init(&config.log)?;
    if config.database.url.is_none() {
        data_dir::enter(&config)?;
    }
    let version = runtime(1)?.block_on(migrate(&config, machine))?;
    print(&format!("{version}\n"))
}

async fn migrate(config: &Config, hardware: Hardware) -> anyhow::Result<i64> {
    if let Some(url) = &config.database.url {
        return Ok(db::migrate(&db::connect(url.expose().parse()?, 1).await?).await?);
    }
    let settings = postgres::Settings {
        data_dir: config.data_dir.clone(),
        hardware,
        max_connections: CONNECTIONS,
        extra: Vec::new(),
    };
    let server = Server::start(Program::this(), settings).await?;
    let pool = db::connect(server.connect_options(), 1).await?;
    let migrated = db::migrate(&pool).await;
    pool.close().await;
    server.stop().await?;
    Ok(migrated?)
}
