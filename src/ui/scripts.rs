//! An app's scripts, and a form for a new one.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use maud::{Markup, html};

use super::editor;
use crate::{
    access::{
        Caller, Capability,
        capability::needs::{AppRead, AppWriteScript},
    },
    admin,
    base::{
        Result,
        cursor::DEFAULT_LIMIT,
        name::{Description, ScriptName, Source},
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Area, Input},
        time,
    },
    store::{
        app::App,
        script::{self, NewScript, Sandbox, Script},
    },
    web::{InApp, Query, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/scripts",
    place: Place::App("Scripts"),
    needs: Some(Capability::AppRead),
    router,
};

/// What the form for a new script begins with.
const STARTER: &str = "\
// The value of the last line is the answer.
let name = ctx.request.query.name ?? \"world\";
#{ statusCode: 200, body: #{ hello: name } }
";

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/scripts", get(show).post(create))
}

/// Which part of the list to show.
#[derive(Default, serde::Deserialize)]
struct Paging {
    cursor: Option<String>,
}

async fn show(
    AxumState(state): AxumState<State>,
    scope: InApp<AppRead>,
    visit: Visit,
    Query(paging): Query<Paging>,
) -> Answer {
    let form = Form::with([("source", STARTER.to_owned()), ("name", String::new())]);
    let page = page(&state, (&visit, &scope.caller, &scope.app), paging.cursor.as_deref(), &form).await?;
    Ok(page.into_response())
}

async fn create(
    AxumState(state): AxumState<State>,
    scope: InApp<AppWriteScript>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let InApp { app, caller, .. } = scope;
    match created(&state, &app, &caller, &mut form).await {
        Ok(script) => Ok(noticed(&editor::address(&app, &script), Notice::ScriptCreated)),
        Err(error) => {
            let status = form.refused(error)?;
            let page = page(&state, (&visit, &caller, &app), None, &form).await?;
            Ok((status, page).into_response())
        }
    }
}

async fn created(state: &State, app: &App, caller: &Caller, form: &mut Form) -> Result<Script> {
    let name = form.read::<ScriptName>("name");
    let source = form.read::<Source>("source");
    let description = form.read_if_any::<Description>("description");
    let (name, source) = form.done(name.zip(source))?;
    let new = NewScript {
        app_id: app.id,
        name,
        source,
        description,
        timeout_seconds: script::DEFAULT_TIMEOUT_SECONDS,
        sandbox: Sandbox::default(),
        enabled: true,
        author: Some(caller.user.username.to_string()),
    };
    admin::script::create(state, caller, new).await
}

async fn page(
    state: &State,
    (visit, caller, app): (&Visit, &Caller, &App),
    cursor: Option<&str>,
    form: &Form,
) -> Result<Markup> {
    let mut connection = state.db.acquire().await?;
    let found = script::list(&mut connection, app.id, cursor, DEFAULT_LIMIT).await?;
    drop(connection);
    let problems = editor::problems(state, form).await?;
    let here = format!("/admin/apps/{}/scripts", app.slug);
    let main = html! {
            @if found.items.is_empty() {
                (parts::empty("A script answers requests: a few lines of Rhai that PiCloud runs.", &html! {}))
            } @else {
                (table(&here, &found.items))
                (parts::next_page(&here, found.next_cursor.as_deref()))
            }
            @if caller.may(Capability::AppWriteScript) {
                section aria-labelledby="new-script" {
                    h2 #new-script { "Create a script" }
                    form.card method="post" action=(here) {
    (parts::token())
                        (parts::troubles(form))
                        (parts::input(form, &Input { name: "name", label: "Name", ..Input::default() }))
                        (editor::source(form, &problems, 10))
                        (parts::area(form, &Area {
                            name: "description", label: "What it is for (optional)", rows: 2, ..Area::default()
                        }))
                        button { "Create script" }
                    }
                }
            }
        };
    Ok(Frame::new(visit, caller, "Scripts").in_app(app).around(&main))
}

fn table(here: &str, scripts: &[Script]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "Script" } th { "Version" } th { "Time limit" } th { "Changed" } th { "State" } } }
            tbody {
                @for script in scripts {
                    tr {
                        td { a href={ (here) "/" (script.id) } { (script.name) }
                            @if let Some(description) = &script.description { p.hint { (description) } } }
                        td.number { (script.version) }
                        td.number { (script.timeout_seconds) " s" }
                        td { (time::ago(script.updated_at)) }
                        td { (state_of(script)) }
                    }
                }
            }
        } }
    }
}

/// Whether a script runs, as a badge.
pub(super) fn state_of(script: &Script) -> Markup {
    if script.enabled { parts::badge("good", "on") } else { parts::badge("warn", "off") }
}
