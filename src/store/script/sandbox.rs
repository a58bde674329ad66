//! Where a script departs from the instance's limits.

use serde::{Deserialize, Serialize};

/// A script's own limits; what is absent is as the instance has it.
///
/// Unknown keys in a stored value are ignored: a newer release may know more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sandbox {
    /// The operations one run may take.
    pub max_operations: Option<u64>,
    /// How deep calls may nest.
    pub max_call_depth: Option<u32>,
    /// The log lines one run may write.
    pub max_log_lines: Option<u32>,
    /// The bytes of memory one run may hold.
    pub max_memory_bytes: Option<u64>,
}

/// What no script may go beyond.
#[derive(Clone, Copy, Debug)]
pub struct Ceilings {
    /// The most operations one run may take.
    pub max_operations: u64,
    /// How deep calls may nest at most.
    pub max_call_depth: u32,
    /// The most log lines one run may write.
    pub max_log_lines: u32,
    /// The most bytes of memory one run may hold.
    pub max_memory_bytes: u64,
}

impl Sandbox {
    /// The same limits, none above its ceiling.
    #[must_use]
    pub fn clamped(self, to: &Ceilings) -> Self {
        Self {
            max_operations: self.max_operations.map(|n| n.min(to.max_operations)),
            max_call_depth: self.max_call_depth.map(|n| n.min(to.max_call_depth)),
            max_log_lines: self.max_log_lines.map(|n| n.min(to.max_log_lines)),
            max_memory_bytes: self.max_memory_bytes.map(|n| n.min(to.max_memory_bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_end_at_their_ceilings() {
        let to =
            Ceilings { max_operations: 100, max_call_depth: 10, max_log_lines: 5, max_memory_bytes: 1 << 20 };
        let asked = Sandbox {
            max_operations: Some(u64::MAX),
            max_call_depth: None,
            max_log_lines: Some(3),
            max_memory_bytes: Some(2 << 20),
        };
        let clamped = asked.clamped(&to);
        assert_eq!(clamped.max_operations, Some(100));
        assert_eq!((clamped.max_call_depth, clamped.max_log_lines), (None, Some(3)));
        assert_eq!(clamped.max_memory_bytes, Some(1 << 20));
    }

    #[test]
    fn a_newer_releases_limits_are_readable() -> Result<(), serde_json::Error> {
        let stored: Sandbox = serde_json::from_str(r#"{"max_log_lines":7,"max_petals":1}"#)?;
        assert_eq!(stored, Sandbox { max_log_lines: Some(7), ..Sandbox::default() });
        Ok(())
    }
}
