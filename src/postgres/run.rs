//! `picloud postgres run`: prepares the cluster, then becomes the server.
//!
//! It runs before any runtime exists: changing the user and becoming another
//! program are for a process of one thread.

use std::{convert::Infallible, ffi::CString, os::unix::ffi::OsStrExt, path::Path};

use anyhow::{Context, bail};
use nix::{
    sys::{
        prctl::set_pdeathsig,
        signal::{SigSet, Signal},
    },
    unistd::{Pid, execvp, getppid},
};

use super::{Settings, cluster, configuration, drop_privileges, layout::Layout, lock};

/// How the server is run.
pub struct RunOptions<'a> {
    /// The process to die with.
    pub die_with_parent: Option<u32>,
    /// Tells whoever started us what takes time.
    pub say: &'a dyn Fn(&str),
}

/// Prepares the cluster in the data directory and becomes its server; returns
/// only with what prevented it.
pub fn run(settings: &Settings, options: &RunOptions) -> anyhow::Result<Infallible> {
    let parent = options.die_with_parent.map(i32::try_from).transpose()?.map(Pid::from_raw);
    // What is relative is so to where we were started.
    let data_dir = std::path::absolute(&settings.data_dir)?;
    drop_privileges(&data_dir)?;
    // Changing the user clears this, so it comes after.
    die_with(parent, Signal::SIGTERM)?;
    let layout = Layout::new(&data_dir);
    let lock = lock::take(&layout, parent, options.say)?;
    let binaries = cluster::ensure(&layout, settings.durable(), options.say)?;
    let sockets = layout.make_socket_directory()?;
    configuration::write(settings, &layout, binaries.major)?;
    lock::clear_stale_pids(&lock, &layout, &sockets)?;

    // From here on the signal is the server's fast shutdown. A shell's `&` makes
    // its children ignore it, so it is held back until the server takes it.
    let interrupt: SigSet = [Signal::SIGINT].into_iter().collect();
    interrupt.thread_block()?;
    die_with(parent, Signal::SIGINT)?;
    let program = binaries.program("postgres");
    let arguments = [program.as_path(), Path::new("-D"), &layout.cluster()]
        .map(|argument| CString::new(argument.as_os_str().as_bytes()));
    let arguments = arguments.into_iter().collect::<Result<Vec<_>, _>>()?;
    execvp(&arguments[0], &arguments).with_context(|| format!("could not run {}", program.display()))
}

/// Asks the kernel for `signal` when the parent ends, however it ends.
fn die_with(parent: Option<Pid>, signal: Signal) -> anyhow::Result<()> {
    let Some(parent) = parent else { return Ok(()) };
    set_pdeathsig(signal)?;
    // It may have ended before we asked.
    if getppid() != parent {
        bail!("the process that started this server has ended");
    }
    Ok(())
}
