//! Which app a request reaches.

use super::*;

fn machine() -> Apps {
    Apps::default()
        .with("default", &["home.local"], &["* - /", "* - /hello", "* - /{x}/{y}", "* - /all/**"])
        .with(
            "garden",
            &["garden.local", "*.plants.garden.local"],
            &["* - /water", "* garden.local /own", "* - /{x}"],
        )
        .once_called("yard")
        .with("empty", &["*.empty.local"], &[])
}

/// The slug of the app that answers and the path its script sees.
fn reached(request: &str) -> String {
    match ask(&machine().table(), request) {
        Answer::Route(found, path) => format!("{} {}", found.entry.app_slug, path.as_str()),
        other => told(&other),
    }
}

#[test]
fn a_host_reaches_the_app_that_claims_it_and_else_the_default() {
    for (request, expected) in [
        ("GET garden.local/water", "garden /water"),
        ("GET x.plants.garden.local/water", "garden /water"),
        ("GET y.x.plants.garden.local/water", "garden /water"),
        ("GET plants.garden.local/hello", "default /hello"),
        ("GET home.local/hello", "default /hello"),
        ("GET elsewhere.example/hello", "default /hello"),
        ("GET 192.168.1.7/hello", "default /hello"),
        ("GET own/hello", "default /hello"),
        ("GET /hello", "default /hello"),
        ("GET x.empty.local/hello", "404"),
        ("GET empty.local/hello", "default /hello"),
    ] {
        assert_eq!(reached(request), expected, "{request}");
    }
}

#[test]
fn the_machines_own_names_win_over_a_claim() {
    let table = Apps::default()
        .with("default", &[], &["* - /hello"])
        .with("thief", &["own"], &["* - /hello"])
        .table();
    match ask(&table, "GET own/hello") {
        Answer::Route(found, _) => assert_eq!(found.entry.app_slug.as_str(), "default"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_slug_reaches_its_app_on_any_host() {
    for (request, expected) in [
        ("GET own/~garden/water", "garden /water"),
        ("GET home.local/~garden/water", "garden /water"),
        ("GET elsewhere/~garden/own", "garden /own"),
        ("GET elsewhere/%7egarden/water", "garden /water"),
        ("GET garden.local/~default/hello", "default /hello"),
        ("GET own/~default/", "default /"),
        ("GET own/~default", "default /"),
        ("GET own/~nobody/water", "404"),
        ("GET own/~/water", "404"),
        ("GET own/~Garden/water", "404"),
        ("GET own/~garden/~default", "garden /~default"),
    ] {
        assert_eq!(reached(request), expected, "{request}");
    }
}

#[test]
fn an_old_slug_is_told_the_new_one() {
    assert_eq!(reached("GET own/~yard/water"), "308 garden");
    assert_eq!(reached("POST garden.local/~yard"), "308 garden");
}

#[test]
fn what_is_piclouds_own_is_never_handed_to_a_script_by_host() {
    for path in [
        "/admin/x",
        "/%61dmin/x",
        "/healthz/x",
        "/version/x",
        "/metrics/x",
        "/readyz/x",
        "/realtime/x",
        "/api/v1",
    ] {
        for host in ["own", "home.local", "elsewhere"] {
            assert_eq!(reached(&format!("GET {host}{path}")), "404");
        }
        assert_eq!(
            reached(&format!("GET own/~default{path}")),
            format!("default {path}").replace("%61", "a")
        );
    }
    assert_eq!(reached("GET own/api/orders"), "default /api/orders");
}

#[test]
fn an_explanation_says_why_and_tells_nothing_of_other_apps() {
    let apps = machine();
    let ids: Vec<(AppId, String)> = apps.0.apps.iter().map(|app| (app.id, app.slug.to_string())).collect();
    let table = apps.table();
    let app = |slug: &str| ids.iter().find(|(_, name)| name == slug).expect("an app").0;
    let explain = |slug: &str, request: &str| {
        let (method, address) = request.split_once(' ').expect("a method");
        let (host, path) = address.split_at(address.find('/').expect("a path"));
        let path = RequestPath::parse(path).expect("a good path");
        let asked = Asked { host, is_own: host == "own", method, path: &path };
        table.explain(app(slug), asked).map(|found| written(&found.entry.rule))
    };
    assert_eq!(explain("garden", "GET garden.local/water").as_deref(), Ok("* - /water"));
    assert_eq!(explain("garden", "GET own/~garden/own").as_deref(), Ok("* garden.local /own"));
    for (slug, request, word) in [
        ("garden", "GET home.local/water", "the host home.local does not lead to this app"),
        ("garden", "GET x/~default/hello", "the path does not address this app"),
        ("garden", "GET x/~nobody/hello", "the path does not address this app"),
        ("default", "GET x/~yard/hello", "the path does not address this app"),
        ("garden", "GET x/~yard/hello", "redirected to /~garden/"),
        ("garden", "GET garden.local/admin", "reserved"),
        ("garden", "GET garden.local/a/b", "no enabled route"),
    ] {
        let reason = explain(slug, request).expect_err(request);
        assert!(reason.contains(word), "{request}: {reason}");
    }
}
