//! Floor 1: the machine and the process.
//!
//! What is known of the hardware, the disk and the clock; how this process
//! logs, counts, tells systemd about itself and runs its background tasks.
//! May use `base` alone.

pub mod clock;
pub mod disk;
pub mod hardware;
pub mod log;
pub mod metrics;
pub mod notify;
pub mod tasks;
