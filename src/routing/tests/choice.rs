//! Which of an app's routes answers.

use super::*;

/// Compiles one app, which holds `a.local`, `*.a.local` and unclaimed hosts.
fn app(rules: &[&str]) -> Table {
    Apps::default().with("a", &["a.local", "*.a.local"], rules).table()
}

fn check(rules: &[&str], cases: &[(&str, &str)]) {
    let forwards = app(rules);
    let backwards = app(&rules.iter().rev().copied().collect::<Vec<_>>());
    for (request, expected) in cases {
        assert_eq!(told(&ask(&forwards, request)), *expected, "{request}");
        assert_eq!(told(&ask(&backwards, request)), *expected, "{request}, whatever came first");
    }
}

#[test]
fn an_exact_host_is_preferred_to_a_wildcard_and_that_to_any() {
    check(
        &["* x.b.a.local /p", "* *.b.a.local /p", "* *.a.local /p", "* - /p"],
        &[
            ("GET x.b.a.local/p", "* x.b.a.local /p"),
            ("GET y.b.a.local/p", "* *.b.a.local /p"),
            ("GET z.y.b.a.local/p", "* *.b.a.local /p"),
            ("GET b.a.local/p", "* *.a.local /p"),
            ("GET a.local/p", "* - /p"),
            ("GET elsewhere/p", "* - /p"),
        ],
    );
}

#[test]
fn the_host_decides_before_the_path_and_the_path_before_the_method() {
    check(
        &["* a.local /{x}", "GET - /p", "* - /q", "GET - /{x}"],
        &[
            ("GET a.local/p", "* a.local /{x} x=p"),
            ("GET b/p", "GET - /p"),
            ("GET b/q", "* - /q"),
            ("GET b/r", "GET - /{x} x=r"),
        ],
    );
}

#[test]
fn what_falls_short_in_a_later_step_gives_way_to_the_next() {
    check(
        &["POST a.local /p", "POST - /p/q", "GET - /{x}/q", "* - /p/**"],
        &[
            ("POST a.local/p", "POST a.local /p"),
            ("GET a.local/p", "* - /p** |"),
            ("POST b/p/q", "POST - /p/q"),
            ("GET b/p/q", "* - /p** |q"),
            ("GET b/r/q", "GET - /{x}/q x=r"),
            ("POST b/r/q", "405 GET,HEAD"),
        ],
    );
}

#[test]
fn segments_decide_from_the_left_literal_parameter_remainder_prefix() {
    check(
        &["* - /a/{x}", "* - /{y}/b", "* - /a/c", "* - /r/{*all}", "* - /r/**", "* - /**"],
        &[
            ("GET h/a/b", "* - /a/{x} x=b"),
            ("GET h/z/b", "* - /{y}/b y=z"),
            ("GET h/a/c", "* - /a/c"),
            ("GET h/a/c/", "* - /** |a/c/"),
            ("GET h/z/c", "* - /** |z/c"),
            ("GET h/r/x", "* - /r/{*all} all=x |x"),
            ("GET h/r/", "* - /r/{*all} all= |"),
            ("GET h/r", "* - /r** |"),
            ("GET h/", "* - /** |"),
        ],
    );
}

#[test]
fn a_branch_that_leads_nowhere_is_left_again() {
    check(
        &["* - /a/b/c", "* - /a/{x}/d", "* - /{x}/b/{*r}", "* - /{x}/{y}/e"],
        &[
            ("GET h/a/b/c", "* - /a/b/c"),
            ("GET h/a/b/d", "* - /a/{x}/d x=b"),
            ("GET h/a/b/e", "* - /{x}/b/{*r} x=a r=e |e"),
            ("GET h/a/z/e", "* - /{x}/{y}/e x=a y=z"),
            ("GET h/a/z/f", "404"),
        ],
    );
}

#[test]
fn an_exact_route_takes_its_path_from_a_prefix() {
    check(
        &["* - /api", "* - /api/**", "* - /api/x/"],
        &[
            ("GET h/api", "* - /api"),
            ("GET h/api/", "* - /api** |"),
            ("GET h/api/x", "* - /api** |x"),
            ("GET h/api/x/", "* - /api/x/"),
            ("GET h/apix", "404"),
        ],
    );
}

