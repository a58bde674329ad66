//! What machine this is: model, cores, memory, name.
//!
//! The limits of a container count as the machine's: what cgroups allow is all
//! there is. Reading is apart from understanding, so that the latter is tested
//! with the texts of machines nobody has here.

use std::{collections::BTreeSet, fs, num::NonZero, path::PathBuf, thread};

/// The machine, as far as sizing and the reports need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hardware {
    /// What the board calls itself, such as `Raspberry Pi 4 Model B Rev 1.4`; `None` off the board.
    pub model: Option<String>,
    /// Cores this process may use.
    pub cores: u32,
    /// Bytes of memory this process may use: the machine's or its container's, whichever is less.
    pub memory: u64,
    /// The host name, lower case.
    pub host_name: String,
}

/// What is assumed where the kernel does not tell: as much as the smallest Pi has.
const LEAST_MEMORY: u64 = 512 << 20;

impl Hardware {
    /// Looks at the machine.
    pub fn detect() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let total = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_memory(&text));
        let memory = total.unwrap_or(LEAST_MEMORY).min(cgroup_limit().unwrap_or(u64::MAX));
        Self {
            model: fs::read("/sys/firmware/devicetree/base/model").ok().and_then(|raw| model(&raw)),
            cores: u32::try_from(cores).unwrap_or(u32::MAX),
            memory,
            host_name: host_name(),
        }
    }
}

fn host_name() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.filter(|name| !name.is_empty()).map_or_else(|| "localhost".to_owned(), |name| name.to_lowercase())
}

/// The board's model out of the device tree, whose texts end with a NUL.
fn model(raw: &[u8]) -> Option<String> {
    let text = raw.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = String::from_utf8_lossy(text).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Bytes of `MemTotal` in the text of `/proc/meminfo`.
fn total_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// The least memory limit of the cgroups this process is in, if any has one.
fn cgroup_limit() -> Option<u64> {
    let cgroups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_files(&cgroups)
        .iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .filter_map(|text| limit(&text))
        .min()
}

/// The files that may hold a memory limit, given the text of `/proc/self/cgroup`.
///
/// A group's parents limit it too. A container mostly sees its own group as the
/// root of the tree, under a path that only exists outside: then the deeper
/// files are missing, and the root's is the right one.
fn limit_files(cgroups: &str) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for line in cgroups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            list if list.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let group = PathBuf::from(format!("{root}{path}"));
        files.extend(group.ancestors().filter(|dir| dir.starts_with(root)).map(|dir| dir.join(file)));
    }
    files
}

/// A limit file's number of bytes. `max` is version 2's "none"; version 1 says
/// it with a number no memory reaches, which loses against the machine's own.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_ends_at_its_nul() {
        let raw = b"Raspberry Pi Zero 2 W Rev 1.0\0";
        assert_eq!(model(raw).as_deref(), Some("Raspberry Pi Zero 2 W Rev 1.0"));
        assert_eq!(model(b"\0"), None);
        assert_eq!(model(b""), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        let text = "MemTotal:         437652 kB\nMemFree:           61448 kB\n";
        assert_eq!(total_memory(text), Some(437_652 * 1024));
        assert_eq!(total_memory("MemFree: 1 kB\n"), None);
        assert_eq!(total_memory("MemTotal: much kB\n"), None);
    }

    #[test]
    fn the_limits_of_a_group_and_its_parents_are_looked_for() {
        let files = limit_files("0::/system.slice/picloud.service\n");
        let expected = [
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/system.slice/memory.max",
            "/sys/fs/cgroup/system.slice/picloud.service/memory.max",
        ];
        assert_eq!(files, expected.iter().map(PathBuf::from).collect());
    }

    #[test]
    fn cgroups_of_version_1_are_known_too() {
        let files = limit_files("9:name=systemd:/x\n4:cpu,memory:/docker/abc\n3:cpuset:/\n");
        let expected = [
            "/sys/fs/cgroup/memory/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
            "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes",
        ];
        assert_eq!(files, expected.iter().map(PathBuf::from).collect());
    }

    #[test]
    fn a_group_without_a_limit_has_none() {
        assert_eq!(limit("max\n"), None);
        assert_eq!(limit("268435456\n"), Some(256 << 20));
        assert_eq!(limit(""), None);
        assert_eq!(limit("9223372036854771712\n"), Some(9_223_372_036_854_771_712));
    }

    #[test]
    fn this_machine_has_a_core_and_memory() {
        let here = Hardware::detect();
        assert!(here.cores >= 1 && here.memory > 0 && !here.host_name.is_empty(), "{here:?}");
    }
}
