//! The start page: the apps with their addresses, and a form for a new one.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use maud::{Markup, html};

use crate::{
    access::{Caller, Capability},
    admin,
    base::{
        Result,
        cursor::DEFAULT_LIMIT,
        id::AppId,
        name::{AppName, Description, Slug},
        pattern::HostPattern,
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        notice::see,
        noticed,
        parts::{self, Area, Input},
    },
    store::{
        app::{self, App, NewApp},
        domain,
    },
    web::{Query, State},
};

/// The page.
pub(super) const PAGE: Page = Page { path: "/admin", place: Place::Top("Apps"), needs: None, router };

fn router() -> Router<State> {
    Router::new().route("/admin", get(show)).route("/admin/apps", get(async || see("/admin")).post(create))
}

/// Which part of the list to show.
#[derive(Default, serde::Deserialize)]
struct Paging {
    cursor: Option<String>,
}

async fn show(
    AxumState(state): AxumState<State>,
    caller: Caller,
    visit: Visit,
    Query(paging): Query<Paging>,
) -> Answer {
    let page = page(&state, &caller, &visit, (&paging, &Form::default())).await?;
    Ok(page.into_response())
}

async fn create(AxumState(state): AxumState<State>, caller: Caller, visit: Visit, mut form: Form) -> Answer {
    caller.require(Capability::InstanceCreateApp)?;
    match created(&state, &caller, &mut form).await {
        Ok(app) => Ok(noticed(&format!("/admin/apps/{}", app.slug), Notice::AppCreated)),
        Err(error) => {
            let status = form.refused(error)?;
            let page = page(&state, &caller, &visit, (&Paging::default(), &form)).await?;
            Ok((status, page).into_response())
        }
    }
}

async fn created(state: &State, caller: &Caller, form: &mut Form) -> Result<App> {
    let slug = form.read::<Slug>("slug");
    let name = form.read::<AppName>("name");
    let description = form.read_if_any::<Description>("description");
    let (slug, name) = form.done(slug.zip(name))?;
    let new = NewApp { slug, name, description, take_over: form.is_ticked("take_over") };
    admin::app::create(state, caller, &new, form.is_ticked("local_name")).await
}

async fn page(
    state: &State,
    caller: &Caller,
    visit: &Visit,
    (paging, form): (&Paging, &Form),
) -> Result<Markup> {
    let found = app::list(&state.db, caller, paging.cursor.as_deref(), DEFAULT_LIMIT).await?;
    let domains = domain::all(&state.db).await?;
    let main = html! {
        @if found.items.is_empty() {
            (parts::empty("An app is a set of scripts under one address. Make the first one below.", &html! {}))
        } @else {
            ul.cards { @for app in &found.items { (card(visit, app, &domains)) } }
            (parts::next_page("/admin", found.next_cursor.as_deref()))
        }
        @if caller.may(Capability::InstanceCreateApp) { (new_app(visit, form)) }
    };
    Ok(Frame::new(visit, caller, "Apps").around(&main))
}

fn card(visit: &Visit, app: &App, domains: &[(AppId, HostPattern)]) -> Markup {
    let of_app = domains.iter().filter(|(holder, _)| *holder == app.id).map(|(_, pattern)| pattern);
    html! {
        li.card {
            h2 { a href={ "/admin/apps/" (app.slug) } { (app.name) } }
            @if let Some(description) = &app.description { p { (description) } }
            p.addresses {
                (parts::copyable(&visit.address(app)))
                @for pattern in of_app { " " code { (pattern) } }
                @if app.is_default { " " (parts::badge("plain", "default")) }
            }
        }
    }
}

fn new_app(visit: &Visit, form: &Form) -> Markup {
    html! {
            section aria-labelledby="new-app" {
                h2 #new-app { "Create an app" }
                form.card method="post" action="/admin/apps" {
    (parts::token())
                    (parts::troubles(form))
                    div.columns {
                        (parts::input(form, &Input { name: "name", label: "Name", ..Input::default() }))
                        (parts::input(form, &Input {
                            name: "slug", label: "Short name in addresses",
                            hint: &format!("Such as garden: the app answers under {}://{}/~garden/ at once.", visit.scheme, visit.authority),
                            ..Input::default()
                        }))
                    }
                    (parts::area(form, &Area {
                        name: "description", label: "What it is for (optional)", rows: 2, ..Area::default()
                    }))
                    (parts::tick(form, "local_name", "Also answer under a name of its own, short-name.local"))
                    (parts::tick(form, "take_over", "Take the short name even if it leads to a renamed app"))
                    button { "Create app" }
                }
            }
        }
}
