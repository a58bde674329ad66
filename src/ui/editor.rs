//! One script: its source to change, its settings, its versions, a run of it.
//!
//! Editing and running are one form with two buttons, so that a run takes the
//! text as it stands there and nothing that was typed is lost.

use std::fmt::Write as _;

use axum::{
    Router,
    extract::State as AxumState,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};

use super::{run, versions};
use crate::{
    access::{
        Capability,
        capability::needs::{AppRead, AppWriteScript},
    },
    admin,
    base::{
        Result,
        name::{Description, ScriptName, Source},
        patch::Patch,
    },
    engine::Problem,
    page::{
        Form, Notice, Page, Place, ScriptInApp, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Area, Input},
    },
    store::{
        app::App,
        script::{Script, ScriptChange, Timeout},
    },
    web::State,
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/scripts/{script}",
    place: Place::Nowhere,
    needs: Some(Capability::AppRead),
    router,
};

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/scripts/{script}", get(show).post(save))
        .route("/admin/apps/{app}/scripts/{script}/delete", post(delete))
}

/// The address of a script's page.
pub(super) fn address(app: &App, script: &Script) -> String {
    format!("/admin/apps/{}/scripts/{}", app.slug, script.id)
}

/// What a script's page shows beside what is stored.
pub(super) struct Desk<'a> {
    /// The form of the editor, whose text and request the run form shares.
    pub form: &'a Form,
    /// What the run came to, if this answers one.
    pub outcome: Option<Markup>,
    /// The answer's status.
    pub status: StatusCode,
}

async fn show(AxumState(state): AxumState<State>, scope: ScriptInApp<AppRead>, visit: Visit) -> Answer {
    let desk = Desk { form: &stored(&scope.script), outcome: None, status: StatusCode::OK };
    page(&state, &visit, &scope, desk).await
}

async fn save(
    AxumState(state): AxumState<State>,
    scope: ScriptInApp<AppWriteScript>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match saved(&state, &scope, &mut form).await {
        Ok(script) => {
            let is_new = script.version > scope.script.version;
            let notice = if is_new { Notice::VersionSaved } else { Notice::ScriptSaved };
            Ok(noticed(&address(&scope.app, &script), notice))
        }
        Err(error) => {
            let status = form.refused(error)?;
            page(&state, &visit, &scope, Desk { form: &form, outcome: None, status }).await
        }
    }
}

async fn saved(state: &State, scope: &ScriptInApp<AppWriteScript>, form: &mut Form) -> Result<Script> {
    let name = form.read::<ScriptName>("name");
    let source = form.read::<Source>("source");
    let description = form.read_if_any::<Description>("description");
    let timeout_seconds = form.read::<Timeout>("timeout_seconds").map(Timeout::seconds);
    let change = ScriptChange {
        name,
        source,
        description: description.map_or(Patch::Clear, Patch::Set),
        timeout_seconds,
        sandbox: None,
        enabled: Some(form.is_ticked("enabled")),
        author: Some(scope.caller.user.username.to_string()),
    };
    let change = form.done(Some(change))?;
    admin::script::update(state, &scope.caller, scope.script.id, change).await
}

async fn delete(
    AxumState(state): AxumState<State>,
    scope: ScriptInApp<AppWriteScript>,
    visit: Visit,
    form: Form,
) -> Answer {
    match admin::script::delete(&state, &scope.caller, scope.script.id, form.is_ticked("cascade")).await {
        Ok(()) => Ok(noticed(&format!("/admin/apps/{}/scripts", scope.app.slug), Notice::ScriptDeleted)),
        Err(error) => {
            let mut stored = stored(&scope.script);
            let status = stored.refused(error)?;
            page(&state, &visit, &scope, Desk { form: &stored, outcome: None, status }).await
        }
    }
}

