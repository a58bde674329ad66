//! The users of the instance, and a form for a new one.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use maud::{Markup, html};

use super::{chosen_role, new_password, password_fields, role_badge, roles, user::address};
use crate::{
    access::{Caller, Capability, capability::needs::InstanceManageUsers},
    admin::user::{self as act, Person},
    base::{
        Result,
        cursor::DEFAULT_LIMIT,
        name::{DisplayName, Email, Username},
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Input},
        time,
    },
    store::user::{self, User},
    web::{InInstance, Query, State},
};

/// The page.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/users",
    place: Place::Top("Users"),
    needs: Some(Capability::InstanceManageUsers),
    router,
};

fn router() -> Router<State> {
    Router::new().route(PAGE.path, get(show).post(create))
}

/// Which part of the list to show.
#[derive(Default, serde::Deserialize)]
struct Paging {
    cursor: Option<String>,
}

async fn show(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageUsers>,
    visit: Visit,
    Query(paging): Query<Paging>,
) -> Answer {
    let page = page(&state, (&visit, &on.caller), paging.cursor.as_deref(), &Form::default()).await?;
    Ok(page.into_response())
}

async fn create(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageUsers>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    match created(&state, &on.caller, &mut form).await {
        Ok(user) => Ok(noticed(&address(user.id), Notice::UserCreated)),
        Err(error) => {
            let status = form.refused(error)?;
            let page = page(&state, (&visit, &on.caller), None, &form).await?;
            Ok((status, page).into_response())
        }
    }
}

async fn created(state: &State, caller: &Caller, form: &mut Form) -> Result<User> {
    let username = form.read::<Username>("username");
    let display_name = form.read_if_any::<DisplayName>("display_name");
    let email = form.read_if_any::<Email>("email");
    let (role, password) = (chosen_role(form), new_password(form));
    let ((username, instance_role), password) = form.done(username.zip(role).zip(password))?;
    act::create(state, caller, &Person { username, password, instance_role, display_name, email }).await
}

async fn page(
    state: &State,
    (visit, caller): (&Visit, &Caller),
    cursor: Option<&str>,
    form: &Form,
) -> Result<Markup> {
    let found = user::list(&state.db, cursor, DEFAULT_LIMIT).await?;
    let main = html! {
        (table(&found.items, caller))
        (parts::next_page(PAGE.path, found.next_cursor.as_deref()))
        (new_user(caller, form))
    };
    Ok(Frame::new(visit, caller, "Users").around(&main))
}

fn table(users: &[User], caller: &Caller) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "User" } th { "Name" } th { "Role" } th { "State" } th { "Signed in" } } }
            tbody {
                @for user in users {
                    tr {
                        td {
                            a href=(address(user.id)) { (user.username) }
                            @if user.id == caller.user.id { span.hint { " you" } }
                        }
                        td {
                            @if let Some(name) = &user.display_name { (name) }
                            @if let Some(email) = &user.email { p.hint { (email) } }
                        }
                        td { (role_badge(user.instance_role)) }
                        td { (state_of(user)) }
                        td {
                            @if let Some(at) = user.last_login_at { (time::ago(at)) } @else { span.hint { "never" } }
                        }
                    }
                }
            }
        } }
    }
}

/// Whether somebody may sign in, as a badge.
pub(super) fn state_of(user: &User) -> Markup {
    if user.active { parts::badge("good", "active") } else { parts::badge("warn", "deactivated") }
}

fn new_user(caller: &Caller, form: &Form) -> Markup {
    html! {
        section aria-labelledby="new-user" {
            h2 #new-user { "Add a user" }
            form.card method="post" action=(PAGE.path) {
                (parts::token())
                (parts::troubles(form))
                div.columns {
                    (parts::input(form, &Input {
                        name: "username", label: "User name",
                        hint: "To sign in with: letters, digits, dots, underscores and hyphens.", ..Input::default()
                    }))
                    (parts::input(form, &Input {
                        name: "display_name", label: "Name (optional)", optional: true, ..Input::default()
                    }))
                    (parts::input(form, &Input {
                        name: "email", label: "Email (optional)", optional: true, ..Input::default()
                    }))
                }
                (parts::select(form, ("instance_role", "Role"), &roles(caller)))
                (password_fields(form, "Password"))
                p.hint { "Tell them the password yourself; they can change it on their account's page." }
                button { "Add user" }
            }
        }
    }
}
