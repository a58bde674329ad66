//! PostgreSQL: its programs, its cluster, whether it answers, its schema.

use std::{path::Path, time::Duration};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{
    super::{Failure, runtime},
    Check,
};
use crate::{
    config::Config,
    db,
    postgres::{Layout, Search},
};

/// How long an answer may take: it is a person who waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the database this configuration leads to.
pub(super) fn checks(config: &Config) -> Result<Vec<Check>, Failure> {
    let runtime = runtime(1)?;
    if let Some(url) = &config.database.url {
        let check = match url.expose().parse() {
            Ok(options) => runtime.block_on(answer(options)).unwrap_or_else(|why| Check::fail(DATABASE, why)),
            Err(error) => Check::fail(DATABASE, format!("database_url cannot be read: {error}")),
        };
        return Ok(vec![check]);
    }
    let layout = Layout::new(&config.data_dir);
    let own = match runtime.block_on(answer(layout.connect_options())) {
        Ok(check) => check,
        Err(_) if !layout.cluster().exists() => Check::ok(DATABASE, "the first start makes the cluster"),
        Err(_) if !layout.socket_directory().join(SOCKET).exists() => {
            Check::ok(DATABASE, format!("the cluster in {} is not running", layout.cluster().display()))
        }
        Err(why) => Check::fail(DATABASE, why),
    };
    Ok(vec![programs(&layout.cluster()), own])
}

const DATABASE: &str = "database";

/// The socket's name in its directory.
const SOCKET: &str = ".s.PGSQL.5432";

/// Whether PostgreSQL's programs are there, and fit the cluster.
fn programs(cluster: &Path) -> Check {
    const NAME: &str = "PostgreSQL";
    let major =
        std::fs::read_to_string(cluster.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
    let found = match major {
        Some(major) => Search::default().of_cluster(major, cluster),
        None => Search::default().newest(),
    };
    match found {
        Ok(found) => {
            Check::ok(NAME, format!("version {}, {}", found.major, found.program("postgres").display()))
        }
        Err(error) => Check::fail(NAME, error.to_string()),
    }
}

/// Connects and asks for the schema; the error says why that did not work.
async fn answer(options: PgConnectOptions) -> Result<Check, String> {
    let asking = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        db::schema_version(&mut connection).await
    };
    let version = match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(version)) => version,
        Ok(Err(error)) => return Err(format!("does not answer: {error}")),
        Err(_) => return Err(format!("does not answer within {} s", PATIENCE.as_secs())),
    };
    let newest = db::newest_schema();
    Ok(match version {
        Some(version) if version >= newest => Check::ok(DATABASE, format!("answers, schema {version}")),
        Some(version) => {
            Check::ok(DATABASE, format!("answers, schema {version}; the next start brings it to {newest}"))
        }
        None => {
            Check::ok(DATABASE, format!("answers and is empty; the next start brings it to schema {newest}"))
        }
    })
}