#[test]
fn a_named_method_is_preferred_to_any() {
    check(
        &["GET - /p", "* - /p", "HEAD - /p", "POST - /p"],
        &[
            ("GET h/p", "GET - /p"),
            ("POST h/p", "POST - /p"),
            ("HEAD h/p", "HEAD - /p"),
            ("PUT h/p", "* - /p"),
            ("PROPFIND h/p", "* - /p"),
        ],
    );
}

#[test]
fn only_the_wrong_method_is_405_with_what_is_allowed() {
    check(
        &["POST - /p", "GET - /{x}", "DELETE a.local /p", "PUT *.a.local /p"],
        &[
            ("PATCH h/p", "405 GET,HEAD,POST"),
            ("PATCH a.local/p", "405 GET,HEAD,POST,DELETE"),
            ("PATCH x.a.local/p", "405 GET,HEAD,POST,PUT"),
            ("OPTIONS h/p", "405 GET,HEAD,POST"),
            ("PROPFIND h/p", "405 GET,HEAD,POST"),
            ("PATCH h/p/q", "404"),
        ],
    );
}

#[test]
fn head_is_answered_from_get_or_any() {
    check(
        &["GET - /get", "* - /any", "POST - /post", "GET - /both", "* - /both"],
        &[
            ("HEAD h/get", "GET - /get"),
            ("HEAD h/any", "* - /any"),
            ("HEAD h/post", "405 POST"),
            ("HEAD h/both", "GET - /both"),
        ],
    );
}

#[test]
fn an_async_route_does_not_answer_head() {
    let mut apps = Apps::default().with("a", &[], &["GET - /get", "* - /any"]);
    for entry in &mut apps.0.entries {
        entry.dispatch_mode = DispatchMode::Async;
    }
    let table = apps.table();
    assert_eq!(told(&ask(&table, "GET h/get")), "GET - /get");
    assert_eq!(told(&ask(&table, "HEAD h/get")), "405 GET");
    assert_eq!(told(&ask(&table, "HEAD h/any")), "405 GET,POST,PUT,PATCH,DELETE,OPTIONS");
}

#[test]
fn options_goes_to_the_apps_own_routes() {
    check(&["OPTIONS - /p", "* - /q"], &[("OPTIONS h/p", "OPTIONS - /p"), ("OPTIONS h/q", "* - /q")]);
}

#[test]
fn what_a_wildcard_matches_is_bound() {
    check(
        &["* sub@*.a.local /{id}", "* *.a.local /x/**"],
        &[
            ("GET one.a.local/7", "* sub@*.a.local /{id} sub=one id=7"),
            ("GET one.two.a.local/7", "* sub@*.a.local /{id} sub=one.two id=7"),
            ("GET one.a.local/x/y", "* *.a.local /x** |y"),
            ("GET h/~a/7", "* sub@*.a.local /{id} sub=() id=7"),
        ],
    );
}

#[test]
fn by_slug_a_route_matches_whatever_its_host_rule() {
    check(
        &[
            "* x.b.a.local /p",
            "* *.b.a.local /p",
            "* *.a.local /p/{y}",
            "* *.b.a.local /{x}/{y}",
            "* - /p/q",
            "POST - /p/r",
        ],
        &[
            ("GET h/~a/p", "* x.b.a.local /p"),
            ("GET a.local/~a/p/q", "* *.b.a.local /{x}/{y} x=p y=q"),
            ("GET own/~a/p/q", "* *.b.a.local /{x}/{y} x=p y=q"),
            ("GET h/~a/", "404"),
        ],
    );
    check(
        &["GET x.a.local /p", "POST y.a.local /p"],
        &[("PUT h/~a/p", "405 GET,HEAD,POST"), ("POST h/~a/p", "POST y.a.local /p")],
    );
}

#[test]
fn segments_are_compared_decoded() {
    check(
        &["* - /a%20b", "* - /{x}/café"],
        &[("GET h/a%20b", "* - /a b"), ("GET h/1%252/caf%C3%A9", "* - /{x}/café x=1%2")],
    );
}
