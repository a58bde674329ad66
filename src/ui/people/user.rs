//! One user: what they may, their password, where they are signed in, their end.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::{get, post},
};
use http::StatusCode;
use maud::{Markup, html};

use super::{
    account, chosen_role, memberships, new_password, password_fields, role_badge, roles, sessions,
    users::{self, state_of},
};
use crate::{
    access::{Caller, Capability},
    admin::user as act,
    base::{
        Error, Result,
        cursor::MAX_LIMIT,
        id::{SessionId, UserId},
        name::{DisplayName, Email},
        patch::Patch,
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Input},
        time,
    },
    store::{
        member,
        session::{self, Session},
        user::{self, Belongings, User, UserChange},
    },
    web::{
        OnUser, State,
        in_app::{Changes, ChangesAccount, Reads},
    },
};

/// The page.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/users/{user}",
    place: Place::Nowhere,
    needs: Some(Capability::InstanceManageUsers),
    router,
};

fn router() -> Router<State> {
    Router::new()
        .route("/admin/users/{user}", get(show).post(change))
        .route("/admin/users/{user}/password", post(set_password))
        .route("/admin/users/{user}/sessions/end", post(end_all))
        .route("/admin/users/{user}/sessions/{session}/end", post(end))
        .route("/admin/users/{user}/delete", post(delete))
}

/// The address of a user's page.
pub(super) fn address(user: UserId) -> String {
    format!("/admin/users/{user}")
}

/// The forms of the page.
#[derive(Default)]
struct Desk {
    /// What they may; none as it is stored.
    change: Option<Form>,
    /// Another password.
    password: Form,
    /// The confirmation to delete.
    delete: Form,
}

async fn show(AxumState(state): AxumState<State>, on: OnUser<Reads>, visit: Visit) -> Answer {
    page(&state, &visit, (&on.user, &on.caller), (StatusCode::OK, Desk::default())).await
}

async fn change(
    AxumState(state): AxumState<State>,
    on: OnUser<Changes>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match changed(&state, &on, &mut form).await {
        // Who changes themselves may be no administrator any more.
        Ok(user) if user.id == on.caller.user.id => Ok(noticed(account::PAGE.path, Notice::UserChanged)),
        Ok(user) => Ok(noticed(&address(user.id), Notice::UserChanged)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { change: Some(form), ..Desk::default() };
            page(&state, &visit, (&on.user, &on.caller), (status, desk)).await
        }
    }
}

async fn changed(state: &State, on: &OnUser<Changes>, form: &mut Form) -> Result<User> {
    let display_name = form.read_if_any::<DisplayName>("display_name");
    let email = form.read_if_any::<Email>("email");
    let role = chosen_role(form);
    let role = form.done(role)?;
    let active = form.is_ticked("active");
    let change = UserChange {
        display_name: display_name.map_or(Patch::Clear, Patch::Set),
        email: email.map_or(Patch::Clear, Patch::Set),
        // What stays as it is ends no session.
        instance_role: (role != on.user.instance_role).then_some(role),
        active: (active != on.user.active).then_some(active),
    };
    act::update(state, &on.caller, on.user.id, change).await
}

async fn set_password(
    AxumState(state): AxumState<State>,
    on: OnUser<ChangesAccount>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let new = new_password(&mut form);
    let done = match form.done(new) {
        Ok(new) => act::set_password(&state, &on.caller, &on.user, (&new, None)).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(noticed(&address(on.user.id), Notice::PasswordReset)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { password: form, ..Desk::default() };
            page(&state, &visit, (&on.user, &on.caller), (status, desk)).await
        }
    }
}

async fn end(
    AxumState(state): AxumState<State>,
    on: OnUser<ChangesAccount>,
    Path(path): Path<Vec<(String, String)>>,
    _: Form,
) -> Answer {
    let id: Option<SessionId> =
        path.iter().find(|(name, _)| name == "session").and_then(|(_, id)| id.parse().ok());
    let id = id.ok_or_else(|| Error::NotFound("session".to_owned()))?;
    act::end_session(&state, &on.caller, &on.user, id).await?;
    Ok(noticed(&address(on.user.id), Notice::SessionEnded))
}

async fn end_all(AxumState(state): AxumState<State>, on: OnUser<ChangesAccount>, _: Form) -> Answer {
    act::end_sessions(&state, &on.caller, &on.user).await?;
    Ok(noticed(&address(on.user.id), Notice::SessionsEnded))
}

