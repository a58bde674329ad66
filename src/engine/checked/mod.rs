//! Checks put into a script's syntax tree, for what Rhai does by itself where no function of ours can stand.
//!
//! - `switch` hashes its value, however deeply nested or often shared;
//! - `${..}` falls back to Rhai's own writer if the function for a value's text fails;
//! - what is assigned to a slice of a string is written out by Rhai's own writer;
//! - a call that finds no function tries 2^16 signatures, each as long as its arguments are many;
//! - a run that is ended while it looks into a map or an array does not say where
//!   (within a function it does: where that was called).
//!
//! Each is an expression in Rhai's syntax tree, and is wrapped in a node of
//! ours that evaluates it and looks at its value. Functions are covered like
//! the rest: see `body`.

mod body;
mod index;
mod node;
mod rewrite;
#[cfg(test)]
mod tests;

use rhai::{AST, ASTNode, Engine, Expr, Module, Position, Stmt};

use rewrite::Rewriter;

/// The most arguments of a call, and the most values that a function pointer carries.
pub(super) const MAX_ARGUMENTS: usize = 32;

/// What is said to a script that has a call with more of them.
pub(super) const TOO_MANY: &str = "a call has more than 32 arguments, or a closure uses more than 32 variables from outside: \
     put them into an array or a map";

/// Teaches an engine what the nodes mean.
pub(super) fn install(engine: &mut Engine) {
    node::install(engine);
}

/// Registers the function that nodes stand for.
pub(super) fn register(module: &mut Module) {
    node::register(module);
}

/// The syntax tree with its checks, or where it has calls with too many arguments.
pub(super) fn apply(ast: &AST) -> Result<AST, Vec<Position>> {
    let mut rewriter = Rewriter::of(ast);
    let mut statements = ast.statements().to_vec();
    rewriter.placing = true;
    rewriter.statements(&mut statements);
    rewriter.placing = false;
    let mut functions = Module::new();
    for (.., function) in ast.shared_lib().iter_script_fn_info() {
        functions.set_script_fn(body::rewritten(function, &mut rewriter));
    }
    if rewriter.too_many.is_empty() { Ok(AST::new(statements, functions)) } else { Err(rewriter.too_many) }
}

/// Walks a syntax tree, with what Rhai's own walk leaves out: the bodies of
/// functions that have checks, and what `break` gives back.
pub(super) fn walk(ast: &AST, on_node: &mut dyn FnMut(&[ASTNode<'_>]) -> bool) -> bool {
    ast.walk(&mut |path: &[ASTNode<'_>]| visit(path, on_node))
}

fn visit(path: &[ASTNode<'_>], on_node: &mut dyn FnMut(&[ASTNode<'_>]) -> bool) -> bool {
    if !on_node(path) {
        return false;
    }
    let mut further = |path: &[ASTNode<'_>]| visit(path, on_node);
    match path.last() {
        Some(ASTNode::Expr(Expr::Custom(custom, _))) => {
            body::of(custom).is_none_or(|body| body.expr().walk(&mut Vec::new(), &mut further))
        }
        Some(ASTNode::Stmt(Stmt::BreakLoop(Some(value), ..))) => value.walk(&mut path.to_vec(), &mut further),
        _ => true,
    }
}
