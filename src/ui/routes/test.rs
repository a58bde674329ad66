//! Which route answers? A question one can ask without calling anything.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use http::StatusCode;
use maud::{Markup, html};

use super::Desk;
use crate::{
    access::{Capability, capability::needs::AppRead},
    admin::route::{Question, explain},
    base::Result,
    page::{
        Form, Page, Place, Visit,
        layout::Answer,
        parts::{self, Input},
    },
    store::app::App,
    ui::run::METHODS,
    web::{InApp, Query, State},
};

/// The page, which is that of the routes with the answer on it.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/apps/{app}/routes/test",
    place: Place::Nowhere,
    needs: Some(Capability::AppRead),
    router,
};

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/routes/test", get(test))
}

/// A request one would like to know the route of.
#[derive(serde::Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Asked {
    host: String,
    method: String,
    path: String,
}

async fn test(
    AxumState(state): AxumState<State>,
    scope: InApp<AppRead>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Answer {
    let mut form = Form::with([
        ("host", asked.host.clone()),
        ("method", asked.method.clone()),
        ("path", asked.path.clone()),
    ]);
    let (status, tested) = match answer(&state, &scope.app, &asked).await {
        Ok(answer) => (StatusCode::OK, Some(answer)),
        Err(error) => (form.refused(error)?, None),
    };
    let desk = Desk { test: form, tested, ..Desk::default() };
    Ok((status, super::page(&state, &visit, (&scope.app, &scope.caller), desk).await?).into_response())
}

async fn answer(state: &State, app: &App, asked: &Asked) -> Result<Markup> {
    let question = Question::new(&asked.host, &asked.method, &asked.path)?;
    Ok(match explain(state, app.id, &question).await? {
        Ok((route, found)) => html! {
            div.message.good role="status" {
                p {
                    "Answered by " (super::method(&route)) " " code { (route.path) } ", script "
                    a href={ "/admin/apps/" (app.slug) "/scripts/" (route.script_id) } { (found.entry.script.name) } "."
                }
                @if !found.params.is_empty() || found.rest.is_some() {
                    dl {
                        @for (name, value) in &found.params {
                            dt { "params." (name) } dd { code { (value.as_deref().unwrap_or("()")) } }
                        }
                        @if let Some(rest) = &found.rest { dt { "rest" } dd { code { (rest) } } }
                    }
                }
            }
        },
        Err(reason) => html! { p.message.plain role="status" { (parts::sentence(&reason)) } },
    })
}

/// Draws the question, and its answer once it was asked.
pub(super) fn panel(visit: &Visit, app: &App, form: &Form, tested: Option<&Markup>) -> Markup {
    let methods: Vec<(String, String)> =
        METHODS.iter().map(|method| ((*method).to_owned(), (*method).to_owned())).collect();
    let mut form = form.clone().named("test");
    if form.value("path").is_empty() {
        form = form.filled("host", visit.host()).filled("path", &format!("/~{}/", app.slug));
    }
    html! {
        section aria-labelledby="which" {
            h2 #which { "Which route answers?" }
            form.card method="get" action={ "/admin/apps/" (app.slug) "/routes/test#which" } {
                (parts::troubles(&form))
                (parts::input(&form, &Input { name: "host", label: "Host", ..Input::default() }))
                div.columns.narrow-first {
                    (parts::select(&form, ("method", "Method"), &methods))
                    (parts::input(&form, &Input { name: "path", label: "Path", ..Input::default() }))
                }
                button.quiet { "Ask" }
                @if let Some(tested) = tested { (tested) }
            }
        }
    }
}
