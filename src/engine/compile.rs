//! Compiled scripts.

use std::sync::Arc;

use rhai::AST;

/// A script ready to run.
#[derive(Clone)]
pub struct Compiled(pub(super) Arc<AST>);
