//! `picloud serve`: everything that has to be done while there is one thread,
//! then the runtime, the parts in it, and the wait for the end.
//!
//! The address is taken before root is given up, so that a low port can be had,
//! and before PostgreSQL is started, so that a taken one costs no wait.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    process::ExitCode,
    time::Duration,
};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Exit, Failure, Settings, data_dir, listen::listen, print};
use crate::{
    boot::{self, Running, Setup},
    engine,
    postgres::Program,
    system::{hardware::Hardware, log, memory, notify, worker},
};

/// Runs until it is told to stop.
pub(super) fn run(settings: &Settings) -> Result<ExitCode, Failure> {
    memory::return_large_blocks();
    let hardware = Hardware::detect();
    let config = settings.load(&hardware)?;
    log::init(&config.log)?;
    let listener = listen(config.http.listen)?;
    data_dir::enter(&config)?;
    let threads = usize::try_from(hardware.cores).unwrap_or(usize::MAX);
    let stack = engine::stack_bytes(config.execution.max_memory_ceiling);
    let setup = Setup { config, hardware, listener, program: Program::this(), modules: &[] };
    let runtime = worker::runtime(threads, stack)
        .map_err(|error| Failure::io("the runtime cannot be started", &error))?;
    let ended = runtime.block_on(serve(setup));
    // A native that cannot be interrupted must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(setup: Setup) -> Result<ExitCode, Failure> {
    let mut ends = Ends::new()?;
    let address = setup.listener.local_addr().unwrap_or(setup.config.http.listen);
    notify::status("starting");
    let running = tokio::select! {
        started = boot::start(setup) => started?,
        // Dropped half-way, the parts that have begun end by themselves.
        () = ends.next() => return Ok(ExitCode::SUCCESS),
    };
    notify::ready();
    notify::status(&format!("answering on {address}"));
    print(&invitation(address))?;
    let failed = tokio::select! {
        name = running.failed() => Some(name),
        () = ends.next() => None,
    };
    notify::stopping();
    stop(running, &mut ends).await?;
    match failed {
        None => Ok(ExitCode::SUCCESS),
        Some(part) => {
            Err(Failure::new(Exit::Software, format!("{part} failed, see the log; everything was stopped")))
        }
    }
}

/// Stops in order; who asks a second time does not want to wait for that.
async fn stop(running: Running, ends: &mut Ends) -> Result<(), Failure> {
    tracing::info!("stopping");
    tokio::select! {
        stopped = running.stop() => Ok(stopped?),
        () = ends.next() => Err(Failure::new(Exit::Refused, "stopped at once, as was asked a second time")),
    }
}

/// The signals that ask for the end.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::io("signals cannot be listened for", &error));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Waits for the next of them.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Where to go with a browser. All addresses are none a browser can go to, so
/// they are told as this machine's own and the one others reach it by.
fn invitation(address: SocketAddr) -> String {
    let page = |ip| format!("http://{}/", SocketAddr::new(ip, address.port()));
    if !address.ip().is_unspecified() {
        return format!("PiCloud is ready: {}\n", page(address.ip()));
    }
    let here = page(Ipv4Addr::LOCALHOST.into());
    match outward() {
        Some(ip) => format!("PiCloud is ready: {here}, from other machines {}\n", page(ip)),
        None => format!("PiCloud is ready: {here}\n"),
    }
}

/// The address other machines see: the one a packet to the Internet would
/// leave from. None is sent.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    socket.local_addr().ok().map(|local| local.ip()).filter(|ip| !ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_sent_where_it_can_go() {
        assert_eq!(invitation(([127, 0, 0, 1], 8080).into()), "PiCloud is ready: http://127.0.0.1:8080/\n");
        let everywhere = invitation(([0, 0, 0, 0], 80).into());
        assert!(everywhere.starts_with("PiCloud is ready: http://127.0.0.1:80/"), "{everywhere}");
        assert!(!everywhere.contains("0.0.0.0"), "{everywhere}");
    }
}
