//! What the machine is, and how large PiCloud's parts are on it.

use super::Check;
use crate::{
    config::{self, Config, Origin},
    system::hardware::Hardware,
};

const MIB: u64 = 1 << 20;

/// The least memory PiCloud with its PostgreSQL is comfortable in.
const LITTLE: u64 = 380 * MIB;

/// One figure, with the reason for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) why: String,
}

/// What machine this is.
pub(super) fn hardware(machine: &Hardware) -> Check {
    let model = machine.model.as_deref().unwrap_or("a machine without a device tree");
    let (cores, memory) = (machine.cores, machine.memory / MIB);
    let found = format!("{model}, {cores} cores, {memory} MiB of memory");
    if machine.memory < LITTLE {
        Check::warn("machine", format!("{found}, which is little: expect swapping"))
    } else {
        Check::ok("machine", found)
    }
}

/// The figures as they are, with why: from the machine, or because somebody set them.
pub(super) fn sizing(config: &Config, machine: &Hardware) -> Vec<Size> {
    let reasons = config::sizing(machine).reasons;
    reasons
        .into_iter()
        .map(|reason| {
            let set =
                config.resolved.iter().find(|one| one.key == reason.what && one.origin != Origin::Machine);
            let (value, why) = match set {
                Some(one) => (one.value.clone(), format!("set by {}", one.origin)),
                None => (reason.value.to_string(), reason.why),
            };
            Size { name: reason.what, value, why }
        })
        .collect()
}
