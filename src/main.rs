//! Parses the command line, runs it, and turns the error into an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    picloud::cli::run().unwrap_or_else(|failure| picloud::cli::report(&failure))
}
