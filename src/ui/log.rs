//! One execution: how each attempt ended, and what its script logged.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::get,
};
use maud::{Markup, html};

use crate::{
    access::{Capability, capability::needs::AppLogRead},
    base::{Error, Result, id::ExecutionId},
    page::{
        Page, Place, Visit,
        layout::{Answer, Frame},
        parts, time,
    },
    store::{
        app::App,
        execution::{self, Attempt, AttemptError, AttemptLogs},
        script,
    },
    web::{InApp, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/logs/{execution}",
    place: Place::Nowhere,
    needs: Some(Capability::AppLogRead),
    router,
};

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/logs/{execution}", get(show))
}

/// The execution's id in the path.
#[derive(serde::Deserialize)]
struct Named {
    execution: String,
}

async fn show(
    AxumState(state): AxumState<State>,
    scope: InApp<AppLogRead>,
    visit: Visit,
    Path(named): Path<Named>,
) -> Answer {
    let InApp { app, caller, .. } = scope;
    let not_found = || Error::NotFound("execution".to_owned());
    let id: ExecutionId = named.execution.parse().map_err(|_| not_found())?;
    state.recorder.flush().await;
    let attempts = execution::get(&state.db, app.id, id).await?;
    let (last, _) = attempts.last().ok_or_else(not_found)?;
    let script = script_name(&state, last).await?;
    let main = html! {
        (facts(&app, last, script.as_deref()))
        @for (attempt, logs) in &attempts { (section(attempt, logs, attempts.len())) }
    };
    let above = format!("/admin/apps/{}/logs", app.slug);
    let frame = Frame::new(&visit, &caller, "Execution").in_app(&app).below(&above, "Log");
    Ok(frame.around(&main).into_response())
}

/// The name of the script that ran, if it is still there.
async fn script_name(state: &State, attempt: &Attempt) -> Result<Option<String>> {
    let script = script::get(&state.db, attempt.script_id).await?;
    Ok(script.filter(|script| script.app_id == attempt.app_id).map(|script| script.name.to_string()))
}

fn facts(app: &App, last: &Attempt, script: Option<&str>) -> Markup {
    html! {
        dl.facts {
            dt { "Id" } dd { code { (last.execution_id) } }
            dt { "Script" }
            dd {
                @match script {
                    Some(name) => a href={ "/admin/apps/" (app.slug) "/scripts/" (last.script_id) } { (name) },
                    None => "(deleted)",
                }
                @match last.script_version {
                    Some(version) => { ", version " (version) },
                    None => ", a text that was not saved",
                }
            }
            dt { "Came by" } dd { (last.source) }
            @if let Some(principal) = &last.principal { dt { "On behalf of" } dd { (principal) } }
            @if let Some(summary) = &last.request_summary { dt { "Request" } dd { code { (summary) } } }
            @if last.root_execution_id != last.execution_id {
                dt { "Caused by" }
                dd { a href={ "/admin/apps/" (app.slug) "/logs/" (last.root_execution_id) } { (last.root_execution_id) } }
            }
        }
    }
}

fn section(attempt: &Attempt, logs: &AttemptLogs, of: usize) -> Markup {
    html! {
        section.card aria-label={ "Attempt " (attempt.attempt) } {
            h2 {
                @if of > 1 { "Attempt " (attempt.attempt) " " } @else { "Outcome " }
                (parts::status(attempt.status.unsigned_abs()))
            }
            p.hint {
                (time::ago(attempt.started_at)) " · " (time::milliseconds(attempt.duration_ms)) " · "
                (time::counted(attempt.operations, "operation"))
                @if let Some(summary) = &attempt.response_summary { " · " (summary) }
            }
            @if let Some(error) = &attempt.error {
                p.message.bad { (place(error)) (parts::sentence(&error.message)) " " (parts::badge("bad", &error.kind)) }
            }
            (lines(logs))
        }
    }
}

/// Where in the script an error was, to stand before its message.
pub(super) fn place(error: &AttemptError) -> String {
    match (error.line, error.column) {
        (Some(line), Some(column)) => format!("Line {line}, column {column}: "),
        (Some(line), None) => format!("Line {line}: "),
        _ => String::new(),
    }
}

/// A line of the log as it is stored.
#[derive(serde::Deserialize)]
struct Line {
    at: String,
    level: String,
    message: String,
    fields: Option<Box<serde_json::value::RawValue>>,
}

fn lines(logs: &AttemptLogs) -> Markup {
    // What a newer release may have written otherwise is shown as it is.
    let lines: Result<Vec<Line>, _> = serde_json::from_str(logs.logs.get());
    html! {
        @match lines {
            Err(_) => pre { (logs.logs.get()) },
            Ok(lines) if lines.is_empty() => p.hint { "The script logged nothing." },
            Ok(lines) => {
                ul.log {
                    @for line in &lines {
                        li {
                            span.level.(level(&line.level)) title=(line.at) { (line.level) } " " (line.message)
                            @if let Some(fields) = &line.fields { " " code { (fields.get()) } }
                        }
                    }
                }
            },
        }
        @if logs.lost_log_lines > 0 { p.hint { (logs.lost_log_lines) " older lines did not fit." } }
    }
}

/// The class of a level, of those the style sheet knows.
fn level(level: &str) -> &'static str {
    match level {
        "error" => "error",
        "warn" => "warn",
        "info" => "info",
        _ => "debug",
    }
}
