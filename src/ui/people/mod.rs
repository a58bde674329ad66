//! People and their programs: users, one's own account, API keys.

pub(super) mod account;
pub(super) mod keys;
mod sessions;
pub(super) mod user;
pub(super) mod users;

use maud::{Markup, html};

use crate::{
    access::{Caller, InstanceRole},
    base::redacted::Redacted,
    page::{
        Form,
        parts::{self, Input},
    },
    store::member::Membership,
};

/// The roles in the instance, and what they mean.
const ROLES: [(InstanceRole, &str); 3] = [
    (InstanceRole::Member, "Member: only what apps give them"),
    (InstanceRole::Admin, "Admin: the machine and every app"),
    (InstanceRole::Owner, "Owner: admin who may add owners"),
];

/// The roles that the caller may give, as a choice.
fn roles(caller: &Caller) -> Vec<(String, String)> {
    let given = ROLES.iter().filter(|(role, _)| caller.require_over(*role).is_ok());
    given.map(|(role, words)| (role.to_string(), (*words).to_owned())).collect()
}

/// Reads the role that was chosen.
fn chosen_role(form: &mut Form) -> Option<InstanceRole> {
    let chosen = form.value("instance_role");
    let role = ROLES.iter().map(|(role, _)| *role).find(|role| role.to_string() == chosen);
    if role.is_none() {
        form.wrong("instance_role", "must be member, admin or owner");
    }
    role
}

/// A role as a badge.
fn role_badge(role: InstanceRole) -> Markup {
    parts::badge("plain", &role.to_string())
}

/// Reads a new password, which is typed twice.
fn new_password(form: &mut Form) -> Option<Redacted> {
    if form.value("password") != form.value("again") {
        form.wrong("again", "is not the same as above");
        return None;
    }
    Some(Redacted::new(form.value("password")))
}

/// The fields for a new password.
fn password_fields(form: &Form, label: &str) -> Markup {
    html! {
        div.columns {
            (parts::input(form, &Input {
                name: "password", label, kind: "password", autocomplete: "new-password",
                hint: "At least 10 characters.", ..Input::default()
            }))
            (parts::input(form, &Input {
                name: "again", label: "The same again", kind: "password", autocomplete: "new-password",
                ..Input::default()
            }))
        }
    }
}

/// The apps somebody is a member of.
fn memberships(all: &[Membership]) -> Markup {
    html! {
        @if all.is_empty() { p.hint { "No app." } }
        ul.plain {
            @for one in all {
                li { a href={ "/admin/apps/" (one.slug) } { (one.slug) } " " (parts::badge("plain", &one.role.to_string())) }
            }
        }
    }
}
