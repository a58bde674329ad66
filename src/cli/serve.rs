//! `picloud serve`: everything that has to be done while there is one thread,
//! then the runtime and the parts in it.
//!
//! The address is taken before root is given up, so that a low port can be had,
//! and before PostgreSQL is started, so that a taken one costs no wait.

use std::process::ExitCode;

use super::{Failure, Settings, data_dir, listen::listen, runtime};
use crate::{
    boot,
    system::{hardware::Hardware, log},
};

/// Runs until it is told to stop.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    let machine = Hardware::detect();
    let config = settings.load(&machine)?;
    log::init(&config.log)?;
    let listener = listen(config.http.listen)?;
    data_dir::enter(&config.data_dir)?;
    let workers = usize::try_from(machine.cores).unwrap_or(usize::MAX);
    runtime(workers)?.block_on(boot::run(config, machine, listener))?;
    Ok(ExitCode::SUCCESS)
}