async fn delete(
    AxumState(state): AxumState<State>,
    on: OnUser<Changes>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let confirmed = form.value("confirm").trim() == on.user.username.as_str();
    if !confirmed {
        form.wrong("confirm", format!("must be {}", on.user.username));
    }
    let done = match form.done(Some(())) {
        Ok(()) => act::delete(&state, &on.caller, on.user.id).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(noticed(users::PAGE.path, Notice::UserDeleted)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { delete: form, ..Desk::default() };
            page(&state, &visit, (&on.user, &on.caller), (status, desk)).await
        }
    }
}

async fn page(
    state: &State,
    visit: &Visit,
    (user, caller): (&User, &Caller),
    (status, desk): (StatusCode, Desk),
) -> Answer {
    let apps = member::of_user(&state.db, user.id, None).await?;
    let open = session::list(&state.db, user.id, None, MAX_LIMIT).await?.items;
    let belongings = user::belongings(&state.db, user.id).await?;
    let may = caller.require_over(user.instance_role).is_ok();
    let main = html! {
        (facts(user))
        @if may { (change_form(user, caller, desk.change)) }
        @else { p { "Only an owner changes owners." } }
        @if user.id == caller.user.id {
            p { "Your password and where you are signed in: " a href=(account::PAGE.path) { "your account" } "." }
        } @else {
            @if may { (password_form(user, &desk.password)) }
            (sessions_of(user, &open, may))
        }
        section aria-labelledby="apps" { h2 #apps { "Member of" } (memberships(&apps)) }
        @if may { (deletion(user, belongings, &desk.delete)) }
    };
    let frame = Frame::new(visit, caller, user.username.as_str()).below(users::PAGE.path, "Users");
    Ok((status, frame.around(&main)).into_response())
}

fn facts(user: &User) -> Markup {
    html! {
        p.facts {
            (role_badge(user.instance_role)) " " (state_of(user))
            span.hint {
                " added " (time::ago(user.created_at)) ", "
                @if let Some(at) = user.last_login_at { "signed in " (time::ago(at)) } @else { "never signed in" }
            }
        }
    }
}

fn change_form(user: &User, caller: &Caller, typed: Option<Form>) -> Markup {
    let stored = || {
        let form = Form::with([
            ("display_name", user.display_name.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("email", user.email.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("instance_role", user.instance_role.to_string()),
        ]);
        if user.active { form.ticked("active") } else { form }
    };
    let form = &typed.unwrap_or_else(stored);
    html! {
        form.card method="post" action=(address(user.id)) {
            (parts::token())
            (parts::troubles(form))
            div.columns {
                (parts::input(form, &Input {
                    name: "display_name", label: "Name (optional)", optional: true, ..Input::default()
                }))
                (parts::input(form, &Input {
                    name: "email", label: "Email (optional)", optional: true, ..Input::default()
                }))
            }
            (parts::select(form, ("instance_role", "Role"), &roles(caller)))
            (parts::tick(form, "active", "Active: may sign in, and their API keys work"))
            p.hint { "Another role, or deactivation, signs them out everywhere." }
            button { "Save" }
        }
    }
}

fn password_form(user: &User, form: &Form) -> Markup {
    html! {
        section aria-labelledby="reset" {
            h2 #reset { "Reset the password" }
            form.card method="post" action={ (address(user.id)) "/password" } {
                (parts::token())
                (parts::troubles(form))
                (password_fields(form, "New password"))
                p.hint { "It signs them out everywhere." }
                button { "Reset password" }
            }
        }
    }
}

fn sessions_of(user: &User, open: &[Session], may: bool) -> Markup {
    let base = format!("{}/sessions", address(user.id));
    html! {
        section aria-labelledby="sessions" {
            h2 #sessions { "Signed in" }
            @if open.is_empty() { p.hint { "Nowhere." } } @else {
                (sessions::table(open, None, may.then_some(base.as_str())))
                @if may { (parts::post(&format!("{base}/end"), "End all", "quiet")) }
            }
        }
    }
}

fn deletion(user: &User, belongings: Belongings, form: &Form) -> Markup {
    html! {
        section aria-labelledby="delete" {
            h2 #delete { "Delete this user" }
            form.card.danger method="post" action={ (address(user.id)) "/delete" } {
                (parts::token())
                (parts::troubles(form))
                p {
                    "Deletes " strong { (user.username) } " with "
                    (time::counted(belongings.sessions, "session")) ", "
                    (time::counted(belongings.api_keys, "API key")) " and "
                    (time::counted(belongings.memberships, "membership"))
                    ". There is no way back; deactivation has one."
                }
                (parts::input(form, &Input {
                    name: "confirm", label: &format!("Type {} to confirm", user.username), ..Input::default()
                }))
                button.bad { "Delete " (user.username) }
            }
        }
    }
}
