//! Rhai's functions as scripts meet them here: the same answers, within bounds.

mod hostile;
mod same;

use super::*;
