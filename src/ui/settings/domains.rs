//! The hosts an app claims, as a part of its settings.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::post,
};
use maud::{Markup, html};

use super::Desk;
use crate::{
    access::{Caller, Capability, capability::needs::AppManageDomains},
    admin,
    base::{Error, Result, cursor::MAX_LIMIT, id::DomainId, pattern::HostPattern},
    page::{
        Form, Notice, Page, Place, Visit,
        layout::Answer,
        noticed,
        parts::{self, Input},
    },
    store::{app::App, domain},
    web::{InApp, State},
};

/// The page, which is that of the settings.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/apps/{app}/domains",
    place: Place::Nowhere,
    needs: Some(Capability::AppManageDomains),
    router,
};

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/domains", post(claim))
        .route("/admin/apps/{app}/domains/{domain}/release", post(release))
}

async fn claim(
    AxumState(state): AxumState<State>,
    scope: InApp<AppManageDomains>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let claimed = match form.read::<HostPattern>("pattern") {
        Some(pattern) => {
            admin::domain::claim(&state, &scope.caller, scope.app.id, &pattern).await.map(|_| ())
        }
        None => form.done(None),
    };
    answered(&state, (&scope, &visit), (form, claimed), Notice::DomainClaimed).await
}

async fn release(
    AxumState(state): AxumState<State>,
    scope: InApp<AppManageDomains>,
    (visit, Path(path)): (Visit, Path<Vec<(String, String)>>),
    form: Form,
) -> Answer {
    let id: Option<DomainId> =
        path.iter().find(|(name, _)| name == "domain").and_then(|(_, id)| id.parse().ok());
    let id = id.ok_or_else(|| Error::NotFound("domain".to_owned()))?;
    let released = admin::domain::release(&state, &scope.caller, scope.app.id, id).await;
    answered(&state, (&scope, &visit), (form, released), Notice::DomainReleased).await
}

async fn answered(
    state: &State,
    (scope, visit): (&InApp<AppManageDomains>, &Visit),
    (mut form, done): (Form, Result<()>),
    notice: Notice,
) -> Answer {
    let Err(error) = done else {
        return Ok(noticed(&format!("/admin/apps/{}/settings", scope.app.slug), notice));
    };
    let status = form.refused(error)?;
    let desk = Desk { domain: form, ..Desk::default() };
    Ok((status, super::page(state, visit, (&scope.app, &scope.caller), desk).await?).into_response())
}

/// The part of the settings about domains.
pub(super) async fn panel(
    state: &State,
    visit: &Visit,
    (app, caller): (&App, &Caller),
    form: &Form,
) -> Result<Markup> {
    let domains = domain::list(&state.db, app.id, None, MAX_LIMIT).await?.items;
    let here = format!("/admin/apps/{}/domains", app.slug);
    let may = caller.may(Capability::AppManageDomains);
    Ok(html! {
            section aria-labelledby="domains" {
                h2 #domains { "Domains" }
                p {
                    "Under a domain of its own an app is a web site like any other, with cookies and localStorage: "
                    "the place for a whole web app. Under all other names its pages are sandboxed, so that they "
                    "cannot act as you here: there cookies and localStorage fail, while calls to the app itself work."
                }
                p {
                    "The network must know the name: "
                    code { (app.slug) ".local" } " works by itself where mDNS does; a wildcard such as "
                    code { "*." (app.slug) ".local" } " needs a DNS server of yours, since mDNS resolves none."
                }
                @if !domains.is_empty() {
                    ul.plain {
                        @for domain in &domains {
                            li {
                                @match &domain.pattern {
                                    HostPattern::Exact(name) => (parts::copyable(&visit.address_on(name.as_str()))),
                                    HostPattern::Wildcard(_) => code { (domain.pattern) },
                                }
                                @if may {
                                    " " (parts::post(&format!("{here}/{}/release", domain.id), "Give up", "quiet"))
                                }
                            }
                        }
                    }
                }
                @if may {
                    form.card method="post" action=(here) {
    (parts::token())
                        (parts::troubles(form))
                        (parts::input(form, &Input {
                            name: "pattern", label: "Claim a domain", hint: "garden.local, or *.garden.local",
                            ..Input::default()
                        }))
                        button { "Claim" }
                    }
                }
            }
        })
}
