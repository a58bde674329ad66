//! PostgreSQL: its programs, its cluster, whether it answers, its schema.

use std::{path::Path, time::Duration};

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};

use super::{
    super::{Failure, runtime},
    Check,
};
use crate::{
    base,
    config::Config,
    db,
    postgres::{Layout, Search},
    store::audit,
};

/// How long an answer may take: it is a person who waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the database this configuration leads to.
pub(super) fn checks(config: &Config) -> Result<Vec<Check>, Failure> {
    let runtime = runtime(1)?;
    if let Some(url) = &config.database.url {
        return Ok(match url.expose().parse() {
            Ok(options) => {
                runtime.block_on(look(options)).unwrap_or_else(|why| vec![Check::fail(DATABASE, why)])
            }
            Err(error) => vec![Check::fail(DATABASE, format!("database_url cannot be read: {error}"))],
        });
    }
    let layout = Layout::new(&config.data_dir);
    let own = match runtime.block_on(look(layout.connect_options())) {
        Ok(checks) => checks,
        Err(_) if !layout.cluster().exists() => {
            vec![Check::ok(DATABASE, "the first start makes the cluster")]
        }
        Err(_) if !layout.socket_directory().join(SOCKET).exists() => {
            let words = format!(
                "the cluster in {} is not running; what is in it was not looked at",
                layout.cluster().display()
            );
            vec![Check::ok(DATABASE, words)]
        }
        Err(why) => vec![Check::fail(DATABASE, why)],
    };
    Ok([vec![programs(&layout.cluster())], own].concat())
}

const DATABASE: &str = "database";

/// The first schema that has an audit log.
const SCHEMA_WITH_AUDIT: i64 = 6;

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

/// Connects, asks for the schema and looks at the audit log; the error says why that did not work.
async fn look(options: PgConnectOptions) -> Result<Vec<Check>, String> {
    let asking = async {
        let mut connection = PgConnection::connect_with(&options).await?;
        let version = db::schema_version(&mut connection).await?;
        Ok::<_, base::Error>((connection, version))
    };
    let (mut connection, version) = match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => return Err(format!("does not answer: {error}")),
        Err(_) => return Err(format!("does not answer within {} s", PATIENCE.as_secs())),
    };
    let mut checks = vec![schema(version)];
    if version.is_some_and(|version| version >= SCHEMA_WITH_AUDIT) {
        checks.push(audit_log(&mut connection).await);
    }
    Ok(checks)
}

/// Goes along the whole chain of the audit log. It takes as long as the log is long.
async fn audit_log(connection: &mut PgConnection) -> Check {
    const NAME: &str = "audit log";
    match audit::verify(connection).await {
        Ok(audit::Verified { entries, broken: None }) => {
            Check::ok(NAME, format!("{entries} entries, each as it was written"))
        }
        Ok(audit::Verified { entries, broken: Some(broken) }) => Check::fail(
            NAME,
            format!(
                "entry {} is not as it was written: {}; the {entries} before it are",
                broken.seq, broken.why
            ),
        ),
        Err(error) => Check::fail(NAME, format!("cannot be read: {error}")),
    }
}

fn schema(version: Option<i64>) -> Check {
    let newest = db::newest_schema();
    match version {
        Some(version) if version >= newest => Check::ok(DATABASE, format!("answers, schema {version}")),
        Some(version) => {
            Check::ok(DATABASE, format!("answers, schema {version}; the next start brings it to {newest}"))
        }
        None => {
            Check::ok(DATABASE, format!("answers and is empty; the next start brings it to schema {newest}"))
        }
    }
}
