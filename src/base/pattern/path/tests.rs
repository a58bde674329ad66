//! Each sentence of the specification on route paths, as a table.

use super::{PathKind, PathPattern, RequestPath};

use PathKind::{Exact, Param, Prefix};

fn pattern(kind: PathKind, text: &str) -> Result<PathPattern, String> {
    PathPattern::parse(kind, text)
}

#[test]
fn a_pattern_has_one_spelling_and_one_shape() -> Result<(), String> {
    for (kind, text, canonical, shape) in [
        (Exact, "/", "/", "/"),
        (Exact, "/a/b", "/a/b", "/a/b"),
        (Exact, "/a/", "/a/", "/a/"),
        (Exact, "/%61%20b", "/a b", "/a b"),
        (Exact, "/caf%C3%A9", "/café", "/café"),
        (Exact, "/100%25", "/100%25", "/100%25"),
        (Exact, "/%7bx%7D", "/%7Bx%7D", "/%7Bx%7D"),
        (Exact, "/a%3Fb%23", "/a%3Fb%23", "/a%3Fb%23"),
        (Exact, "/a%0a", "/a%0A", "/a%0A"),
        (Exact, "/api", "/api", "/api"),
        (Exact, "/api/orders", "/api/orders", "/api/orders"),
        (Prefix, "/", "/", "{/}"),
        (Prefix, "/a", "/a", "/a{/}"),
        (Prefix, "/a/", "/a", "/a{/}"),
        (Param, "/users/{id}", "/users/{id}", "/users/{}"),
        (Param, "/users/{id}/", "/users/{id}/", "/users/{}/"),
        (Param, "/{a}/{b}", "/{a}/{b}", "/{}/{}"),
        (Param, "/{*rest}", "/{*rest}", "/{*}"),
        (Param, "/a/{x}/{*rest}", "/a/{x}/{*rest}", "/a/{}/{*}"),
        (Param, "/plain", "/plain", "/plain"),
        (Param, "/%7Bid%7D", "/%7Bid%7D", "/%7Bid%7D"),
    ] {
        let parsed = pattern(kind, text)?;
        assert_eq!((parsed.to_string().as_str(), parsed.shape().as_str()), (canonical, shape), "{text}");
        assert_eq!(pattern(kind, canonical)?, parsed, "{text} reads back");
    }
    Ok(())
}

#[test]
fn what_is_no_pattern_is_told_what_is_allowed() {
    for (kind, text, word) in [
        (Exact, "", "begin with a slash"),
        (Exact, "a", "begin with a slash"),
        (Exact, "//", "empty segment"),
        (Exact, "/a//b", "empty segment"),
        (Prefix, "/a//", "empty segment"),
        (Exact, "/a/../b", ".. segments"),
        (Exact, "/%2e", ".. segments"),
        (Exact, "/a%2Fb", "%2F"),
        (Exact, "/%00", "%00"),
        (Exact, "/100%", "hexadecimal"),
        (Exact, "/%ff", "UTF-8"),
        (Exact, "/a?b=1", "path alone"),
        (Exact, "/a#b", "path alone"),
        (Exact, "/users/{id}", "path_kind param"),
        (Prefix, "/users/{id}", "path_kind param"),
        (Exact, "/a}", "path_kind param"),
        (Param, "/file-{id}", "whole segment"),
        (Param, "/{id}.json", "whole segment"),
        (Param, "/{a}{b}", "parameter's name"),
        (Param, "/{", "whole segment"),
        (Param, "/{}", "parameter's name"),
        (Param, "/{1}", "parameter's name"),
        (Param, "/{*}", "parameter's name"),
        (Param, "/{a b}", "parameter's name"),
        (Param, "/{*rest}/x", "last segment"),
        (Param, "/{*rest}/", "last segment"),
        (Param, "/{id}/{id}", "twice"),
        (Param, "/{id}/{*id}", "twice"),
        (Exact, "/admin", "reserved"),
        (Exact, "/%61dmin", "reserved"),
        (Prefix, "/admin/x", "reserved"),
        (Param, "/healthz/{x}", "reserved"),
        (Exact, "/readyz", "reserved"),
        (Exact, "/version", "reserved"),
        (Exact, "/metrics", "reserved"),
        (Prefix, "/realtime", "reserved"),
        (Exact, "/api/v1", "reserved"),
        (Prefix, "/api/v1/", "reserved"),
        (Param, "/api/v1/{x}", "reserved"),
        (Exact, "/~garden", "addresses an app"),
        (Prefix, "/%7Egarden/x", "addresses an app"),
        (Exact, &format!("/{}", "x".repeat(2048)), "at most"),
        (Exact, &"/x".repeat(33), "at most"),
    ] {
        let error = pattern(kind, text).expect_err(text);
        assert!(error.contains(word), "{text}: {error}");
    }
}

/// What `kind path` binds in `raw`: `name=text` pairs and the rest, or none.
fn bound(kind: PathKind, path: &str, raw: &str) -> Option<String> {
    let pattern = pattern(kind, path).expect(path);
    let request = RequestPath::parse(raw).expect(raw);
    let bound = pattern.bind(&request)?;
    let params: Vec<String> = bound.params.iter().map(|(name, text)| format!("{name}={text}")).collect();
    let rest = bound.rest.map(|rest| format!("|{rest}")).unwrap_or_default();
    Some(params.join(",") + rest.as_str())
}

#[test]
fn a_pattern_matches_what_its_kind_says() {
    for (kind, path, raw, expected) in [
        (Exact, "/", "/", Some("")),
        (Exact, "/a", "/a", Some("")),
        (Exact, "/a", "/a/", None),
        (Exact, "/a/", "/a", None),
        (Exact, "/a", "/A", None),
        (Exact, "/a b", "/a%20b", Some("")),
        (Exact, "/100%25", "/100%25", Some("")),
        (Prefix, "/api", "/api", Some("|")),
        (Prefix, "/api", "/api/", Some("|")),
        (Prefix, "/api", "/api/x", Some("|x")),
        (Prefix, "/api", "/api/x/y/", Some("|x/y/")),
        (Prefix, "/api", "/apix", None),
        (Prefix, "/api", "/", None),
        (Prefix, "/", "/", Some("|")),
        (Prefix, "/", "/a/b", Some("|a/b")),
        (Param, "/users/{id}", "/users/7", Some("id=7")),
        (Param, "/users/{id}", "/users/a%20b", Some("id=a b")),
        (Param, "/users/{id}", "/users/", None),
        (Param, "/users/{id}", "/users", None),
        (Param, "/users/{id}", "/users/7/", None),
        (Param, "/users/{id}/", "/users/7/", Some("id=7")),
        (Param, "/{a}/{b}", "/x/y", Some("a=x,b=y")),
        (Param, "/f/{*rest}", "/f/x/y", Some("rest=x/y|x/y")),
        (Param, "/f/{*rest}", "/f/x%20/", Some("rest=x /|x /")),
        (Param, "/f/{*rest}", "/f/", Some("rest=|")),
        (Param, "/f/{*rest}", "/f", None),
        (Param, "/{*rest}", "/", Some("rest=|")),
        (Param, "/{a}/{*rest}", "/x/y/z", Some("a=x,rest=y/z|y/z")),
    ] {
        assert_eq!(bound(kind, path, raw).as_deref(), expected, "{path} for {raw}");
    }
}
