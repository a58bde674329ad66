//! One's own API keys: what programs of one's come with.

use std::{collections::BTreeSet, str::FromStr};

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::{get, post},
};
use chrono::{NaiveDate, NaiveTime};
use http::StatusCode;
use maud::{Markup, html};

use crate::{
    access::{Caller, Scope, Scopes},
    admin::api_key::{self as act, Asked},
    base::{
        Error, Result,
        cursor::{DEFAULT_LIMIT, MAX_LIMIT},
        id::ApiKeyId,
        name::KeyName,
        time::Timestamp,
    },
    page::{
        Form, Notice, Page, Place, Visit,
        layout::{Answer, Frame},
        noticed,
        parts::{self, Input},
        time,
    },
    store::{
        api_key::{self, ApiKey},
        app::{self, App},
    },
    web::{Query, SignedIn, State},
};

/// The page.
pub(in crate::ui) const PAGE: Page =
    Page { path: "/admin/keys", place: Place::Top("API keys"), needs: None, router };

fn router() -> Router<State> {
    Router::new().route("/admin/keys", get(show).post(create)).route("/admin/keys/{key}/delete", post(delete))
}

/// Which part of the list to show.
#[derive(Default, serde::Deserialize)]
struct Paging {
    cursor: Option<String>,
}

/// What the page shows beside the list.
#[derive(Default)]
struct Desk {
    /// The form for a new key.
    form: Form,
    /// The key that was just made, which is shown this once.
    made: Option<String>,
    /// Where the list begins.
    cursor: Option<String>,
}

async fn show(
    AxumState(state): AxumState<State>,
    on: SignedIn,
    visit: Visit,
    Query(paging): Query<Paging>,
) -> Answer {
    let desk = Desk { cursor: paging.cursor, ..Desk::default() };
    Ok(page(&state, &visit, &on.caller, &desk).await?.into_response())
}

/// Answers with the key itself instead of leading on: no other page knows it.
async fn create(AxumState(state): AxumState<State>, on: SignedIn, visit: Visit, mut form: Form) -> Answer {
    let (status, desk) = match created(&state, &on.caller, &mut form).await {
        Ok(key) => (StatusCode::CREATED, Desk { made: Some(key), ..Desk::default() }),
        Err(error) => (form.refused(error)?, Desk { form, ..Desk::default() }),
    };
    Ok((status, page(&state, &visit, &on.caller, &desk).await?).into_response())
}

async fn created(state: &State, caller: &Caller, form: &mut Form) -> Result<String> {
    let name = form.read::<KeyName>("name");
    let expires_at = form.read_if_any::<Day>("expires_at").map(|day| day.0);
    let ticked = Scope::ALL.iter().copied().filter(|scope| form.is_ticked(scope.name()));
    let scopes = Scopes::try_from(ticked.collect::<BTreeSet<_>>());
    let scopes = scopes.map_err(|why| form.wrong("scopes", why)).ok();
    let (name, scopes) = form.done(name.zip(scopes))?;
    let app = Some(form.value("app").to_owned()).filter(|app| !app.is_empty());
    let (_, key) = act::create(state, caller, &Asked { name, scopes, app, expires_at }).await?;
    Ok(key)
}

/// The beginning of a day, as a browser sends the day.
struct Day(Timestamp);

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
        let day = day.ok_or("must be a day such as 2030-12-31")?;
        Ok(Self(day.and_time(NaiveTime::MIN).and_utc().into()))
    }
}

async fn delete(AxumState(state): AxumState<State>, on: SignedIn, Path(id): Path<String>, _: Form) -> Answer {
    let id: ApiKeyId = id.parse().map_err(|_| Error::NotFound("key".to_owned()))?;
    act::delete(&state, &on.caller, id).await?;
    Ok(noticed(PAGE.path, Notice::KeyDeleted))
}

async fn page(state: &State, visit: &Visit, caller: &Caller, desk: &Desk) -> Result<Markup> {
    let cursor = desk.cursor.as_deref();
    let found = api_key::list(&state.db, caller.user.id, cursor, DEFAULT_LIMIT).await?;
    let apps = app::list(&state.db, caller, None, MAX_LIMIT).await?.items;
    let main = html! {
        @if let Some(key) = &desk.made { (shown_once(key)) }
        @if found.items.is_empty() {
            (parts::empty("A program that calls PiCloud for you comes with a key. It may what you may, as far as its scopes say so.", &html! {}))
        } @else {
            (table(&found.items, &apps))
            (parts::next_page(PAGE.path, found.next_cursor.as_deref()))
        }
        (new_key(&desk.form, &apps))
    };
    Ok(Frame::new(visit, caller, "API keys").around(&main))
}

