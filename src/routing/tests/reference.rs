//! The tree answers as a plain search over all routes would.

use proptest::prelude::*;

use super::*;
use crate::base::pattern::{End, Method, PathPattern, Segment};

/// How a path matches, segment by segment: the lower, the more specific.
/// None if it does not match.
fn path_rank(pattern: &PathPattern, path: &str) -> Option<Vec<u8>> {
    let asked: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let mut rank = Vec::new();
    for (at, segment) in pattern.segments().iter().enumerate() {
        let text = asked.get(at)?;
        rank.push(match segment {
            Segment::Literal(literal) if literal == text => 0,
            Segment::Param(_) if !text.is_empty() => 1,
            Segment::Literal(_) | Segment::Param(_) => return None,
        });
    }
    let left = asked.len() - rank.len();
    match pattern.end() {
        End::Here if left > 0 => return None,
        End::Here => {}
        End::Remainder(_) if left == 0 => return None,
        End::Remainder(_) => rank.push(2),
        End::Prefix => rank.push(3),
    }
    Some(rank)
}

/// The host rule's rank on a host: exact, the longest wildcard, any.
fn host_rank(rule: &HostRule, host: &str) -> Option<usize> {
    match rule {
        HostRule::Exact(name) => (name.as_str() == host).then_some(0),
        HostRule::Wildcard { name, .. } => {
            host.ends_with(&format!(".{name}")).then(|| 1000 - name.as_str().len())
        }
        HostRule::Any => Some(1000),
    }
}

fn method_rank(named: Option<Method>, asked: &str) -> Option<u8> {
    match (named.map(Method::as_str), asked) {
        (Some(named), asked) if named == asked => Some(0),
        (Some("GET"), "HEAD") => Some(1),
        (None, _) => Some(2),
        (Some(_), _) => None,
    }
}

/// What a search over all rules says.
fn search(rules: &[RouteRule], method: &str, host: &str, path: &str) -> String {
    let place = |rule: &RouteRule| Some((host_rank(&rule.host, host)?, path_rank(&rule.path, path)?));
    let best = rules
        .iter()
        .filter_map(|rule| Some(((place(rule)?, method_rank(rule.method, method)?), rule)))
        .min_by(|(a, _), (b, _)| a.cmp(b));
    if let Some((_, rule)) = best {
        return written(rule);
    }
    let known: Vec<&RouteRule> = rules.iter().filter(|rule| place(rule).is_some()).collect();
    let allow: Vec<&str> = Method::all()
        .map(Method::as_str)
        .filter(|method| known.iter().any(|rule| method_rank(rule.method, method).is_some()))
        .collect();
    if allow.is_empty() { "404".to_owned() } else { format!("405 {}", allow.join(",")) }
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "{x}"])
}

/// Paths over few letters, so that they meet: exact, with parameters and
/// remainders, prefixes, some with a trailing slash.
fn path() -> impl Strategy<Value = String> {
    let end = prop::sample::select(vec!["", "", "/", "/{*r}", "/**"]);
    (prop::collection::vec(segment(), 0..4), end).prop_map(|(segments, end)| {
        let mut names = 0;
        let segments = segments.iter().map(|segment| {
            names += usize::from(*segment == "{x}");
            format!("/{}", segment.replace('x', &format!("x{names}")))
        });
        let path = segments.collect::<String>();
        // Parameters and a prefix are of different kinds.
        let end = if end == "/**" && path.contains('{') { "/{*r}" } else { end };
        if path.is_empty() && end.is_empty() { "/".to_owned() } else { path + end }
    })
}

fn rule_text() -> impl Strategy<Value = String> {
    let host =
        prop::sample::select(vec!["-", "-", "a.local", "b.a.local", "*.a.local", "*.b.a.local", "*.local"]);
    let method = prop::sample::select(vec!["*", "GET", "POST", "HEAD"]);
    (method, host, path()).prop_map(|(method, host, path)| format!("{method} {host} {path}"))
}

fn request() -> impl Strategy<Value = (&'static str, &'static str, String)> {
    let host =
        prop::sample::select(vec!["a.local", "b.a.local", "c.b.a.local", "x.local", "elsewhere", "local"]);
    let method = prop::sample::select(vec!["GET", "POST", "HEAD", "PUT", "OPTIONS"]);
    let path = (prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d"]), 0..5), any::<bool>());
    let path = path.prop_map(|(segments, slash)| {
        let path = format!("/{}", segments.join("/"));
        if slash && !segments.is_empty() { path + "/" } else { path }
    });
    (method, host, path)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn the_tree_answers_as_a_search_would(
        texts in prop::collection::vec(rule_text(), 0..40),
        requests in prop::collection::vec(request(), 1..40),
    ) {
        let mut rules: Vec<RouteRule> = texts.iter().map(|text| rule(text)).collect();
        // The database keeps one route of each host, shape and method.
        rules.sort_by_key(|rule| (rule.host.pattern(), rule.path.shape(), rule.method));
        rules.dedup_by_key(|rule| (rule.host.pattern(), rule.path.shape(), rule.method));
        let texts: Vec<String> = rules.iter().map(written).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let table = Apps::default().with("a", &["*.local"], &texts).table();
        for (method, host, path) in requests {
            let answer = ask(&table, &format!("{method} {host}{path}"));
            let told = match &answer {
                Answer::Route(found, _) => written(&found.entry.rule),
                other => told(other),
            };
            prop_assert_eq!(told, search(&rules, method, host, &path), "{} {}{}", method, host, path);
        }
    }

    #[test]
    fn no_path_makes_the_parser_panic(raw in "[/a-b.%0-9A-F~{}*]{0,20}|.{0,20}") {
        if let Ok(path) = RequestPath::parse(&raw) {
            prop_assert!(!path.as_str().contains('\0'));
            prop_assert_eq!(path.as_str().matches('/').count(), raw.matches('/').count());
        }
    }

    #[test]
    fn a_pattern_reads_back_as_it_was_written(raw in "(/([a-c{}*%?# ]|%[2-7][0-9A-F]|\\{[a-c]\\}|é){0,4}){1,4}") {
        for kind in [PathKind::Exact, PathKind::Prefix, PathKind::Param] {
            if let Ok(pattern) = PathPattern::parse(kind, &raw) {
                prop_assert_eq!(PathPattern::parse(kind, &pattern.to_string()), Ok(pattern));
            }
        }
    }
}
