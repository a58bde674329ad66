//! The PostgreSQL server PiCloud owns: its cluster, its settings, its process.
//!
//! One code path serves every installation. [`run`] prepares the cluster in
//! the data directory and becomes the server; systemd runs it as a unit of its
//! own, and [`Server`] runs it as a child that is restarted when it dies alone
//! and dies with us however we end. The programs come from the system's
//! PostgreSQL package.
//!
//! ```text
//! <data_dir>/postgres        the cluster, with a marker of the major that made it
//! <data_dir>/postgres.new    a cluster being made; left over only by an interruption
//! <data_dir>/postgres.lock   held by the server and whatever is left of it
//! <data_dir>/run             the socket, unless its path would be too long
//! ```

mod binaries;
mod cluster;
mod configuration;
mod layout;
mod lock;
mod log;
mod privileges;
mod process;
mod run;
mod tuning;

use std::path::PathBuf;

use crate::system::hardware::Hardware;

pub use binaries::{Binaries, Search};
pub use layout::Layout;
pub use privileges::drop_privileges;
pub use process::{Program, Server, Status};
pub use run::{RunOptions, run};
pub use tuning::{Tuning, tuning};

/// The role that owns everything, and the database everything is in.
pub const ROLE: &str = "picloud";

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory that holds the cluster, its lock and its socket.
    pub data_dir: PathBuf,
    /// The machine the server is sized for.
    pub hardware: Hardware,
    /// How many connections the server takes.
    pub max_connections: u32,
    /// Parameters set last, over the rendered ones: tests trade durability for speed here.
    pub extra: Vec<(String, String)>,
}

impl Settings {
    /// Whether what is written must survive a power cut: always, but in tests.
    fn durable(&self) -> bool {
        !self.extra.iter().any(|(name, value)| name == "fsync" && value == "off")
    }
}
