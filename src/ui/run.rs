//! Running a script from its page: the text in the editor, with a request made up there.

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequestParts, State as AxumState},
    routing::post,
};
use bytes::Bytes;
use http::{StatusCode, request::Parts};
use maud::{Markup, html};

use super::editor::{self, Desk};
use crate::{
    access::{Capability, capability::needs::AppWriteScript},
    admin::{
        execute::{self, Asked},
        route::{self, Question},
    },
    base::{Error, FieldError, Result, id::ExecutionId, name::Source},
    engine::{self, BodyKind, Outcome},
    events::{What, settle},
    page::{
        Form, Page, Place, ScriptInApp, Visit,
        layout::Answer,
        parts::{self, Area, Input},
        time,
    },
    store::app::App,
    web::{Client, State, layers::RequestId, script_request},
};

/// The page, which is the script's with the outcome on it.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/scripts/{script}/run",
    place: Place::Nowhere,
    needs: Some(Capability::AppWriteScript),
    router,
};

/// The field of the request's method.
pub(super) const METHOD: &str = "run_method";
/// The field of the request's path and query.
pub(super) const PATH: &str = "run_path";
const HEADERS: &str = "run_headers";
const BODY: &str = "run_body";

/// The methods to choose from.
pub(super) const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// How much of a body the page shows.
const SHOWN: usize = 64 * 1024;

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/scripts/{script}/run", post(run))
}

/// What of the visitor's own request the script sees, and the log.
struct Origin {
    visit: Visit,
    client: Client,
    request_id: String,
}

impl FromRequestParts<State> for Origin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let id = parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
        Ok(Self {
            visit: Visit::from_request_parts(parts, state).await?,
            client: Client::from_request_parts(parts, state).await?,
            request_id: id.unwrap_or_default(),
        })
    }
}

async fn run(
    AxumState(state): AxumState<State>,
    scope: ScriptInApp<AppWriteScript>,
    origin: Origin,
    mut form: Form,
) -> Answer {
    let ran = match asked(&state, &scope, &origin, &mut form).await {
        Ok(asked) => execute::run(&state, (&scope.app, &scope.script), &scope.caller, asked).await,
        Err(error) => Err(error),
    };
    let (status, outcome) = match ran {
        Ok((id, outcome)) => (StatusCode::OK, Some(result(&scope.app, id, &outcome))),
        Err(error) => (form.refused(error)?, None),
    };
    editor::page(&state, &origin.visit, &scope, Desk { form: &form, outcome, status }).await
}

/// Reads the request a person made up, and which text is to run.
async fn asked(
    state: &State,
    scope: &ScriptInApp<AppWriteScript>,
    origin: &Origin,
    form: &mut Form,
) -> Result<Asked> {
    let source = form.read::<Source>("source");
    let headers = headers(form);
    let (path, query) = form.value(PATH).split_once('?').unwrap_or((form.value(PATH), ""));
    let (path, query) = (path.to_owned(), script_request::query(Some(query))?);
    let (source, headers) = form.done(source.zip(headers))?;
    let script = &scope.script;
    let (what, version) = if source.as_str() == script.source {
        (What::Version(script.id, script.version), Some(script.version))
    } else {
        (What::Draft(Arc::from(source.as_str())), None)
    };
    let content_type =
        headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    let raw = Bytes::copy_from_slice(form.value(BODY).as_bytes());
    let body = engine::body::decode_request(content_type, raw).await;
    let body =
        body.map_err(|why| Error::Invalid(vec![FieldError { field: BODY.to_owned(), message: why }]))?;
    let method = form.value(METHOD).to_ascii_uppercase();
    let path = if path.is_empty() { "/".to_owned() } else { path };
    let (params, rest) = bound(state, scope, (&method, &path)).await?;
    let request = engine::Request {
        method,
        path,
        params,
        rest,
        host: origin.visit.host().to_owned(),
        headers,
        query,
        body,
        remote_addr: origin.client.address.to_string(),
    };
    Ok(Asked { what, version, request, request_id: origin.request_id.clone() })
}

/// What a route that leads here would bind for this request; nothing if none does.
async fn bound(
    state: &State,
    scope: &ScriptInApp<AppWriteScript>,
    (method, path): (&str, &str),
) -> Result<(Vec<(String, Option<String>)>, Option<String>)> {
    let address = format!("/~{}{path}", scope.app.slug);
    let Ok(question) = Question::new("localhost", method, &address) else { return Ok((Vec::new(), None)) };
    Ok(match route::explain(state, scope.app.id, &question).await? {
        Ok((route, found)) if route.script_id == scope.script.id => (found.params, found.rest),
        _ => (Vec::new(), None),
    })
}

