//! An app's settings: its names, the hosts it claims, its members, who may call it, its end.

pub(super) mod cors;
pub(super) mod domains;
pub(super) mod members;

use axum::{
    Router,
    extract::State as AxumState,
    response::IntoResponse as _,
    routing::{get, post},
};
use maud::{Markup, html};

use crate::{
    access::{Caller, Capability, capability::needs::AppAdmin},
    admin,
    base::{
        Result,
        name::{AppName, Description, Slug},
        patch::Patch,
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Area, Input},
    },
    store::app::{self, App, AppChange, Counts},
    web::{InApp, State},
};

/// The page.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/apps/{app}/settings",
    place: Place::App("Settings"),
    needs: Some(Capability::AppAdmin),
    router,
};

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/settings", get(show).post(change))
        .route("/admin/apps/{app}/delete", post(delete))
}

/// The forms of the page.
#[derive(Default)]
struct Desk {
    /// Names and description; none as they are stored.
    names: Option<Form>,
    /// A domain to claim.
    domain: Form,
    /// A member to add, or another role for one.
    member: Form,
    /// What pages of other origins may ask; none as it is stored.
    cors: Option<Form>,
    /// The confirmation to delete.
    delete: Form,
}

async fn show(AxumState(state): AxumState<State>, scope: InApp<AppAdmin>, visit: Visit) -> Answer {
    Ok(page(&state, &visit, (&scope.app, &scope.caller), Desk::default()).await?.into_response())
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
            let desk = Desk { names: Some(form), ..Desk::default() };
            Ok((status, page(&state, &visit, (&scope.app, &scope.caller), desk).await?).into_response())
        }
    }
}

async fn changed(state: &State, scope: &InApp<AppAdmin>, form: &mut Form) -> Result<App> {
    let slug = form.read::<Slug>("slug");
    let name = form.read::<AppName>("name");
    let description = form.read_if_any::<Description>("description");
    let description = description.map_or(Patch::Clear, Patch::Set);
    let change = form.done(Some(AppChange { slug, name, description, ..AppChange::default() }))?;
    admin::app::update(state, &scope.caller, scope.app.id, change).await
}

async fn delete(
    AxumState(state): AxumState<State>,
    scope: InApp<AppAdmin>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let confirmed = Some(form.value("confirm").trim().to_owned());
    match admin::app::delete(&state, &scope.caller, &scope.app, confirmed.as_deref()).await {
        Ok(()) => Ok(noticed("/admin", Notice::AppDeleted)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { delete: form, ..Desk::default() };
            Ok((status, page(&state, &visit, (&scope.app, &scope.caller), desk).await?).into_response())
        }
    }
}

/// The whole page.
async fn page(state: &State, visit: &Visit, (app, caller): (&App, &Caller), desk: Desk) -> Result<Markup> {
    let counts = app::counts(&state.db, app.id).await?;
    let domains = domains::panel(state, visit, (app, caller), &desk.domain).await?;
    let members = members::panel(state, app, &desk.member).await?;
    let stored = Form::with([
        ("slug", app.slug.to_string()),
        ("name", app.name.to_string()),
        ("description", app.description.as_ref().map(ToString::to_string).unwrap_or_default()),
    ]);
    let main = html! {
        (names(app, desk.names.as_ref().unwrap_or(&stored)))
        (domains)
        (members)
        (cors::panel(app, desk.cors))
        (deletion(app, counts, &desk.delete))
    };
    Ok(Frame::new(visit, caller, "Settings").in_app(app).around(&main))
}

fn names(app: &App, form: &Form) -> Markup {
    html! {
            form.card method="post" action={ "/admin/apps/" (app.slug) "/settings" } {
    (parts::token())
                (parts::troubles(form))
                div.columns {
                    (parts::input(form, &Input { name: "name", label: "Name", ..Input::default() }))
                    (parts::input(form, &Input {
                        name: "slug", label: "Short name in addresses",
                        hint: "The old one leads here until another app takes it.", ..Input::default()
                    }))
                }
                (parts::area(form, &Area {
                    name: "description", label: "What it is for (optional)", rows: 3, ..Area::default()
                }))
                button { "Save" }
            }
        }
}

fn deletion(app: &App, counts: Counts, form: &Form) -> Markup {
    let address = format!("/admin/apps/{}/delete", app.slug);
    html! {
            section aria-labelledby="delete" {
                h2 #delete { "Delete this app" }
                @if app.is_default {
                    p { "This is the default app: hosts that no app claims belong to it, so it stays." }
                } @else {
                    form.card.danger method="post" action=(address) {
    (parts::token())
                        (parts::troubles(form))
                        p { "Deletes " strong { (app.name) } " with " (counts) ". There is no way back." }
                        (parts::input(form, &Input {
                            name: "confirm", label: &format!("Type {} to confirm", app.slug), ..Input::default()
                        }))
                        button.bad { "Delete " (app.name) }
                    }
                }
            }
        }
}
