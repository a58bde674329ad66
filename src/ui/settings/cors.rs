//! What pages of other origins may ask of an app, as a part of its settings.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::post};
use maud::{Markup, html};

use super::Desk;
use crate::{
    access::{Capability, capability::needs::AppAdmin},
    admin,
    base::{Result, patch::Patch},
    page::{
        Form, Notice, Page, Place, Visit,
        layout::Answer,
        noticed,
        parts::{self, Area, Input},
    },
    store::app::{App, AppChange, Cors},
    web::{InApp, State},
};

/// The page, which is that of the settings.
pub(in crate::ui) const PAGE: Page =
    Page { path: "/admin/apps/{app}/cors", place: Place::Nowhere, needs: Some(Capability::AppAdmin), router };

fn router() -> Router<State> {
    Router::new().route("/admin/apps/{app}/cors", post(change))
}

async fn change(
    AxumState(state): AxumState<State>,
    scope: InApp<AppAdmin>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match changed(&state, &scope, &mut form).await {
        Ok(app) => Ok(noticed(&format!("/admin/apps/{}/settings", app.slug), Notice::AppChanged)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { cors: Some(form), ..Desk::default() };
            let page = super::page(&state, &visit, (&scope.app, &scope.caller), desk).await?;
            Ok((status, page).into_response())
        }
    }
}

async fn changed(state: &State, scope: &InApp<AppAdmin>, form: &mut Form) -> Result<App> {
    let origins = words(form.value("cors.origins"));
    let max_age = form.read_if_any::<u32>("cors.max_age");
    form.done(Some(()))?;
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let cors = if origins.is_empty() {
        Patch::Clear
    } else {
        let methods = some(words(form.value("cors.methods")));
        let headers = some(words(form.value("cors.headers")));
        let credentials = form.is_ticked("cors.credentials").then_some(true);
        Patch::Set(Cors { origins, methods, headers, max_age, credentials }.checked()?)
    };
    let change = AppChange { cors, ..AppChange::default() };
    admin::app::update(state, &scope.caller, scope.app.id, change).await
}

/// The words of a text, whatever people put between them.
fn words(text: &str) -> Vec<String> {
    let all = text.split(|c: char| c.is_whitespace() || c == ',');
    all.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The form as it is stored.
fn stored(app: &App) -> Form {
    let cors = app.cors.as_ref().map(|cors| cors.0.clone()).unwrap_or_default();
    let list = |list: Option<Vec<String>>| list.unwrap_or_default().join(", ");
    let form = Form::with([
        ("cors.origins", cors.origins.join("\n")),
        ("cors.methods", list(cors.methods)),
        ("cors.headers", list(cors.headers)),
        ("cors.max_age", cors.max_age.map(|age| age.to_string()).unwrap_or_default()),
    ]);
    if cors.credentials == Some(true) { form.ticked("cors.credentials") } else { form }
}

/// The part of the settings about pages of other origins.
pub(super) fn panel(app: &App, typed: Option<Form>) -> Markup {
    let form = &typed.unwrap_or_else(|| stored(app));
    html! {
        section aria-labelledby="cors" {
            h2 #cors { "Calls from other sites (CORS)" }
            form.card method="post" action={ "/admin/apps/" (app.slug) "/cors" } {
                (parts::token())
                (parts::troubles(form))
                (parts::area(form, &Area {
                    name: "cors.origins", label: "Sites whose pages may call this app", rows: 2,
                    hint: "One a line, such as https://shop.example; * for all. Empty: none, and OPTIONS goes to the app's routes.",
                    ..Area::default()
                }))
                div.columns {
                    (parts::input(form, &Input {
                        name: "cors.methods", label: "Methods (optional)", optional: true,
                        hint: "Such as GET, POST. Empty: those its routes take.", ..Input::default()
                    }))
                    (parts::input(form, &Input {
                        name: "cors.headers", label: "Headers (optional)", optional: true,
                        hint: "Empty: those they ask for.", ..Input::default()
                    }))
                    (parts::input(form, &Input {
                        name: "cors.max_age", label: "Remembered for seconds (optional)", optional: true,
                        hint: "86400 at most.", ..Input::default()
                    }))
                }
                (parts::tick(form, "cors.credentials", "They may send cookies; needs sites that are named"))
                button { "Save" }
            }
        }
    }
}
