//! Signing in, back to where one wanted to go, and out.

use axum::{
    Router,
    extract::State as AxumState,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use maud::html;

use crate::{
    access::Caller,
    base::{Error, Result, pattern::RequestPath},
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        notice::see,
        noticed,
        parts::{self, Input},
    },
    web::{Client, Query, State, WithHeader, claim, sign_in},
};

/// The page.
pub(super) const PAGE: Page = Page { path: "/admin/login", place: Place::Nowhere, needs: None, router };

fn router() -> Router<State> {
    Router::new().route("/admin/login", get(show).post(login)).route("/admin/logout", post(logout))
}

/// Where to go afterwards.
#[derive(serde::Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
    /// Why one has to sign in again, if it is not that one was away for long.
    #[serde(default)]
    reason: String,
}

/// What is said to somebody whose session began under a wrong clock.
const CLOCK: &str = "The machine's clock was wrong when you signed in and has been set since, so nobody knows \
                     how old that is. Sign in again.";

async fn show(AxumState(state): AxumState<State>, visit: Visit, Query(asked): Query<Asked>) -> Answer {
    if !claim::window(&state).await?.claimed {
        return Ok(see("/admin/claim"));
    }
    let mut form = Form::with([("next", asked.next)]);
    if asked.reason == "clock" {
        form.trouble(CLOCK);
    }
    Ok(page(&visit, &form))
}

async fn login(AxumState(state): AxumState<State>, visit: Visit, client: Client, mut form: Form) -> Answer {
    let password = form.value("password").to_owned();
    match sign_in::login(&state, form.value("username"), password, &client).await {
        Ok(signed_in) => {
            let next = see(within_admin(form.value("next")));
            let cookie = sign_in::cookie(&signed_in.token, &client);
            Ok(WithHeader(header::SET_COOKIE, cookie, next).into_response())
        }
        Err(Error::Unauthenticated(why)) => {
            form.trouble(why);
            Ok((StatusCode::UNAUTHORIZED, page(&visit, &form)).into_response())
        }
        Err(Error::Quota { why, retry_after }) => {
            form.trouble(why);
            let wait = [(header::RETRY_AFTER, retry_after.as_secs().to_string())];
            Ok((StatusCode::TOO_MANY_REQUESTS, wait, page(&visit, &form)).into_response())
        }
        Err(error) => Err(error),
    }
}

async fn logout(
    AxumState(state): AxumState<State>,
    client: Client,
    caller: Result<Caller>,
    _: Form,
) -> Answer {
    match caller {
        Ok(caller) => sign_in::logout(&state, &caller).await?,
        // The session may have ended by itself, which is what was asked for.
        Err(Error::Unauthenticated(_)) => {}
        Err(error) => return Err(error),
    }
    let out = noticed("/admin/login", Notice::SignedOut);
    Ok(WithHeader(header::SET_COOKIE, sign_in::cookie("", &client), out).into_response())
}

/// The place to go to after signing in: a page of the administration, else its
/// first. Anything else could lead to a stranger's page that looks like ours.
fn within_admin(next: &str) -> &str {
    let inside =
        next.strip_prefix("/admin").is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    // One that a browser folds would lead out of it.
    let path = next.split(['?', '#']).next().unwrap_or_default();
    if inside && plain && RequestPath::parse(path).is_ok() { next } else { "/admin" }
}

fn page(visit: &Visit, form: &Form) -> Response {
    let title = format!("Sign in to {}", visit.machine);
    let main = html! {
        form.card method="post" action="/admin/login" {
            (parts::troubles(form))
            (parts::input(form, &Input {
                name: "username", label: "User name", autocomplete: "username", ..Input::default()
            }))
            (parts::input(form, &Input {
                name: "password", label: "Password", kind: "password", autocomplete: "current-password",
                ..Input::default()
            }))
            input type="hidden" name="next" value=(within_admin(form.value("next")));
            button { "Sign in" }
        }
    };
    Frame::of_stranger(visit, &title).around(&main).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_administration_are_gone_to() {
        for inside in ["/admin", "/admin/apps/x", "/admin?cursor=a", "/admin/apps/x/logs?status=failed"] {
            assert_eq!(within_admin(inside), inside);
        }
        for outside in [
            "/admin/../~garden/c",
            "/admin/%2e%2e/~garden/c",
            "/admin/.%2e/c",
            "/admin//evil.example",
            "",
            "/",
            "//evil.example",
            "https://evil.example/admin",
            "/administrator",
            "/admin\\@evil.example",
            "/~shop/login",
            "/admin/\n",
            "javascript:alert(1)",
            "admin",
        ] {
            assert_eq!(within_admin(outside), "/admin", "{outside}");
        }
    }
}