/// Reads headers, one `name: value` on each line.
fn headers(form: &mut Form) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    let mut wrong = None;
    for line in form.value(HEADERS).lines().filter(|line| !line.trim().is_empty()) {
        match line.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => {
                headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => wrong = Some(format!("`{line}` is not of the form name: value")),
        }
    }
    // What is not said is guessed as a person would: braces and brackets are JSON.
    let body = form.value(BODY).trim_start();
    if !body.is_empty() && !headers.iter().any(|(name, _)| name == "content-type") {
        let guess = if body.starts_with(['{', '[', '"']) { "application/json" } else { "text/plain" };
        headers.push(("content-type".to_owned(), guess.to_owned()));
    }
    match wrong {
        Some(why) => {
            form.wrong(HEADERS, why);
            None
        }
        None => Some(headers),
    }
}

/// The part of a script's page that runs it; it lies within the editor's form.
pub(super) fn panel(here: &str, form: &Form, outcome: Option<&Markup>) -> Markup {
    let methods: Vec<(String, String)> =
        METHODS.iter().map(|method| ((*method).to_owned(), (*method).to_owned())).collect();
    html! {
        section.card.run aria-labelledby="run" {
            h2 #run { "Run" }
            p.hint { "Runs the text as it stands in the editor, saved or not. Parameters come from the route the path has." }
            div.columns.narrow-first {
                (parts::select(form, (METHOD, "Method"), &methods))
                (parts::input(form, &Input { name: PATH, label: "Path and query", optional: true, ..Input::default() }))
            }
            (parts::area(form, &Area {
                name: HEADERS, label: "Headers", hint: "One name: value on each line.", rows: 2, code: true,
            }))
            (parts::area(form, &Area { name: BODY, label: "Body", rows: 4, code: true, ..Area::default() }))
            button.quiet formaction={ (here) "/run#outcome" } formnovalidate { "Run" }
            @if let Some(outcome) = outcome { (outcome) }
        }
    }
}

/// What a run came to.
fn result(app: &App, id: ExecutionId, outcome: &Outcome) -> Markup {
    let answer = settle::answer(outcome);
    html! {
        div #outcome role="status" {
            h3 { "Outcome " (parts::status(settle::status(outcome))) }
            p.hint {
                (time::milliseconds(outcome.duration.as_secs_f64() * 1000.0)) " · "
                (time::counted(i64::try_from(outcome.operations).unwrap_or(i64::MAX), "operation")) " · "
                a href={ "/admin/apps/" (app.slug) "/logs/" (id) } { "execution" }
            }
            @match answer {
                Ok(response) => (shown(response)),
                Err(failure) => (failed(failure)),
            }
            @if !outcome.logs.is_empty() { (logged(outcome)) }
        }
    }
}

fn shown(response: &engine::Response) -> Markup {
    html! {
        @if !response.headers.is_empty() {
            pre.headers {
                @for (name, value) in &response.headers {
                    (name) ": " (String::from_utf8_lossy(value.as_bytes())) "\n"
                }
            }
        }
        @match response.body_kind {
            BodyKind::Empty => p.hint { "No body." },
            _ => (text_of(&response.body)),
        }
    }
}

fn text_of(body: &[u8]) -> Markup {
    html! {
        @match std::str::from_utf8(body) {
            Ok(text) => {
                pre.body { (crate::base::name::truncated(text.to_owned(), SHOWN)) }
                @if text.len() > SHOWN { p.hint { "The first " (SHOWN / 1024) " KiB of " (body.len()) " bytes." } }
            },
            Err(_) => p.hint { (body.len()) " bytes that are no text." },
        }
    }
}

fn failed(failure: &engine::Failure) -> Markup {
    let error = settle::error(failure);
    html! {
        p.message.bad { (super::log::place(&error)) (parts::sentence(&error.message)) " " (parts::badge("bad", &error.kind)) }
    }
}

fn logged(outcome: &Outcome) -> Markup {
    html! {
        h3 { "Log" }
        ul.log {
            @for line in &outcome.logs {
                li {
                    span.level.(line.level.name()) { (line.level.name()) } " " (line.message)
                    @if let Some(fields) = &line.fields { " " code { (fields) } }
                }
            }
        }
        @if outcome.lost_log_lines > 0 { p.hint { (outcome.lost_log_lines) " older lines did not fit." } }
    }
}
