//! Rhai's functions as scripts meet them here: the same answers, within bounds.

mod hostile;
mod same;

use super::*;

#[test]
fn functions_see_constants_and_each_other_as_ever() {
    let source = "const K = 5; fn f() { global::K + `${1}`.len() } fn g() { `${f()}` } [f(), g()]";
    assert_eq!(answer(source), "[6,\"6\"]");
}

#[test]
fn an_error_in_a_checked_place_says_where_it_is() {
    for (source, line, column) in [
        ("1;\nlet s = `${[1].x()}`;", 2, 16),
        ("fn f() {\n  `${nothing}`\n}\nf()", 2, 6),
        ("let f = |x| {\n switch x.y.z { 1 => 2 }\n};\nf.call(1)", 2, 11),
    ] {
        let failure = failure_of(run(source));
        assert_eq!((failure.line, failure.column), (Some(line), Some(column)), "{source}: {failure:?}");
    }
}