fn shown_once(key: &str) -> Markup {
    html! {
        section.card.made aria-labelledby="made" role="status" {
            h2 #made { "Your new key" }
            div.field {
                label for="key" { "Copy it now: it is shown this once" }
                input.copy #key type="text" readonly value=(key) autocomplete="off" aria-describedby="key-hint";
                p.hint #key-hint {
                    "A click into it selects it whole. Programs send it as the header " code { "Authorization: Bearer …" } "."
                }
            }
        }
    }
}

fn table(keys: &[ApiKey], apps: &[App]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "Key" } th { "May" } th { "App" } th { "Last used" } th { "Until" } th {} } }
            tbody {
                @for key in keys {
                    tr {
                        td { (key.name) p.hint { code { (key.prefix) "…" } } }
                        td { @for scope in key.scopes.iter() { code { (scope) } " " } }
                        td { (app_of(key, apps)) }
                        td { @if let Some(at) = key.last_used_at { (time::ago(at)) } @else { span.hint { "never" } } }
                        td.number { (until(key)) }
                        td.actions.near { (deletion(key)) }
                    }
                }
            }
        } }
    }
}

fn app_of(key: &ApiKey, apps: &[App]) -> Markup {
    let Some(id) = key.app_id else { return html! { span.hint { "every" } } };
    html! {
        @if let Some(app) = apps.iter().find(|app| app.id == id) {
            a href={ "/admin/apps/" (app.slug) } { (app.name) }
        } @else { span.hint { "one you have no role in" } }
    }
}

fn until(key: &ApiKey) -> Markup {
    let Some(end) = key.expires_at else { return html! { span.hint { "for good" } } };
    html! {
        (time::day(end))
        @if end <= Timestamp::now() { " " (parts::badge("warn", "over")) }
    }
}

fn deletion(key: &ApiKey) -> Markup {
    let action = format!("{}/{}/delete", PAGE.path, key.id);
    parts::danger("Delete", &parts::post(&action, "Delete the key", "bad"))
}

fn new_key(form: &Form, apps: &[App]) -> Markup {
    let every = std::iter::once((String::new(), "Every app I have a role in".to_owned()));
    let named = apps.iter().map(|app| (app.slug.to_string(), format!("{} alone", app.name)));
    html! {
        section aria-labelledby="new-key" {
            h2 #new-key { "Make a key" }
            form.card method="post" action=(PAGE.path) {
                (parts::token())
                (parts::troubles(form))
                (parts::input(form, &Input {
                    name: "name", label: "What it is for", hint: "Such as: deploys from the laptop.", ..Input::default()
                }))
                (scopes(form))
                div.columns {
                    (parts::select(form, ("app", "What it reaches"), &every.chain(named).collect::<Vec<_>>()))
                    (parts::input(form, &Input {
                        name: "expires_at", label: "Refused from (optional)", kind: "date", optional: true,
                        hint: "From the beginning of that day, UTC. Empty: it does not end by itself.",
                        ..Input::default()
                    }))
                }
                button { "Make key" }
            }
        }
    }
}

/// The scopes to tick, each with what it allows.
fn scopes(form: &Form) -> Markup {
    let error = form.error("scopes");
    html! {
        fieldset.field aria-describedby=[error.map(|_| "scopes-error")] {
            legend { "What it may, as far as you may" }
            // Sent along, so that what is wrong is said here.
            input type="hidden" name="scopes" value="";
            @for scope in Scope::ALL {
                div.tick {
                    label {
                        input type="checkbox" name=(scope.name()) value="true" checked[form.is_ticked(scope.name())];
                        " " code { (scope) } " " (scope.words())
                    }
                }
            }
            @if let Some(error) = error { p.error #scopes-error { (parts::sentence(error)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_with_the_beginning_of_a_day() {
        let begins = "2030-12-31".parse::<Day>().map(|day| day.0.to_string());
        assert_eq!(begins.as_deref(), Ok("2030-12-31T00:00:00.000Z"));
        for wrong in ["", "tomorrow", "2030-02-30", "2030-1-1", "+12030-01-01"] {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
    }
}
