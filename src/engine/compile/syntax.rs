//! Questions to a script's syntax tree that Rhai answers too late, or not at all.

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use crate::engine::checked;

/// Where the script assigns to the variable `name` or to something within it.
///
/// `ctx` is constant, and Rhai refuses to change a value in a constant map;
/// but it lets a script add one.
pub(in crate::engine) fn assignments_to(ast: &AST, name: &str) -> Vec<Position> {
    let mut found = Vec::new();
    checked::walk(ast, &mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Assignment(assignment))) = path.last() {
            let target = &assignment.1.lhs;
            found.extend(starts_with(target, name).then(|| target.start_position()));
        }
        true
    });
    found
}

/// Where the script calls the method `method` of something within the variable
/// `name`, if there is only one such place.
pub(in crate::engine) fn only_call_within(ast: &AST, name: &str, method: &str) -> Option<Position> {
    let mut found = Vec::new();
    checked::walk(ast, &mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Expr(Expr::MethodCall(call, at))) = path.last() {
            let within =
                path.iter().any(|node| matches!(node, ASTNode::Expr(chain) if starts_with(chain, name)));
            found.extend((call.name == method && within).then_some(*at));
        }
        true
    });
    match found[..] {
        [only] => Some(only),
        _ => None,
    }
}

/// Whether a chain of fields and indexes begins at the variable `name`.
fn starts_with(chain: &Expr, name: &str) -> bool {
    match chain {
        Expr::Variable(variable, ..) => variable.1 == name,
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => starts_with(&parts.lhs, name),
        _ => false,
    }
}

/// Whether a script has closures that capture: without them nothing is shared but what is in `ctx`.
pub(in crate::engine) fn captures(ast: &AST) -> bool {
    let mut found = false;
    checked::walk(ast, &mut |path: &[ASTNode<'_>]| {
        found |= matches!(path.last(), Some(ASTNode::Stmt(Stmt::Share(..))));
        !found
    });
    found
}

#[cfg(test)]
mod tests {
    use rhai::Engine;

    use super::*;

    fn columns(source: &str) -> Vec<Option<usize>> {
        let ast = Engine::new_raw().compile(source).expect("the test's script parses");
        assignments_to(&ast, "ctx").into_iter().map(Position::position).collect()
    }

    #[test]
    fn assignments_are_found_wherever_they_are() {
        assert_eq!(columns("ctx = 1"), [Some(1)]);
        assert_eq!(columns("1; ctx.a += 1"), [Some(4)]);
        assert_eq!(columns("ctx.a[1].b = 1"), [Some(1)]);
        assert_eq!(columns("ctx[\"a\"] = 1"), [Some(1)]);
        assert_eq!(columns("fn f() { if true { ctx.a = 1 } }"), [Some(20)]);
        assert_eq!(columns("let f = || { ctx.a = 1 };"), [Some(14)]);
        assert_eq!(columns("let x = #{}; x.ctx = ctx.a; x[ctx.a] = ctx"), []);
    }

    #[test]
    fn a_call_is_found_if_it_is_the_only_one() {
        let line = |source: &str| {
            let ast = Engine::new_raw().compile(source).expect("the test's script parses");
            only_call_within(&ast, "ctx", "map").and_then(Position::line)
        };
        assert_eq!(line("1;\nctx.a.b.map(|x| x)"), Some(2));
        assert_eq!(line("let a = [];\na.map(|x| x);\nctx.a.map(|x| x)"), Some(3));
        assert_eq!(line("ctx.a.map(|x| x);\nctx.b.map(|x| x)"), None);
        assert_eq!(line("ctx.a.filter(|x| x)"), None);
    }

    #[test]
    fn closures_that_capture_are_told_from_those_that_do_not() {
        let engine = Engine::new_raw();
        for (source, expected) in [
            ("let x = 1; [1].map(|y| y)", false),
            ("fn f(a) { a } f(1)", false),
            ("let x = 1; [1].map(|y| x)", true),
            ("fn f(a) { [1].map(|y| a) } f(1)", true),
            ("let f = |a| { let g = || a; g }; f", true),
            ("if true { let x = 1; let f = || x; }", true),
        ] {
            let ast = engine.compile(source).expect("it parses");
            assert_eq!(captures(&ast), expected, "{source}");
        }
    }
}
