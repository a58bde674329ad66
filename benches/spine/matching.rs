//! Whether the time to find a route grows with their number.

use std::{hint::black_box, time::Instant};

use crate::load::spread;

/// Look-ups timed in one round.
const LOOKUPS: u32 = 200_000;
