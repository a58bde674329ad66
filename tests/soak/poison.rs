//! A row that takes its process along, among innocent ones.
//!
//! No script can do that through the product. So the node is this program,
//! which starts PiCloud with one module more.

use std::{
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use picloud::{
    boot::{self, Setup},
    config::Config,
    engine::SdkModule,
    postgres::{Program, drop_privileges},
    system::{hardware::Hardware, log},
};
use serde_json::json;

use crate::{
    ledger::Ledger,
    load::Person,
    node::free_port,
    site::{PICLOUD, Site},
};

/// The argument that makes this program a node.
pub const NODE: &str = "--node";

/// What the node is called.
const NAME: &str = "poison";

/// The longest it may all take.
const PATIENCE: Duration = Duration::from_secs(90);

/// How many rows wait on either side of the poisonous one.
const INNOCENT: usize = 25;

/// How often a row may take its process along.
const DEATHS: u32 = 6;

const MODULES: &[SdkModule] = &[SdkModule {
    name: "poison",
    about: "Takes the process along.",
    functions: &[],
    build: || {
        let mut module = rhai::Module::new();
        module.set_native_fn("abort", || -> Result<(), Box<rhai::EvalAltResult>> { std::process::abort() });
        module
    },
}];

/// Is a node until it is killed.
pub fn be_a_node(arguments: &[String]) -> Result<ExitCode> {
    let [url, data, listen] = arguments else { bail!("{NODE} URL DATA LISTEN") };
    let flags = [
        ("database_url", url.as_str()),
        ("data_dir", data),
        ("listen", listen),
        ("min_free_bytes", "1MiB"),
        ("log", "info,picloud::events::settle=debug"),
        ("log_format", "json"),
    ];
    let hardware = Hardware::detect();
    let config = Config::load(None, std::iter::empty(), &flags, &hardware)?;
    log::init(&config.log)?;
    let listener = std::net::TcpListener::bind(config.http.listen)?;
    listener.set_nonblocking(true)?;
    drop_privileges(&config.data_dir)?;
    let setup = Setup { config, hardware, listener, program: Program::at(PICLOUD), modules: MODULES };
    tokio::runtime::Runtime::new()?.block_on(async {
        let _running = boot::start(setup).await?;
        println!("ready");
        std::future::pending().await
    })
}

/// Has a poisonous row run among innocent ones; how often it killed.
pub async fn run(site: &Site, url: String, db: &sqlx::PgPool) -> Result<u32> {
    let mut node = Node::start(site, url)?;
    node.ready().await?;
    let (owner, at) = (Person::owner(node.address).await?, node.address);
    owner.app(at, "garden").await?;
    owner.script(at, "garden", ("innocent", false, "sleep(0.02)")).await?;
    owner.script(at, "garden", ("poisonous", false, "poison::abort()")).await?;
    owner.pause(at, true).await?;
    let (mut innocent, mut poisonous) = (Vec::new(), String::new());
    for n in 0..=2 * INNOCENT {
        let name = if n == INNOCENT { "poisonous" } else { "innocent" };
        let (status, answer) = owner.post(at, &format!("/~garden/{name}"), json!({"n": n})).await?;
        let id = answer["execution_id"].as_str().with_context(|| format!("{status} {answer}"))?.to_owned();
        if n == INNOCENT { poisonous = id } else { innocent.push(id) }
    }
    owner.pause(at, false).await?;
    let until = Instant::now() + PATIENCE;
    let left = || async { sqlx::query_scalar("select count(*) from outbox").fetch_one(db).await };
    while node.tend(site)? && {
        let left: i64 = left().await?;
        left > 0
    } {
        ensure!(Instant::now() < until, "rows are stuck beside a poisonous one");
        ensure!(node.deaths <= DEATHS, "the poisonous row has killed {} times", node.deaths);
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let letters: Vec<(String, String)> =
        sqlx::query_as("select execution_id::text, errors -> -1 ->> 'kind' from dead_letters")
            .fetch_all(db)
            .await?;
    ensure!(letters == [(poisonous, "process_ended".to_owned())], "dead letters: {letters:?}");
    let log = site.file(NAME, "log");
    let never = Ledger::read([log.as_path()])?.never_ran(&innocent);
    ensure!(never.is_empty(), "never ran beside a poisonous row: {never:?}");
    Ok(node.deaths)
}

struct Node {
    address: SocketAddr,
    url: String,
    child: Child,
    output: PathBuf,
    deaths: u32,
}

impl Node {
    fn start(site: &Site, url: String) -> Result<Self> {
        let address = free_port()?;
        let child = spawn(site, &url, address)?;
        Ok(Self { address, url, child, output: site.file(NAME, "out"), deaths: 0 })
    }

    async fn ready(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while self.output.metadata()?.len() == 0 {
            ensure!(Instant::now() < until && self.child.try_wait()?.is_none(), "{NAME} does not start");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Ok(())
    }

    /// Starts it again if it has died; always true.
    fn tend(&mut self, site: &Site) -> Result<bool> {
        if let Some(status) = self.child.try_wait()? {
            ensure!(status.signal() == Some(libc::SIGABRT), "{NAME} ended by itself: {status}");
            self.deaths += 1;
            self.child = spawn(site, &self.url, self.address)?;
        }
        Ok(true)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(site: &Site, url: &str, address: SocketAddr) -> Result<Child> {
    let data: &Path = &site.data(NAME);
    let mut command = site.program(std::env::current_exe()?, NAME)?;
    let child = command.args([NODE, url]).arg(data).arg(address.to_string()).spawn()?;
    site.note(NAME, &child)?;
    Ok(child)
}
