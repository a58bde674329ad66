//! One's own account: who one is here, the password, where one is signed in.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::{get, post},
};
use http::{StatusCode, header};
use maud::{Markup, html};

use super::{memberships, new_password, password_fields, role_badge, sessions};
use crate::{
    access::Caller,
    admin::user as act,
    base::{Error, Result, cursor::MAX_LIMIT, id::SessionId, redacted::Redacted},
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{ACCOUNT, Answer, Frame},
        noticed,
        parts::{self, Input},
        time,
    },
    store::{
        member, session,
        user::{self, User},
    },
    web::{Client, SignedIn, State, WithHeader, sign_in},
};

/// The page.
pub(in crate::ui) const PAGE: Page = Page { path: ACCOUNT, place: Place::Nowhere, needs: None, router };

fn router() -> Router<State> {
    Router::new()
        .route("/admin/account", get(show))
        .route("/admin/account/password", post(set_password))
        .route("/admin/account/sessions/end", post(end_all))
        .route("/admin/account/sessions/{session}/end", post(end))
}

/// The caller as stored.
async fn oneself(state: &State, caller: &Caller) -> Result<User> {
    user::get(&state.db, caller.user.id).await?.ok_or_else(|| Error::NotFound("user".to_owned()))
}

async fn show(AxumState(state): AxumState<State>, on: SignedIn, visit: Visit) -> Answer {
    Ok(page(&state, &visit, &on, &Form::default()).await?.into_response())
}

async fn set_password(
    AxumState(state): AxumState<State>,
    on: SignedIn,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match changed(&state, &on.caller, &mut form).await {
        Ok(()) => Ok(noticed(PAGE.path, Notice::PasswordChanged)),
        Err(Error::Quota { why, retry_after }) => {
            form.trouble(why);
            let wait = [(header::RETRY_AFTER, retry_after.as_secs().to_string())];
            let page = page(&state, &visit, &on, &form).await?;
            Ok((StatusCode::TOO_MANY_REQUESTS, wait, page).into_response())
        }
        Err(error) => {
            let status = form.refused(error)?;
            Ok((status, page(&state, &visit, &on, &form).await?).into_response())
        }
    }
}

async fn changed(state: &State, caller: &Caller, form: &mut Form) -> Result<()> {
    let new = new_password(form);
    let new = form.done(new)?;
    let current = Redacted::new(form.value("current_password"));
    act::set_password(state, caller, &oneself(state, caller).await?, (&new, Some(&current))).await
}

async fn end(AxumState(state): AxumState<State>, on: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let id: SessionId = id.parse().map_err(|_| Error::NotFound("session".to_owned()))?;
    act::end_session(&state, &on.caller, &oneself(&state, &on.caller).await?, id).await?;
    Ok(noticed(PAGE.path, Notice::SessionEnded))
}

async fn end_all(AxumState(state): AxumState<State>, on: SignedIn, client: Client, _: Form) -> Answer {
    act::end_sessions(&state, &on.caller, &oneself(&state, &on.caller).await?).await?;
    let out = noticed("/admin/login", Notice::SignedOutEverywhere);
    Ok(WithHeader(header::SET_COOKIE, sign_in::cookie("", &client), out).into_response())
}

async fn page(state: &State, visit: &Visit, on: &SignedIn, form: &Form) -> Result<Markup> {
    let caller = &on.caller;
    let user = oneself(state, caller).await?;
    let apps = member::of_user(&state.db, user.id, None).await?;
    let open = session::list(&state.db, user.id, None, MAX_LIMIT).await?.items;
    let ends = format!("{}/sessions", PAGE.path);
    let main = html! {
        (who(&user, caller))
        section aria-labelledby="apps" { h2 #apps { "Member of" } (memberships(&apps)) }
        (password(form))
        section aria-labelledby="sessions" {
            h2 #sessions { "Where you are signed in" }
            (sessions::table(&open, Some(on.session), Some(&ends)))
            (parts::post(&format!("{ends}/end"), "Sign out everywhere", "quiet"))
        }
    };
    Ok(Frame::new(visit, caller, "Your account").around(&main))
}

fn who(user: &User, caller: &Caller) -> Markup {
    html! {
        dl.facts {
            dt { "User name" } dd { (user.username) }
            @if let Some(name) = &user.display_name { dt { "Name" } dd { (name) } }
            @if let Some(email) = &user.email { dt { "Email" } dd { (email) } }
            dt { "Role" } dd {
                (role_badge(user.instance_role))
                @if caller.runs_instance() { span.hint { " you administer every app" } }
            }
            dt { "Added" } dd { (time::ago(user.created_at)) }
        }
    }
}

fn password(form: &Form) -> Markup {
    html! {
        section aria-labelledby="password-title" {
            h2 #password-title { "Change your password" }
            form.card method="post" action={ (PAGE.path) "/password" } {
                (parts::token())
                (parts::troubles(form))
                (parts::input(form, &Input {
                    name: "current_password", label: "Present password", kind: "password",
                    autocomplete: "current-password", ..Input::default()
                }))
                (password_fields(form, "New password"))
                p.hint { "It signs you out everywhere else." }
                button { "Change password" }
            }
        }
    }
}
