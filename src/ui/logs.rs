//! What ran in an app: its executions, newest first.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use http::StatusCode;
use maud::{Markup, html};

use crate::{
    access::{Capability, capability::needs::AppLogRead},
    base::{
        Error, Result,
        cursor::{DEFAULT_LIMIT, MAX_LIMIT, Page as Listed},
        id::{ExecutionId, ScriptId},
    },
    page::{
        Form, Page, Place, Visit,
        layout::{Answer, Frame},
        parts, time,
    },
    store::{
        app::App,
        execution::{self, Attempt, Filter, StatusFilter},
        script::{self, Script},
    },
    web::{InApp, Query, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/logs",
    place: Place::App("Log"),
    needs: Some(Capability::AppLogRead),
    router,
};

/// How executions may have ended: value, and what it means.
const STATUSES: [(&str, &str); 6] = [
    ("", "Any outcome"),
    ("failed", "Failed"),
    ("2xx", "Status 2xx"),
    ("3xx", "Status 3xx"),
    ("4xx", "Status 4xx"),
    ("5xx", "Status 5xx"),
];

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/logs", get(show))
}

/// Which executions to show; what is empty filters nothing.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    status: String,
    script_id: String,
    root: String,
    cursor: Option<String>,
}

impl Asked {
    /// The address of this list, without its cursor.
    fn address(&self, app: &App) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(
                [("status", &self.status), ("script_id", &self.script_id), ("root", &self.root)]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty()),
            )
            .finish();
        let path = format!("/admin/apps/{}/logs", app.slug);
        if query.is_empty() { path } else { format!("{path}?{query}") }
    }
}

async fn show(
    AxumState(state): AxumState<State>,
    scope: InApp<AppLogRead>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Answer {
    let InApp { app, caller, .. } = scope;
    let mut form = Form::with([
        ("status", asked.status.clone()),
        ("script_id", asked.script_id.clone()),
        ("root", asked.root.clone()),
    ]);
    let (status, found) = match find(&state, &app, &asked, &mut form).await {
        Ok(found) => (StatusCode::OK, found),
        Err(error) => (form.refused(error)?, Listed { items: Vec::new(), next_cursor: None }),
    };
    let scripts = names(&state, &app).await?;
    let main = html! {
        (filters(&app, &form, &scripts))
        @if found.items.is_empty() {
            (parts::empty("Here stands what ran, when, and how it ended. Nothing matches yet.", &html! {}))
        } @else {
            (table(&app, &found.items, &scripts))
            (parts::next_page(&asked.address(&app), found.next_cursor.as_deref()))
        }
    };
    Ok((status, Frame::new(&visit, &caller, "Log").in_app(&app).around(&main)).into_response())
}

async fn find(state: &State, app: &App, asked: &Asked, form: &mut Form) -> Result<Listed<Attempt>> {
    let filter = Filter {
        status: form.read_if_any::<StatusFilter>("status"),
        source: None,
        script_id: form.read_if_any::<ScriptId>("script_id"),
        root: form.read_if_any::<ExecutionId>("root"),
    };
    let filter = form.done(Some(filter))?;
    // What has been answered shall be there.
    state.recorder.flush().await;
    execution::list(&state.db, app.id, &filter, asked.cursor.as_deref(), DEFAULT_LIMIT).await
}

/// The app's scripts, for their names.
async fn names(state: &State, app: &App) -> Result<Vec<Script>, Error> {
    let mut connection = state.db.acquire().await?;
    Ok(script::list(&mut connection, app.id, None, MAX_LIMIT).await?.items)
}

fn filters(app: &App, form: &Form, scripts: &[Script]) -> Markup {
    let statuses: Vec<_> = STATUSES.iter().map(|(v, text)| ((*v).to_owned(), (*text).to_owned())).collect();
    let all = std::iter::once((String::new(), "All scripts".to_owned()));
    let named = scripts.iter().map(|script| (script.id.to_string(), script.name.to_string()));
    html! {
        form.filters method="get" action={ "/admin/apps/" (app.slug) "/logs" } {
            (parts::troubles(form))
            (parts::select(form, ("status", "Outcome"), &statuses))
            (parts::select(form, ("script_id", "Script"), &all.chain(named).collect::<Vec<_>>()))
            button.quiet { "Show" }
        }
    }
}

/// A table of attempts.
pub(super) fn table(app: &App, attempts: &[Attempt], scripts: &[Script]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "Status" } th { "When" } th { "Script" } th { "What" } th { "Took" } } }
            tbody {
                @for attempt in attempts {
                    tr {
                        td { (parts::status(attempt.status.unsigned_abs())) }
                        td { a href={ "/admin/apps/" (app.slug) "/logs/" (attempt.execution_id) } { (time::ago(attempt.started_at)) } }
                        td { (name_of(attempt, scripts)) }
                        td.summary {
                            code { (attempt.request_summary.as_deref().unwrap_or(&attempt.source)) }
                            @if let Some(error) = &attempt.error { p.error { (super::log::place(error)) (error.message) } }
                        }
                        td.number { (time::milliseconds(attempt.duration_ms)) }
                    }
                }
            }
        } }
    }
}

fn name_of(attempt: &Attempt, scripts: &[Script]) -> String {
    let script = scripts.iter().find(|script| script.id == attempt.script_id);
    script.map_or_else(|| "(deleted)".to_owned(), |script| script.name.to_string())
}
