//! The form for a new route.

use maud::{Markup, html};

use crate::{
    access::capability::needs::AppWriteRoute,
    admin,
    base::{
        Error, Result,
        id::ScriptId,
        pattern::{HostKind, PathKind, RouteRule, RuleText},
    },
    page::{
        Form,
        parts::{self, Input},
    },
    store::{
        route::{DispatchMode, NewRoute, Route},
        script::{self, Script},
    },
    web::{InApp, State},
};

/// The kinds of path: value, and what it means.
const PATHS: [(&str, &str); 3] = [
    ("exact", "This path alone"),
    ("prefix", "This path and all below it"),
    ("param", "With parameters: /users/{id}, /files/{*rest}"),
];

/// The kinds of host: value, and what it means.
const HOSTS: [(&str, &str); 3] = [
    ("any", "Every host of the app"),
    ("exact", "This host alone"),
    ("wildcard", "Every host below this name"),
];

/// The methods: value, and what it means.
const METHODS: [(&str, &str); 8] = [
    ("", "any"),
    ("GET", "GET"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
    ("HEAD", "HEAD"),
    ("OPTIONS", "OPTIONS"),
];

/// What the caller waits for: value, and what it means.
const MODES: [(&str, &str); 2] =
    [("sync", "The script's answer"), ("async", "202 at once: the script runs later, and again if it fails")];

/// Makes the route the form describes.
pub(super) async fn created(state: &State, scope: &InApp<AppWriteRoute>, form: &mut Form) -> Result<Route> {
    let app = &scope.app;
    let script_id = form.read::<ScriptId>("script_id");
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (host, param) = (some(form.value("host")), some(form.value("host_param_name")));
    let method = some(form.value("method"));
    let rule = RouteRule::parse(RuleText {
        host_kind: host_kind(form.value("host_kind")),
        host: host.as_deref(),
        host_param_name: param.as_deref(),
        path_kind: path_kind(form.value("path_kind")),
        path: form.value("path"),
        method: method.as_deref(),
    });
    let rule = rule.map_err(Error::Invalid)?;
    let script_id = form.done(script_id)?;
    let script = script::get(&state.db, script_id).await?.filter(|script| script.app_id == app.id);
    let script = script.ok_or_else(|| Error::invalid("script_id", "must be a script of this app"))?;
    let dispatch_mode = match form.value("dispatch_mode") {
        "async" => DispatchMode::Async,
        _ => DispatchMode::Sync,
    };
    let new = NewRoute { app_id: app.id, script_id: script.id, rule, dispatch_mode, enabled: true };
    admin::route::create(state, &scope.caller, &new).await
}

fn host_kind(value: &str) -> HostKind {
    match value {
        "exact" => HostKind::Exact,
        "wildcard" => HostKind::Wildcard,
        _ => HostKind::Any,
    }
}

fn path_kind(value: &str) -> PathKind {
    match value {
        "prefix" => PathKind::Prefix,
        "param" => PathKind::Param,
        _ => PathKind::Exact,
    }
}

/// Draws the form.
pub(super) fn panel(here: &str, form: &Form, scripts: &[Script]) -> Markup {
    let named: Vec<(String, String)> =
        scripts.iter().map(|script| (script.id.to_string(), script.name.to_string())).collect();
    // Closed unless somebody wrote into it: most routes answer on every host.
    let hosts_open = !matches!(form.value("host_kind"), "" | "any") || form.error("host").is_some();
    html! {
            section aria-labelledby="new-route" {
                h2 #new-route { "Add a route" }
                @if scripts.is_empty() {
                    p.hint { "First write a script for it to lead to." }
                } @else {
                    form.card method="post" action=(here) {
    (parts::token())
                        (parts::troubles(form))
                        (parts::select(form, ("script_id", "Script"), &named))
                        div.columns.narrow-first {
                            (parts::select(form, ("method", "Method"), &owned(&METHODS)))
                            (parts::input(form, &Input { name: "path", label: "Path, such as /hello", ..Input::default() }))
                        }
                        (parts::select(form, ("path_kind", "Which paths"), &owned(&PATHS)))
                        (parts::select(form, ("dispatch_mode", "What the caller gets"), &owned(&MODES)))
                        details open[hosts_open] {
                            summary { "Only on some hosts" }
                            (parts::select(form, ("host_kind", "Which hosts"), &owned(&HOSTS)))
                            (parts::input(form, &Input {
                                name: "host", label: "Host", optional: true,
                                hint: "garden.local, or *.garden.local. A domain of the app must cover it.",
                                ..Input::default()
                            }))
                            (parts::input(form, &Input {
                                name: "host_param_name", label: "Parameter for what stands before it (optional)",
                                optional: true, ..Input::default()
                            }))
                        }
                        button { "Add route" }
                    }
                }
            }
        }
}

fn owned(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect()
}
