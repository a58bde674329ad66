//! The sizes in the server's configuration: from the machine, as a pure function.

use crate::system::hardware::Hardware;

const MIB: u64 = 1 << 20;

/// What depends on the machine, in the units of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// How many connections the server takes.
    pub max_connections: u32,
    /// Pages the server caches itself, in MiB.
    pub shared_buffers: u64,
    /// What the planner assumes to be cached by the server and the kernel, in MiB.
    pub effective_cache_size: u64,
    /// What one sort or hash may take before it goes to the card, in KiB.
    pub work_mem: u64,
    /// What one vacuum or index build may take, in MiB.
    pub maintenance_work_mem: u64,
    /// How much WAL makes a checkpoint before its time, in MiB.
    pub max_wal_size: u64,
    /// How many vacuums run at once.
    pub autovacuum_workers: u32,
}

/// Sizes the server for a machine it shares with PiCloud and the page cache.
pub fn tuning(hardware: &Hardware, max_connections: u32) -> Tuning {
    let memory = hardware.memory / MIB;
    let small = memory <= 1024;
    // One statement rarely sorts twice, and not all connections sort at once;
    // a quarter of the memory is what they may reach together.
    let work_mem = hardware.memory / 4 / 1024 / u64::from(max_connections.max(1));
    Tuning {
        max_connections,
        shared_buffers: (memory / 16).clamp(16, 512),
        effective_cache_size: (memory / 2).max(32),
        work_mem: work_mem.clamp(1024, 16 * 1024),
        maintenance_work_mem: (memory / 32).clamp(16, 128),
        max_wal_size: if small { 512 } else { 1024 },
        autovacuum_workers: if hardware.cores <= 2 || small { 1 } else { 2 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(cores: u32, memory: u64) -> Hardware {
        Hardware { model: None, cores, memory: memory * MIB, host_name: "pi".to_owned() }
    }

    #[test]
    fn a_zero_2_w_keeps_its_memory_for_scripts() {
        let sized = tuning(&machine(4, 416), 20);
        assert_eq!((sized.shared_buffers, sized.work_mem, sized.max_wal_size), (26, 5324, 512));
        assert_eq!((sized.maintenance_work_mem, sized.autovacuum_workers), (16, 1));
    }

    #[test]
    fn a_pi_5_uses_what_it_has() {
        let sized = tuning(&machine(4, 8192), 20);
        assert_eq!((sized.shared_buffers, sized.effective_cache_size), (512, 4096));
        assert_eq!((sized.work_mem, sized.max_wal_size, sized.autovacuum_workers), (16 * 1024, 1024, 2));
    }

    #[test]
    fn every_machine_gets_values_postgresql_takes() {
        for (cores, memory) in [(1, 0), (1, 64), (64, 1 << 20)] {
            let sized = tuning(&machine(cores, memory), 0);
            assert!(sized.shared_buffers >= 16 && sized.shared_buffers <= 512);
            assert!(sized.work_mem >= 1024 && sized.maintenance_work_mem >= 16);
        }
    }
}
