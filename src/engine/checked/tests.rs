//! That no place in a script is without its check, and that every place is as it was otherwise.

use super::{node::Check, *};

/// A script with `PLACE` wherever an expression may stand.
const EVERYWHERE: &str = "
    let a = PLACE; const B = PLACE; a = PLACE; a += PLACE; a[PLACE] = PLACE; a.b[PLACE].c = PLACE;
    if PLACE { PLACE } else if PLACE { PLACE } else { PLACE }
    while PLACE { PLACE; } do { PLACE; } while PLACE; do { PLACE; } until PLACE; loop { PLACE; break PLACE; }
    for x in PLACE { PLACE; } for (x, i) in PLACE { PLACE; continue; }
    switch PLACE { 1 if PLACE => PLACE, 2..9 if PLACE => { PLACE } _ => PLACE }
    try { PLACE } catch (e) { PLACE }
    f(PLACE, PLACE); PLACE + PLACE; -PLACE; !PLACE; PLACE && PLACE || PLACE; PLACE ?? PLACE; PLACE in PLACE;
    a.f(PLACE)[PLACE].g(PLACE); a?.b?[PLACE]; [PLACE, PLACE]; #{ a: PLACE }; `${PLACE}`; { PLACE; PLACE };
    let g = |x| PLACE; let h = |x| { let y = PLACE; |z| [y, PLACE] }; call(g, PLACE); g.curry(PLACE); curry(g, PLACE);
    fn f(x) { PLACE; return PLACE; } private fn g(x) { throw PLACE; } fn int.k() { this += PLACE; }
    return PLACE;
";

fn compiled(source: &str) -> AST {
    Engine::new_raw().compile(source).unwrap_or_else(|why| panic!("{why}: {source}"))
}

fn checked(source: &str) -> AST {
    apply(&compiled(source)).unwrap_or_else(|at| panic!("{at:?}: {source}"))
}

