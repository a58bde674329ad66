//! Floor 9: the command line.
//!
//! Each command is a file. They print to standard output what was asked for and
//! nothing else; what went wrong is one sentence on standard error and an exit
//! code ([`Exit`]). Nothing outside this room prints.

mod data_dir;
mod doctor;
mod exit;
mod listen;
mod migrate;
pub mod postgres;
mod secret;
mod serve;
mod settings;
mod show;
mod user;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

pub use exit::{Exit, Failure};
pub use settings::Settings;

/// Turns a Raspberry Pi into a private serverless cloud.
#[derive(Debug, Parser)]
#[command(
    name = "picloud",
    version,
    after_help = "`picloud <command> --help` tells more about each command."
)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the cloud: apps, administration, and PiCloud's own PostgreSQL unless another is given
    Serve(Settings),
    /// Act on PiCloud's own PostgreSQL
    #[command(subcommand)]
    Postgres(postgres::Command),
    /// Bring the database to the schema of this version
    Migrate(Settings),
    /// Check the machine, the disk, the database, the address and the clock
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Add people and reset passwords on the machine itself
    #[command(subcommand)]
    User(user::Command),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print each value with where it came from
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Settings,
    },
    /// Print what can be set, as Markdown
    Reference,
}

/// Does what the command line says.
pub fn run() -> Result<ExitCode, Failure> {
    let CommandLine { command } = CommandLine::parse();
    tell_panics_in_one_line();
    match command {
        Command::Serve(settings) => serve::run(&settings),
        Command::Postgres(command) => match command.run()? {},
        Command::Migrate(settings) => migrate::run(&settings),
        Command::Doctor { json, settings } => doctor::run(&settings, json),
        Command::Config(ConfigCommand::Show { json, settings }) => show::configuration(&settings, json),
        Command::Config(ConfigCommand::Reference) => print(&crate::config::reference()),
        Command::User(command) => user::run(command),
        Command::Openapi => show::openapi(),
    }
}

/// The runtime of a command, with so many threads.
fn runtime(threads: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(1))
        .enable_all()
        .build()
        .map_err(|error| Failure::io("the runtime cannot be started", &error))
}

/// Tells a person why the program ends; the answer is the exit code.
pub fn report(failure: &Failure) -> ExitCode {
    complain(&failure.to_string());
    failure.code()
}

/// A panic is a fault of ours, and a stack trace is no help to whoever sees it:
/// the log gets one line with the place, as it gets all other errors.
fn tell_panics_in_one_line() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let why = text.unwrap_or("for an unknown reason");
        if tracing::dispatcher::has_been_set() {
            tracing::error!(place, "a part of PiCloud panicked: {why}");
        } else {
            complain(&format!("a fault of PiCloud at {place}: {why}"));
        }
    }));
}

/// Prints to standard output. Whoever reads may have gone: that is no failure.
fn print(text: &str) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("standard output cannot be written", &error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Says something on standard error; there is nobody to tell that this failed.
fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "error: {text}");
}