/// The editor's form holding what is stored.
pub(super) fn stored(script: &Script) -> Form {
    let form = Form::with([
        ("name", script.name.to_string()),
        ("source", script.source.clone()),
        ("description", script.description.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("timeout_seconds", script.timeout_seconds.to_string()),
        (run::METHOD, "GET".to_owned()),
        (run::PATH, "/".to_owned()),
    ]);
    if script.enabled { form.ticked("enabled") } else { form }
}

/// The whole page of a script.
pub(super) async fn page<C>(
    state: &State,
    visit: &Visit,
    scope: &ScriptInApp<C>,
    desk: Desk<'_>,
) -> Result<Response> {
    let ScriptInApp { app, script, caller, .. } = scope;
    let found = problems(state, desk.form).await?;
    let may_write = caller.may(Capability::AppWriteScript);
    let versions = versions::panel(state, (app, script), may_write).await?;
    let here = address(app, script);
    let main = html! {
            @if !script.enabled { (parts::refused("this script is off: its routes do not answer")) }
            form.desk method="post" action=(here) {
    (parts::token())
                section.card aria-label="Script" { (editor(desk.form, &found, may_write)) }
                @if may_write { (run::panel(&here, desk.form, desk.outcome.as_ref())) }
            }
            (versions)
            @if may_write { (deletion(&here, script)) }
        };
    let list = format!("/admin/apps/{}/scripts", app.slug);
    let frame = Frame::new(visit, caller, script.name.as_str()).in_app(app).below(&list, "Scripts");
    Ok((desk.status, frame.around(&main)).into_response())
}

fn editor(form: &Form, found: &[Problem], may_write: bool) -> Markup {
    html! {
        (parts::troubles(form))
        (source(form, found, 22))
        div.columns {
            (parts::input(form, &Input { name: "name", label: "Name", ..Input::default() }))
            (parts::input(form, &Input {
                name: "timeout_seconds", label: "Time limit in seconds, 1 to 300", kind: "number",
                ..Input::default()
            }))
        }
        (parts::area(form, &Area {
            name: "description", label: "What it is for (optional)", rows: 2, ..Area::default()
        }))
        (parts::tick(form, "enabled", "On: its routes answer"))
        @if may_write { button { "Save" } }
    }
}

/// What is wrong with the source a form brought, if that is why it was refused.
pub(super) async fn problems(state: &State, form: &Form) -> Result<Vec<Problem>> {
    let refused = form.error("source").and_then(|_| form.value("source").parse::<Source>().ok());
    match refused {
        Some(source) => admin::script::problems(state, source).await,
        None => Ok(Vec::new()),
    }
}

/// The source with its errors, each with its line and column and the line itself.
pub(super) fn source(form: &Form, problems: &[Problem], rows: usize) -> Markup {
    let text = form.value("source");
    html! {
        (parts::area(form, &Area { name: "source", label: "Source (Rhai)", rows, code: true, ..Area::default() }))
        // The field says the first problem itself.
        @for (nth, problem) in problems.iter().enumerate() {
            div.problem {
                @if nth > 0 { p { (place(problem)) (parts::sentence(&problem.message)) } }
                @if let Some(shown) = quoted(text, problem) { pre { (shown) } }
            }
        }
    }
}

fn place(problem: &Problem) -> String {
    match (problem.line, problem.column) {
        (Some(line), Some(column)) => format!("Line {line}, column {column}: "),
        (Some(line), None) => format!("Line {line}: "),
        _ => String::new(),
    }
}

/// The offending line with its number, and a mark under the column.
fn quoted(source: &str, problem: &Problem) -> Option<String> {
    let number = problem.line?;
    let line = source.lines().nth(usize::try_from(number).ok()?.checked_sub(1)?)?;
    let mut shown = format!("{number:>4} | {line}");
    if let Some(column) = problem.column.and_then(|column| usize::try_from(column).ok()?.checked_sub(1)) {
        // Tabs are kept, so that the mark stands under its place however wide they are shown.
        let before: String = line.chars().take(column).map(|c| if c == '\t' { c } else { ' ' }).collect();
        let _ = write!(shown, "\n     | {before}^");
    }
    Some(shown)
}

fn deletion(here: &str, script: &Script) -> Markup {
    parts::danger(
        "Delete this script",
        &html! {
                    form method="post" action={ (here) "/delete" } {
        (parts::token())
                        p { "Deletes " strong { (script.name) } " and its " (script.version) " versions. What it did stays in the log." }
                        (parts::tick(&Form::default(), "cascade", "Delete the routes that lead to it too"))
                        button.bad { "Delete " (script.name) }
                    }
                },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_under_the_column() {
        let problem = Problem { line: Some(2), column: Some(3), message: String::new() };
        assert_eq!(quoted("a\n\tb c\n", &problem).as_deref(), Some("   2 | \tb c\n     | \t ^"));
        let beyond = Problem { line: Some(9), column: Some(1), message: String::new() };
        assert_eq!(quoted("a", &beyond), None);
    }
}
