//! What this machine can carry: a pure function of the hardware.
//!
//! The figures for the boards PiCloud is made for are the tests below; they are
//! a starting point, to be changed by measurement. Memory chooses the row,
//! because scripts in flight and connections cost memory; cores decide how many
//! scripts compute at once. Thresholds lie below the nominal sizes: the firmware
//! and the kernel keep a part, so that 512 MiB count as about 430.

use crate::system::hardware::Hardware;

/// How large the parts of PiCloud are on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sizing {
    /// Scripts that compute at the same time.
    pub running: u32,
    /// Scripts that have begun and not ended.
    pub in_flight: u32,
    /// Rows of waiting work taken at once at most.
    pub largest_claim: u32,
    /// Connections to the database.
    pub db_pool: u32,
    /// Requests that may wait for the gate.
    pub queue: u32,
    /// Compiled scripts kept in memory.
    pub compiled_scripts: u32,
    /// Bytes of memory one run may hold, unless its script sets another number.
    pub script_memory: usize,
    /// Bytes of memory a script may set for its runs at most.
    pub script_memory_ceiling: usize,
    /// Bytes of memory all runs together may hold.
    pub memory_of_all_scripts: usize,
    /// Each of these with its value and why it is what it is.
    pub reasons: Vec<Reason>,
}

/// Why one figure is what it is.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reason {
    /// The figure's name: the key's that overrides it, where there is one.
    pub what: &'static str,
    /// Its value.
    pub value: u64,
    /// Where it comes from.
    pub why: String,
}

/// One row of the table: what machines with at least this much memory carry.
struct Row {
    at_least: u64,
    in_flight: u32,
    largest_claim: u32,
    db_pool: u32,
    queue: u32,
    compiled_scripts: u32,
    script_memory: u64,
}

const MIB: u64 = 1 << 20;

/// What a script may hold on the largest machine.
const LARGEST_SCRIPT: u64 = 256 * MIB;

/// From much memory to little.
const ROWS: [Row; 4] = [
    Row {
        at_least: 6_000 * MIB,
        in_flight: 128,
        largest_claim: 512,
        db_pool: 16,
        queue: 512,
        compiled_scripts: 512,
        script_memory: 32 * MIB,
    },
    Row {
        at_least: 1_400 * MIB,
        in_flight: 48,
        largest_claim: 256,
        db_pool: 10,
        queue: 256,
        compiled_scripts: 256,
        script_memory: 32 * MIB,
    },
    Row {
        at_least: 700 * MIB,
        in_flight: 16,
        largest_claim: 128,
        db_pool: 6,
        queue: 128,
        compiled_scripts: 128,
        script_memory: 32 * MIB,
    },
    Row {
        at_least: 0,
        in_flight: 8,
        largest_claim: 64,
        db_pool: 4,
        queue: 64,
        compiled_scripts: 64,
        script_memory: 16 * MIB,
    },
];

