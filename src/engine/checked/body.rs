//! Functions' bodies with checks in them.
//!
//! Rhai lets nobody but its parser make a function's body. So the parser
//! makes one that consists of a single node of ours, and the body proper, with
//! its checks, is what the node carries.

use std::{
    cell::RefCell,
    sync::{Arc, LazyLock},
};

use rhai::{
    AST, ASTNode, CustomExpr, Dynamic, Engine, EvalAltResult, EvalContext, Expr, Expression, FnCallExpr,
    Module, ScriptFuncDef, Shared, Stmt, StmtBlock, Token,
};

use super::{node, rewrite::Rewriter};

/// The body that the node carries.
#[derive(Clone, Debug)]
pub(super) struct Body(Arc<Expr>);

impl Body {
    /// It as an expression.
    pub(super) fn expr(&self) -> &Expr {
        &self.0
    }
}

thread_local! {
    /// The body that the node which is parsed next shall carry.
    static NEXT: RefCell<Dynamic> = const { RefCell::new(Dynamic::UNIT) };
}

/// An engine that parses functions whose body is the node.
static PARSER: LazyLock<Engine> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    #[expect(deprecated, reason = "Rhai marks its volatile interfaces so; there is no other")]
    engine.on_parse_token(|token, _, _| match token {
        Token::Identifier(word) if word.as_str() == "body" => Token::Identifier(Box::new(node::KEY.into())),
        Token::Identifier(word) if word.as_str() == "curried" => {
            Token::Identifier(Box::new(node::CURRY.into()))
        }
        other => other,
    });
    engine.register_custom_syntax_with_state_raw(
        node::KEY,
        |_, _, state| {
            *state = NEXT.take();
            Ok(None)
        },
        false,
        |_, _, _| Ok(Dynamic::UNIT),
    );
    engine
});

/// Runs the body that a node carries.
pub(super) fn run(
    context: &mut EvalContext<'_, '_, '_, '_, '_, '_>,
    state: &Dynamic,
) -> Result<Dynamic, Box<EvalAltResult>> {
    let Some(body) = state.read_lock::<Body>() else { return Ok(Dynamic::UNIT) };
    #[expect(deprecated, reason = "Rhai marks its volatile interfaces so; there is no other")]
    context.eval_expression_tree_raw(&Expression::from(body.expr()), true)
}

/// What a node carries, if it is one of these.
pub(super) fn of(custom: &CustomExpr) -> Option<Body> {
    custom.state.read_lock::<Body>().map(|body| body.clone())
}

/// The function with checks in its body; itself if it needs none.
pub(super) fn rewritten(function: &Shared<ScriptFuncDef>, rewriter: &mut Rewriter) -> Shared<ScriptFuncDef> {
    let mut statements = statements(function);
    rewriter.changed = false;
    rewriter.statements(&mut statements);
    if !rewriter.changed {
        return function.clone();
    }
    let (start, end) = (function.body.start_position(), function.body.end_position());
    let block = StmtBlock::new(statements, start, end);
    let body = Body(Arc::new(Expr::Stmt(Box::new(block))));
    NEXT.with(|next| *next.borrow_mut() = Dynamic::from(body));
    let parsed = PARSER.compile("fn f() { body }").ok();
    let made = parsed.as_ref().and_then(|ast| ast.shared_lib().iter_script_fn_info().next());
    match made {
        Some((.., made)) => ScriptFuncDef { body: made.body.clone(), ..(**function).clone() }.into(),
        None => function.clone(),
    }
}

/// The statements of a function's body.
fn statements(function: &Shared<ScriptFuncDef>) -> Vec<Stmt> {
    let mut module = Module::new();
    module.set_script_fn(function.clone());
    let mut statements = Vec::new();
    AST::new([], module).walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            statements.push((*statement).clone());
        }
        true
    });
    statements
}

/// A call of the method that curries within bounds, without its arguments.
pub(super) fn curry_call() -> Option<FnCallExpr> {
    static CALL: LazyLock<Option<FnCallExpr>> = LazyLock::new(|| {
        let ast = PARSER.compile("f.curried([])").ok()?;
        let mut found = None;
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::MethodCall(call, _))) = path.last() {
                found = Some((**call).clone());
            }
            true
        });
        found
    });
    let call = (*CALL).clone()?;
    Some(call)
}
