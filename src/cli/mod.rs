//! Floor 9: the command line.

pub mod postgres;

use clap::Parser;

/// Turns a Raspberry Pi into a private serverless cloud.
#[derive(Debug, Parser)]
#[command(name = "picloud", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Acts on PiCloud's own PostgreSQL
    #[command(subcommand)]
    Postgres(postgres::Command),
}

impl Cli {
    /// Runs the command that was given.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Postgres(command) => match command.run()? {},
        }
    }
}
