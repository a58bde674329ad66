//! Floor 6: from "something happened" to "a script ran".

pub mod inbox;
