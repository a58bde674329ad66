//! Starts every part in order and stops them in reverse.
