//! Claiming the machine: its first visitor becomes its owner.

use axum::{
    Router,
    extract::State as AxumState,
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::StatusCode;
use maud::{Markup, html};

use crate::{
    base::{
        Error,
        name::{DisplayName, Username},
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        notice::see,
        noticed,
        parts::{self, Input},
        time,
    },
    web::{
        Client, State, WithHeader,
        claim::{self, Claim, Window},
        sign_in,
    },
};

/// The page.
pub(super) const PAGE: Page = Page { path: "/admin/claim", place: Place::Nowhere, needs: None, router };

fn router() -> Router<State> {
    Router::new().route("/admin/claim", get(show).post(claim))
}

async fn show(AxumState(state): AxumState<State>, visit: Visit, client: Client) -> Answer {
    let window = claim::window(&state).await?;
    if window.claimed {
        return Ok(see("/admin/login"));
    }
    Ok(page(&visit, window, (&client, &Form::default())))
}

async fn claim(AxumState(state): AxumState<State>, visit: Visit, client: Client, mut form: Form) -> Answer {
    let window = claim::window(&state).await?;
    if window.claimed {
        return Ok(see("/admin/login"));
    }
    match claimed(&state, &client, &mut form, window).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let status = form.refused(error)?;
            Ok((status, page(&visit, window, (&client, &form))).into_response())
        }
    }
}

async fn claimed(state: &State, client: &Client, form: &mut Form, window: Window) -> Answer {
    claim::require_may_claim(window, client)?;
    let username = form.read::<Username>("username");
    let display_name = match form.value("display_name").trim() {
        "" => None,
        _ => Some(form.read::<DisplayName>("display_name")),
    };
    if form.value("password") != form.value("again") {
        form.wrong("again", "is not the same as above");
    }
    let (username, display_name) = form.done(username.map(|name| (name, display_name.flatten())))?;
    let code = Some(form.value("claim_code").to_owned());
    let claim = Claim { username, password: form.value("password").to_owned(), display_name, code };
    let signed_in = claim::claim(state, claim, client).await?;
    Ok(WithHeader(
        http::header::SET_COOKIE,
        sign_in::cookie(&signed_in.token, client),
        noticed("/admin", Notice::Claimed),
    )
    .into_response())
}

fn page(visit: &Visit, window: Window, (client, form): (&Client, &Form)) -> Response {
    let refusal = claim::require_may_claim(window, client).err();
    let status = if refusal.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let title = format!("Claim {}", visit.machine);
    let main = match refusal {
        Some(why) => refused(&why),
        None => form_of(visit, window, form),
    };
    (status, Frame::of_stranger(visit, &title).around(&main)).into_response()
}

fn refused(why: &Error) -> Markup {
    html! {
        (parts::refused(&why.to_string()))
        p { "Nobody owns this machine yet, and for its safety it cannot be claimed from here." }
    }
}

fn form_of(visit: &Visit, window: Window, form: &Form) -> Markup {
    html! {
        p.lead {
            "Nobody owns this machine yet. Whoever makes the first account owns it: "
            strong { (visit.machine) } "."
        }
        p {
            @match window.left {
                Some(left) => { "It can be claimed from its own network for another " strong { (time::span(left)) } "." },
                None => "From the network it cannot be claimed any more; from the machine itself, as you are, it can.",
            }
        }
        form.card method="post" action="/admin/claim" {
            (parts::troubles(form))
            (parts::input(form, &Input {
                name: "username", label: "User name", autocomplete: "username",
                hint: "Letters, digits, dots, underscores and hyphens.", ..Input::default()
            }))
            (parts::input(form, &Input {
                name: "display_name", label: "Your name (optional)", optional: true, autocomplete: "name",
                ..Input::default()
            }))
            (parts::input(form, &Input {
                name: "password", label: "Password", kind: "password", autocomplete: "new-password",
                hint: "At least 10 characters. Some unrelated words are strong and easy to remember.",
                ..Input::default()
            }))
            (parts::input(form, &Input {
                name: "again", label: "Password again", kind: "password", autocomplete: "new-password",
                ..Input::default()
            }))
            @if window.asks_code {
                (parts::input(form, &Input {
                    name: "claim_code", label: "Code", autocomplete: "off",
                    hint: "PiCloud's log shows it: journalctl -u picloud.", ..Input::default()
                }))
            }
            button { "Claim this machine" }
        }
        p.hint {
            "There is no default password and no way to have this one sent to you: write it down somewhere safe."
        }
    }
}
