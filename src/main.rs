//! Parses the command line, runs it, and turns an error into one sentence and an exit code.

use std::process::ExitCode;

use clap::Parser;

#[expect(clippy::print_stderr, reason = "the one place that tells why the program ended")]
fn main() -> ExitCode {
    match picloud::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