/// Sizes the parts of PiCloud for a machine.
pub fn sizing(machine: &Hardware) -> Sizing {
    let memory = machine.memory / MIB;
    let [first, .., last] = &ROWS;
    let row = ROWS.iter().find(|row| machine.memory >= row.at_least).unwrap_or(last);
    let cores = machine.cores.max(1);
    // With memory to spare, half as many again: a script that writes a page to
    // its stack or waits for a lock leaves its core to another.
    let roomy = row.at_least == first.at_least;
    let wanted = if roomy { cores.saturating_add(cores / 2) } else { cores };
    let running = wanted.min(row.in_flight);
    let cores_say = match (roomy, running == wanted) {
        (_, false) => format!("{cores} cores, but no more than may be in flight"),
        (true, true) => {
            format!("{cores} cores and half as many again, since there are {memory} MiB of memory")
        }
        (false, true) => format!("one for each of {cores} cores"),
    };
    // What is left of a machine that is hardly one is still enough for a small script.
    let ceiling = (memory / 8 * MIB).clamp(4 * MIB, LARGEST_SCRIPT);
    let script = row.script_memory.min(ceiling);
    let of_all = (memory * 2 / 5 * MIB).max(ceiling);
    let bytes = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let memory_says = format!("{memory} MiB of memory");
    let reason = |what, value: u32, why: &String| Reason { what, value: value.into(), why: why.clone() };
    Sizing {
        running,
        in_flight: row.in_flight,
        largest_claim: row.largest_claim,
        db_pool: row.db_pool,
        queue: row.queue,
        compiled_scripts: row.compiled_scripts,
        script_memory: bytes(script),
        script_memory_ceiling: bytes(ceiling),
        memory_of_all_scripts: bytes(of_all),
        reasons: vec![
            reason("max_concurrent_executions", running, &cores_say),
            reason("max_in_flight_executions", row.in_flight, &memory_says),
            reason("largest_claim", row.largest_claim, &memory_says),
            reason("db_pool", row.db_pool, &memory_says),
            reason("sync_queue", row.queue, &format!("{memory_says}, since each may hold its body")),
            reason("compiled_scripts", row.compiled_scripts, &memory_says),
            Reason { what: "max_memory_bytes", value: script, why: memory_says.clone() },
            Reason {
                what: "max_memory_bytes_ceiling",
                value: ceiling,
                why: format!("an eighth of {memory} MiB of memory, at most 256 MiB"),
            },
            Reason {
                what: "scripts_memory_bytes",
                value: of_all,
                why: format!("two fifths of {memory} MiB of memory"),
            },
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(cores: u32, mebibytes: u64) -> [u32; 4] {
        let machine =
            Hardware { model: None, cores, memory: mebibytes * MIB, host_name: "picloud".to_owned() };
        let sizing = sizing(&machine);
        [sizing.running, sizing.in_flight, sizing.largest_claim, sizing.db_pool]
    }

    /// What the boards report, which is less than their names promise.
    #[test]
    fn the_boards_have_their_rows() {
        for (name, mebibytes, expected) in [
            ("Zero 2 W", 427, [4, 8, 64, 4]),
            ("Zero 2 W, nominal", 512, [4, 8, 64, 4]),
            ("Pi 3", 906, [4, 16, 128, 6]),
            ("Pi 3, nominal", 1_024, [4, 16, 128, 6]),
            ("Pi 4 or 5, 2 GiB", 1_846, [4, 48, 256, 10]),
            ("Pi 4 or 5, 4 GiB", 3_790, [4, 48, 256, 10]),
            ("Pi 5, 8 GiB", 7_820, [6, 128, 512, 16]),
            ("Pi 5, 16 GiB", 16_218, [6, 128, 512, 16]),
        ] {
            assert_eq!(figures(4, mebibytes), expected, "{name}");
        }
    }

    #[test]
    fn scripts_hold_what_the_machine_can_spare() {
        for (mebibytes, expected) in [
            (427, [16, 53, 170]),
            (906, [32, 113, 362]),
            (3_790, [32, 256, 1_516]),
            (16_218, [32, 256, 6_487]),
            (8, [4, 4, 4]),
        ] {
            let machine =
                Hardware { model: None, cores: 4, memory: mebibytes * MIB, host_name: String::new() };
            let sizing = sizing(&machine);
            let sizes = [sizing.script_memory, sizing.script_memory_ceiling, sizing.memory_of_all_scripts];
            assert_eq!(sizes.map(|bytes| bytes >> 20), expected, "{mebibytes} MiB");
        }
    }

    #[test]
    fn odd_machines_get_figures_that_work() {
        assert_eq!(figures(1, 8), [1, 8, 64, 4]);
        assert_eq!(figures(0, 0), [1, 8, 64, 4]);
        assert_eq!(figures(64, 512), [8, 8, 64, 4]);
        assert_eq!(figures(u32::MAX, u64::MAX / MIB), [128, 128, 512, 16]);
    }

    #[test]
    fn every_figure_has_its_reason() {
        let machine = Hardware { model: None, cores: 4, memory: 7_820 * MIB, host_name: String::new() };
        let sizing = sizing(&machine);
        let expected = [
            sizing.running,
            sizing.in_flight,
            sizing.largest_claim,
            sizing.db_pool,
            sizing.queue,
            sizing.compiled_scripts,
        ]
        .map(u64::from);
        let sizes = [sizing.script_memory, sizing.script_memory_ceiling, sizing.memory_of_all_scripts];
        let expected: Vec<u64> = expected.into_iter().chain(sizes.map(|bytes| bytes as u64)).collect();
        let values: Vec<u64> = sizing.reasons.iter().map(|reason| reason.value).collect();
        assert_eq!(values, expected);
        assert!(sizing.reasons[0].why.contains("7820 MiB"), "{:?}", sizing.reasons);
    }
}
