//! Floor 1: the machine and the process.
//!
//! What is known of the hardware, the disk and the clock; how this process
//! logs, counts, tells systemd about itself and runs its background tasks.
//! May use `base` alone.

pub mod allocator;
pub mod clock;
pub mod disk;
pub mod hardware;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod notify;
pub mod stack;
pub mod tasks;
pub mod worker;

/// What the system says about a failed call, without the number behind it.
pub fn words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
