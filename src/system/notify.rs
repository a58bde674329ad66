//! Tells systemd how this process is; outside systemd nothing happens.

use sd_notify::NotifyState;

/// Says that start-up is finished.
pub fn ready() {
    send(&NotifyState::Ready);
}

/// Says in one line what the process is doing, for `systemctl status`.
pub fn status(line: &str) {
    send(&NotifyState::Status(line));
}

/// Says that the process has begun to stop.
pub fn stopping() {
    send(&NotifyState::Stopping);
}

/// A manager that cannot be told is no reason to fail: it sees the process itself.
fn send(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::debug!(%error, "systemd could not be notified");
    }
}