/// How many nodes there are of a kind, those that are checked and the others.
fn count(ast: &AST, is_checked: impl Fn(&ASTNode<'_>) -> Option<bool>) -> (usize, usize) {
    let (mut with, mut without) = (0, 0);
    walk(ast, &mut |path: &[ASTNode<'_>]| {
        match path.last().and_then(&is_checked) {
            Some(true) => with += 1,
            Some(false) => without += 1,
            None => (),
        }
        true
    });
    (with, without)
}

fn is_node(expr: &Expr, check: Check) -> bool {
    matches!(expr, Expr::Custom(custom, _) if Check::from(&custom.state) == Some(check))
}

#[test]
fn a_switch_is_checked_wherever_it_is() {
    let switches = |ast: &AST| {
        count(ast, |node| match node {
            ASTNode::Stmt(Stmt::Switch(parts, _)) => Some(is_node(&parts.0, Check::Switch)),
            _ => None,
        })
    };
    let source = EVERYWHERE.replace("PLACE", "(switch a { 1 => 2 })");
    let (_, without) = switches(&compiled(&source));
    assert!(without > EVERYWHERE.matches("PLACE").count(), "each is found");
    assert_eq!(switches(&checked(&source)), (without, 0));
}

#[test]
fn a_text_is_checked_wherever_it_is() {
    let source = EVERYWHERE.replace("PLACE", "f(`${a}`)");
    let texts = |ast: &AST| {
        count(ast, |node| match node {
            ASTNode::Expr(Expr::InterpolatedString(segments, _)) => {
                Some(segments.iter().all(|segment| is_node(segment, Check::Text)))
            }
            _ => None,
        })
    };
    let (_, without) = texts(&compiled(&source));
    assert!(without > EVERYWHERE.matches("PLACE").count(), "each is found");
    assert_eq!(texts(&checked(&source)), (without, 0));
}

#[test]
fn currying_is_within_bounds_wherever_it_is() {
    let source = EVERYWHERE.replace("PLACE", "g.curry(a).curry(a).call()");
    let calls = |ast: &AST| {
        count(ast, |node| match node {
            ASTNode::Expr(Expr::MethodCall(call, _)) if call.name == "curry" => Some(false),
            ASTNode::Expr(Expr::MethodCall(call, _)) if call.name == node::CURRY => Some(true),
            _ => None,
        })
    };
    let (_, without) = calls(&compiled(&source));
    assert!(without > 2 * EVERYWHERE.matches("PLACE").count(), "each is found");
    assert_eq!(calls(&checked(&source)), (without, 0));
}

#[test]
fn an_assignment_is_checked_if_it_may_be_to_a_slice_and_of_something_long() {
    let kinds = |source: &str| {
        let mut found = Vec::new();
        walk(&checked(source), &mut |path: &[ASTNode<'_>]| {
            if let Some(ASTNode::Expr(Expr::Custom(custom, _))) = path.last() {
                found.extend(Check::from(&custom.state).filter(|check| *check != Check::Place));
            }
            true
        });
        found
    };
    let cases: [(&str, &[Check]); 20] = [
        ("a[1..2] = b", &[Check::Slice]),
        ("a[i..j] = b()", &[Check::Slice]),
        ("a.b[c].d[..3] = b", &[Check::Slice]),
        ("a[i] = b", &[Check::SliceBy]),
        ("a[i][j] = [b]", &[Check::SliceBy]),
        ("a.b.c[i] = #{}", &[Check::SliceBy]),
        ("a[f()] = b", &[Check::Index]),
        ("a[b[c]] = b", &[Check::Index]),
        ("a[f()][i] = b", &[Check::Index]),
        ("a[{ i = 1..2; 0 }][i] = b", &[Check::Index]),
        ("a[i] = 1", &[]),
        ("a[i] = \"x\"", &[]),
        ("a[i] = b * c", &[]),
        ("a[1] = b", &[]),
        ("a[i + 1] = b", &[]),
        ("a[\"x\"] = b", &[]),
        ("a.b = c", &[]),
        ("a[i].b = c", &[]),
        ("a[i] += b", &[]),
        ("a = b", &[]),
    ];
    for (source, checks) in cases {
        assert_eq!(kinds(&format!("{source}; 0..1")), checks, "{source}");
    }
    // Where no variable can hold a range, none of them is a slice.
    for (source, count) in [
        ("a[i] = b", 0),
        ("for k in 0..9 { a[k] = b; }", 0),
        ("for k in 0..=n { a[k] = b; }", 0),
        ("for k in 0..9 { let r = 1..2; a[r] = b; }", 1),
        ("for k in f(0..9) { a[k] = b; }", 1),
        ("fn f() { 0..9 } a[i] = b", 1),
        ("let r = loop { break 0..9 }; a[r] = b", 1),
        ("[1].map(|x| 0..x); a[i] = b", 1),
    ] {
        assert_eq!(kinds(source).len(), count, "{source}");
    }
}

#[test]
fn calls_have_at_most_32_arguments() {
    let call = |arguments: usize| format!("1;\n  f({})", vec!["1"; arguments].join(", "));
    assert!(apply(&compiled(&call(MAX_ARGUMENTS + 1))).is_ok());
    let wrong = apply(&compiled(&call(MAX_ARGUMENTS + 2))).expect_err("too many");
    assert_eq!(wrong.first().and_then(|at| at.line()), Some(2));
}

#[test]
fn functions_keep_what_they_are() {
    let source =
        "fn f(a, b) { `${a}` } private fn g() { switch 1 { 1 => 2 } } fn int.k(x) { `${x}` } fn e() { }";
    let describe = |ast: &AST| {
        let mut found: Vec<String> = ast.iter_functions().map(|f| format!("{f}")).collect();
        found.sort();
        found
    };
    assert_eq!(describe(&checked(source)), describe(&compiled(source)));
}
