//! Who belongs to an app, as a part of its settings.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::post,
};
use maud::{Markup, html};

use super::Desk;
use crate::{
    access::{AppRole, Capability, capability::needs::AppAdmin},
    admin,
    base::{Error, Result, cursor::MAX_LIMIT, id::UserId, name::Username},
    page::{
        Form, Notice, Page, Place, Visit,
        layout::Answer,
        noticed,
        parts::{self, Input},
        time,
    },
    store::{
        app::App,
        member::{self, Member},
        user,
    },
    web::{InApp, State},
};

/// The page, which is that of the settings.
pub(in crate::ui) const PAGE: Page = Page {
    path: "/admin/apps/{app}/members",
    place: Place::Nowhere,
    needs: Some(Capability::AppAdmin),
    router,
};

/// The roles in an app, and what they mean.
const ROLES: [(AppRole, &str); 3] = [
    (AppRole::Viewer, "Viewer: reads scripts, routes, log"),
    (AppRole::Editor, "Editor: writes scripts and routes"),
    (AppRole::AppAdmin, "App admin: domains, members, all"),
];

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/members", post(add))
        .route("/admin/apps/{app}/members/{user}", post(change))
        .route("/admin/apps/{app}/members/{user}/remove", post(remove))
}

async fn add(
    AxumState(state): AxumState<State>,
    scope: InApp<AppAdmin>,
    visit: Visit,
    mut form: Form,
) -> Answer {
    let done = added(&state, &scope, &mut form).await.map(|member| (member.user_id, Notice::MemberSet));
    answered(&state, (&scope, &visit), (form, done)).await
}

async fn added(state: &State, scope: &InApp<AppAdmin>, form: &mut Form) -> Result<Member> {
    let username = form.read::<Username>("username");
    let role = chosen(form);
    let (username, role) = form.done(username.zip(role))?;
    let user = user::by_name(&state.db, &username).await?;
    let user = user.ok_or_else(|| Error::invalid("username", "is the name of no user here"))?;
    admin::member::set(state, &scope.caller, &scope.app, (user.id, role)).await
}

async fn change(
    AxumState(state): AxumState<State>,
    scope: InApp<AppAdmin>,
    (visit, Path(path)): (Visit, Path<Vec<(String, String)>>),
    mut form: Form,
) -> Answer {
    let user = user_in(&path)?;
    let role = chosen(&mut form);
    let done = match form.done(role) {
        Ok(role) => admin::member::set(&state, &scope.caller, &scope.app, (user, role)).await,
        Err(error) => Err(error),
    };
    answered(&state, (&scope, &visit), (form, done.map(|_| (user, Notice::MemberSet)))).await
}

async fn remove(
    AxumState(state): AxumState<State>,
    scope: InApp<AppAdmin>,
    (visit, Path(path)): (Visit, Path<Vec<(String, String)>>),
    form: Form,
) -> Answer {
    let user = user_in(&path)?;
    let done = admin::member::remove(&state, &scope.caller, &scope.app, user).await;
    answered(&state, (&scope, &visit), (form, done.map(|()| (user, Notice::MemberRemoved)))).await
}

fn user_in(path: &[(String, String)]) -> Result<UserId> {
    let id = path.iter().find(|(name, _)| name == "user").and_then(|(_, id)| id.parse().ok());
    id.ok_or_else(|| Error::NotFound("user".to_owned()))
}

/// Reads the role that was chosen.
fn chosen(form: &mut Form) -> Option<AppRole> {
    let role = ROLES.iter().map(|(role, _)| *role).find(|role| role.to_string() == form.value("role"));
    if role.is_none() {
        form.wrong("role", "must be viewer, editor or app_admin");
    }
    role
}

async fn answered(
    state: &State,
    (scope, visit): (&InApp<AppAdmin>, &Visit),
    (mut form, done): (Form, Result<(UserId, Notice)>),
) -> Answer {
    match done {
        // Who changes their own role may not see these settings any more.
        Ok((user, notice)) if user == scope.caller.user.id && !scope.caller.runs_instance() => {
            Ok(noticed("/admin", notice))
        }
        Ok((_, notice)) => Ok(noticed(&format!("/admin/apps/{}/settings", scope.app.slug), notice)),
        Err(error) => {
            let status = form.refused(error)?;
            let desk = Desk { member: form, ..Desk::default() };
            let page = super::page(state, visit, (&scope.app, &scope.caller), desk).await?;
            Ok((status, page).into_response())
        }
    }
}

/// The part of the settings about members.
pub(super) async fn panel(state: &State, app: &App, form: &Form) -> Result<Markup> {
    let members = member::list(&state.db, app.id, None, MAX_LIMIT).await?;
    let here = format!("/admin/apps/{}/members", app.slug);
    let roles: Vec<_> = ROLES.iter().map(|(role, words)| (role.to_string(), (*words).to_owned())).collect();
    Ok(html! {
        section aria-labelledby="members" {
            h2 #members { "Members" }
            p { "Who has no role here cannot tell that this app exists. Owners and admins of the machine need none." }
            @if !members.items.is_empty() { (table(&here, &members.items)) }
            @if members.next_cursor.is_some() { p.hint { "There are more; the API lists them all." } }
            form.card method="post" action=(here) {
                (parts::token())
                (parts::troubles(form))
                div.columns {
                    (parts::input(form, &Input {
                        name: "username", label: "Add a member", hint: "Their user name.", ..Input::default()
                    }))
                    (parts::select(form, ("role", "Role"), &roles))
                }
                button { "Add member" }
            }
        }
    })
}

fn table(here: &str, members: &[Member]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "User" } th { "Role" } th { "Since" } th {} } }
            tbody {
                @for member in members {
                    tr {
                        td { (member.username) }
                        td { (role_form(here, member)) }
                        td { (time::ago(member.created_at)) }
                        td.actions.near {
                            (parts::post(&format!("{here}/{}/remove", member.user_id), "Remove", "quiet bad"))
                        }
                    }
                }
            }
        } }
    }
}

fn role_form(here: &str, member: &Member) -> Markup {
    html! {
        form.row method="post" action={ (here) "/" (member.user_id) } {
            (parts::token())
            select name="role" aria-label={ "Role of " (member.username) } {
                @for (role, _) in &ROLES {
                    option value=(role) selected[*role == member.role] { (role) }
                }
            }
            button.quiet { "Change" }
        }
    }
}
