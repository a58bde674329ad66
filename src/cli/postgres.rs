//! `picloud postgres run`: the database server, as systemd or `serve` starts it.

use std::{convert::Infallible, path::PathBuf};

use crate::{
    postgres::{self, RunOptions, Settings},
    system::hardware::Hardware,
};

/// Acts on PiCloud's own PostgreSQL.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Prepares the cluster in the data directory and becomes its server
    Run(Run),
}

/// How the server is run.
#[derive(Debug, clap::Args)]
pub struct Run {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = "/var/lib/picloud")]
    data_dir: PathBuf,
    /// How many connections the server takes
    #[arg(long, value_name = "N", default_value_t = 30)]
    max_connections: u32,
    /// Ends when this process, which must be our parent, ends
    #[arg(long, value_name = "PID", hide = true)]
    die_with_parent: Option<u32>,
    /// Sets a parameter of the server
    #[arg(long = "set", value_name = "NAME=VALUE", hide = true, value_parser = parameter)]
    extra: Vec<(String, String)>,
}

impl Command {
    /// Runs the command; returns only with what prevented it.
    pub fn run(self) -> anyhow::Result<Infallible> {
        let Self::Run(run) = self;
        let settings = Settings {
            data_dir: run.data_dir,
            hardware: Hardware::detect(),
            max_connections: run.max_connections,
            extra: run.extra,
        };
        postgres::run(&settings, &RunOptions { die_with_parent: run.die_with_parent, say: &say })
    }
}

/// Speaks like the server it becomes, so that one reader understands both.
#[expect(clippy::print_stderr, reason = "the server's own log goes there too")]
fn say(words: &str) {
    eprintln!("LOG:  {words}");
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("must have the form NAME=VALUE".to_owned()),
    }
}
