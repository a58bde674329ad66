//! Going through a syntax tree, and putting the checks in.

use rhai::{AST, Expr, FnCallExpr, Position, Stmt, StmtBlock};

use super::{
    MAX_ARGUMENTS,
    body::curry_call,
    index::{self, wrap},
    node::{Check, node},
};

/// Rhai's name for giving a function pointer values to carry.
const RHAI_CURRY: &str = "curry";

/// What goes through.
#[derive(Default)]
pub(super) struct Rewriter {
    /// Whether a check was put in.
    pub changed: bool,
    /// Whether a value can be a range, and so an index a slice.
    ranges: bool,
    /// Whether loops shall say where they are.
    pub placing: bool,
    /// Where a call has more arguments than it may have.
    pub too_many: Vec<Position>,
}

impl Rewriter {
    /// For the parts of a syntax tree.
    pub(super) fn of(ast: &AST) -> Self {
        Self { ranges: index::has_ranges(ast), ..Self::default() }
    }

    /// Puts checks into statements.
    pub(super) fn statements(&mut self, statements: &mut [Stmt]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn block(&mut self, block: &mut StmtBlock) {
        self.statements(block.statements_mut());
    }

    fn statement(&mut self, statement: &mut Stmt) {
        self.parts(statement);
        if self.placing && matches!(statement, Stmt::While(..) | Stmt::Do(..) | Stmt::For(..)) {
            let at = statement.position();
            let block = StmtBlock::new([std::mem::take(statement)], at, at);
            *statement = Stmt::Expr(Box::new(node(Check::Place, [Expr::Stmt(Box::new(block))])));
            self.changed = true;
        }
    }

    fn parts(&mut self, statement: &mut Stmt) {
        match statement {
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.expr(&mut flow.expr);
                self.block(&mut flow.body);
                self.block(&mut flow.branch);
            }
            Stmt::TryCatch(flow, _) => {
                self.block(&mut flow.body);
                self.block(&mut flow.branch);
            }
            Stmt::For(parts, _) => {
                self.expr(&mut parts.2.expr);
                self.block(&mut parts.2.body);
            }
            Stmt::Switch(parts, _) => {
                self.expr(&mut parts.0);
                if !index::is_short(&parts.0) {
                    wrap(&mut parts.0, |value| node(Check::Switch, [value]));
                    self.changed = true;
                }
                for case in &mut parts.1.expressions {
                    self.expr(&mut case.lhs);
                    self.expr(&mut case.rhs);
                }
            }
            Stmt::Assignment(parts) => {
                self.expr(&mut parts.1.lhs);
                self.expr(&mut parts.1.rhs);
                self.changed |= self.ranges && !parts.0.is_op_assignment() && index::check(&mut parts.1);
            }
            Stmt::Var(parts, ..) => self.expr(&mut parts.1),
            Stmt::FnCall(call, at) => self.call(call, *at),
            Stmt::Block(block) => self.block(block),
            Stmt::Expr(expr) | Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => {
                self.expr(expr);
            }
            Stmt::Import(parts, _) => self.expr(&mut parts.0),
            _ => (),
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::InterpolatedString(segments, _) => {
                for segment in segments {
                    self.expr(segment);
                    if !is_scalar(segment) {
                        wrap(segment, |value| node(Check::Text, [value]));
                        self.changed = true;
                    }
                }
            }
            Expr::Array(items, _) => items.iter_mut().for_each(|item| self.expr(item)),
            Expr::Map(fields, _) => fields.0.iter_mut().for_each(|(_, value)| self.expr(value)),
            Expr::And(parts, _) | Expr::Or(parts, _) | Expr::Coalesce(parts, _) => {
                parts.iter_mut().for_each(|part| self.expr(part));
            }
            Expr::Dot(parts, ..) | Expr::Index(parts, ..) => {
                self.expr(&mut parts.lhs);
                self.expr(&mut parts.rhs);
            }
            Expr::Stmt(block) => self.block(block),
            Expr::Custom(custom, _) => custom.inputs.iter_mut().for_each(|input| self.expr(input)),
            Expr::FnCall(call, at) => {
                self.call(call, *at);
                if !call.is_qualified() && call.name == RHAI_CURRY && !is_closure(call) {
                    wrap(expr, |value| node(Check::Curried, [value]));
                    self.changed = true;
                }
            }
            Expr::MethodCall(call, at) => {
                self.call(call, *at);
                if call.name == RHAI_CURRY {
                    self.curry(call, *at);
                }
            }
            _ => (),
        }
    }

    fn call(&mut self, call: &mut FnCallExpr, at: Position) {
        call.args.iter_mut().for_each(|argument| self.expr(argument));
        if call.args.len() > MAX_ARGUMENTS + 1 {
            self.too_many.push(at);
        }
    }

    /// Calls the method that curries within bounds instead.
    fn curry(&mut self, call: &mut FnCallExpr, at: Position) {
        let Some(mut checked) = curry_call() else { return };
        let values = std::mem::take(&mut call.args).into_iter().collect();
        checked.args = std::iter::once(Expr::Array(values, at)).collect();
        *call = checked;
        self.changed = true;
    }
}

/// Whether it is how Rhai writes a closure: a function, and the variables it captures.
fn is_closure(call: &FnCallExpr) -> bool {
    matches!(call.args.first(), Some(Expr::DynamicConstant(..)))
}

fn is_scalar(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::IntegerConstant(..)
            | Expr::FloatConstant(..)
            | Expr::BoolConstant(..)
            | Expr::CharConstant(..)
            | Expr::StringConstant(..)
            | Expr::Unit(..)
    )
}
