//! Assignments to an index, which may be a slice of a string.

use rhai::{AST, ASTFlags, ASTNode, BinaryExpr, Expr, FnCallExpr, Stmt, Token};

use super::node::{Check, node};

/// Whether a script has ranges elsewhere than in the head of a `for`: only then
/// can a variable hold one, for no function gives one.
pub(super) fn has_ranges(ast: &AST) -> bool {
    let mut found = false;
    super::walk(ast, &mut |path: &[ASTNode<'_>]| {
        found |= match path {
            [.., ASTNode::Stmt(Stmt::For(..)), ASTNode::Expr(_)] => false,
            [.., ASTNode::Expr(expr)] => is_range(expr),
            // A call that is a whole statement is one of its own.
            [.., ASTNode::Stmt(Stmt::FnCall(call, _))] => makes_range(call),
            _ => false,
        };
        !found
    });
    found
}

fn is_range(expr: &Expr) -> bool {
    match expr {
        Expr::DynamicConstant(value, _) => {
            value.is::<std::ops::Range<i64>>() || value.is::<std::ops::RangeInclusive<i64>>()
        }
        Expr::FnCall(call, _) => makes_range(call),
        _ => false,
    }
}

fn makes_range(call: &FnCallExpr) -> bool {
    matches!(call.op_token, Some(Token::ExclusiveRange | Token::InclusiveRange))
}

/// Puts a check into an assignment, where there is something to be checked.
pub(super) fn check(assignment: &mut BinaryExpr) -> bool {
    let BinaryExpr { lhs, rhs } = assignment;
    if is_short(rhs) {
        return false;
    }
    let quiet = is_quiet(lhs);
    let Some(index) = last_index(lhs) else { return false };
    match index {
        Expr::DynamicConstant(..) => wrap(rhs, |rhs| node(Check::Slice, [rhs])),
        range if is_range(range) => wrap(rhs, |rhs| node(Check::Slice, [rhs])),
        // An operator gives no range, and neither does a literal.
        Expr::FnCall(call, _) if call.op_token.is_some() => return false,
        Expr::IntegerConstant(..) | Expr::StringConstant(..) | Expr::InterpolatedString(..) => return false,
        Expr::Variable(..) if quiet => {
            let index = index.clone();
            wrap(rhs, |rhs| node(Check::SliceBy, [rhs, index]));
        }
        other => wrap(other, |index| node(Check::Index, [index])),
    }
    true
}

/// Puts something around an expression.
pub(super) fn wrap(expr: &mut Expr, around: impl FnOnce(Expr) -> Expr) {
    *expr = around(std::mem::take(expr));
}

/// The last index of a chain, if it ends with one.
fn last_index(chain: &mut Expr) -> Option<&mut Expr> {
    let (parts, flags, is_index) = match chain {
        Expr::Index(parts, flags, _) => (parts, *flags, true),
        Expr::Dot(parts, flags, _) => (parts, *flags, false),
        _ => return None,
    };
    let goes_on = !flags.contains(ASTFlags::BREAK) && matches!(parts.rhs, Expr::Index(..) | Expr::Dot(..));
    if goes_on { last_index(&mut parts.rhs) } else { is_index.then_some(&mut parts.rhs) }
}

/// Whether the value is surely no longer as text than a string or a number is.
pub(super) fn is_short(value: &Expr) -> bool {
    match value {
        Expr::IntegerConstant(..)
        | Expr::FloatConstant(..)
        | Expr::BoolConstant(..)
        | Expr::CharConstant(..)
        | Expr::StringConstant(..)
        | Expr::InterpolatedString(..)
        | Expr::Unit(..)
        | Expr::And(..)
        | Expr::Or(..) => true,
        Expr::FnCall(call, _) => call.op_token.as_ref().is_some_and(|token| *token != Token::Plus),
        _ => false,
    }
}

/// Whether evaluating the chain's indexes changes no variable.
fn is_quiet(chain: &Expr) -> bool {
    match chain {
        Expr::Index(parts, ..) | Expr::Dot(parts, ..) => is_quiet(&parts.lhs) && is_quiet(&parts.rhs),
        Expr::FnCall(call, _) => call.op_token.is_some() && call.args.iter().all(is_quiet),
        Expr::Variable(..)
        | Expr::ThisPtr(..)
        | Expr::Property(..)
        | Expr::IntegerConstant(..)
        | Expr::StringConstant(..) => true,
        _ => false,
    }
}
