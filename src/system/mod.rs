//! Floor: see `lib.rs`.
