//! The table against each sentence of the specification, and against a
//! reference that knows nothing of trees.

mod apps;
mod choice;
mod reference;

use std::time::Duration;

use super::{Answer, Asked, Entry, Script, Source, Table};
use crate::{
    base::{
        id::{AppId, RouteId, ScriptId},
        name::Slug,
        pattern::{HostKind, HostRule, PathKind, RequestPath, RouteRule, RuleText},
    },
    store::{
        route::{AppRow, DispatchMode},
        script::Sandbox,
    },
};

/// Reads a rule written as `METHOD host path`: `*` is any method, `-` any
/// host; a path that ends in `**` is a prefix, one with braces has parameters.
/// A wildcard's parameter stands before it: `sub@*.a.local`.
fn rule(text: &str) -> RouteRule {
    let mut parts = text.split_whitespace();
    let (method, host, path) = (parts.next(), parts.next().expect("a host"), parts.next().expect("a path"));
    let (param, host) = match host.split_once('@') {
        Some((param, host)) => (Some(param), host),
        None => (None, host),
    };
    let host_kind = match host {
        "-" => HostKind::Any,
        _ if host.starts_with("*.") => HostKind::Wildcard,
        _ => HostKind::Exact,
    };
    let path_kind = match path {
        _ if path.ends_with("**") => PathKind::Prefix,
        _ if path.contains('{') => PathKind::Param,
        _ => PathKind::Exact,
    };
    let text = RuleText {
        host_kind,
        host: Some(host).filter(|host| *host != "-"),
        host_param_name: param,
        path_kind,
        path: path.trim_end_matches("**"),
        method: method.filter(|method| *method != "*"),
    };
    RouteRule::parse(text).expect("a rule")
}

/// Writes a rule as [`rule`] reads it, so that a test can name a route by it.
fn written(rule: &RouteRule) -> String {
    let method = rule.method.map_or("*", |method| method.as_str());
    let host = match &rule.host {
        HostRule::Wildcard { name, param: Some(param) } => format!("{param}@*.{name}"),
        other => other.pattern().map_or("-".to_owned(), |pattern| pattern.to_string()),
    };
    let end = if rule.path.kind() == PathKind::Prefix { "**" } else { "" };
    format!("{method} {host} {}{end}", rule.path)
}

fn entry(app: (AppId, &Slug), rule: RouteRule) -> Entry {
    Entry {
        id: RouteId::new(),
        app_id: app.0,
        app_slug: app.1.clone(),
        script: Script {
            id: ScriptId::new(),
            name: "script".parse().expect("a name"),
            version: 1,
            timeout: Duration::from_secs(30),
            sandbox: Sandbox::default(),
        },
        rule,
        dispatch_mode: DispatchMode::Sync,
    }
}

/// What to compile, put together app by app; the first app is the default.
#[derive(Default)]
struct Apps(Source);

impl Apps {
    /// Adds an app with its domains and routes.
    fn with(mut self, slug: &str, domains: &[&str], rules: &[&str]) -> Self {
        let (id, slug): (AppId, Slug) = (AppId::new(), slug.parse().expect("a slug"));
        let is_default = self.0.apps.is_empty();
        self.0.apps.push(AppRow { id, slug: slug.clone(), is_default, cors: None });
        self.0.domains.extend(domains.iter().map(|domain| (id, domain.parse().expect("a domain"))));
        self.0.entries.extend(rules.iter().map(|text| entry((id, &slug), rule(text))));
        self
    }

    /// Lets an old slug lead to the app added last.
    fn once_called(mut self, slug: &str) -> Self {
        let id = self.0.apps.last().expect("an app").id;
        self.0.old_slugs.push((slug.parse().expect("a slug"), id));
        self
    }

    fn table(self) -> Table {
        Table::new(self.0)
    }
}

/// Asks with `METHOD host/path`; the host `own` is the machine itself.
fn ask(table: &Table, request: &str) -> Answer {
    let (method, address) = request.split_once(' ').expect("a method");
    let (host, path) = address.split_at(address.find('/').expect("a path"));
    let path = RequestPath::parse(path).expect("a good path");
    table.look_up(Asked { host, is_own: host == "own", method, path: &path })
}

/// An answer in one line: the app, the rule, what was bound and the rest; or
/// the allowed methods; or the new slug.
fn told(answer: &Answer) -> String {
    match answer {
        Answer::Route(found, _) => {
            let params = found.params.iter().map(|(name, text)| match text {
                Some(text) => format!(" {name}={text}"),
                None => format!(" {name}=()"),
            });
            let rest = found.rest.as_ref().map(|rest| format!(" |{rest}")).unwrap_or_default();
            format!("{}{}{rest}", written(&found.entry.rule), params.collect::<String>())
        }
        Answer::MethodNotAllowed(allow) => {
            let allow: Vec<&str> = allow.iter().map(|method| method.as_str()).collect();
            format!("405 {}", allow.join(","))
        }
        Answer::Renamed(slug) => format!("308 {slug}"),
        Answer::Nothing => "404".to_owned(),
    }
}
