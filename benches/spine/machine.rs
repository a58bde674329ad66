//! What was measured on, and what memory processes hold.

use std::{fs, path::Path};

/// The machine, in a line.
pub(crate) fn describe() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {cpu}, Linux {}", kernel.trim())
}

/// What picloud and its PostgreSQL hold now. PSS counts shared pages by share, so that the server's
/// processes can be added up.
pub(crate) fn memory(picloud: u32) -> String {
    let postgres: Vec<u32> = descendants(picloud);
    let pss = |pids: &[u32]| pids.iter().filter_map(|pid| rollup(*pid, "Pss")).sum::<u64>() as f64 / 1024.0;
    format!(
        "### Memory\n\n| process | RSS MiB | PSS MiB |\n|---|---|---|\n| picloud | {:.1} | {:.1} |\n| PostgreSQL ({} processes) | | {:.1} |\n",
        rollup(picloud, "Rss").unwrap_or_default() as f64 / 1024.0,
        pss(&[picloud]),
        postgres.len(),
        pss(&postgres),
    )
}

fn rollup(pid: u32, name: &str) -> Option<u64> {
    let value = field(format!("/proc/{pid}/smaps_rollup"), name)?;
    value.split_whitespace().next()?.parse().ok()
}

fn field(path: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn descendants(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![pid];
    while let Some(parent) = open.pop() {
        let tasks = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            open.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        if parent != pid {
            found.push(parent);
        }
    }
    found
}
