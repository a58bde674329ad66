//! Who changed what: the audit log, newest first.

use axum::{Router, extract::State as AxumState, response::IntoResponse as _, routing::get};
use http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use crate::{
    access::{Caller, Capability, capability::needs::InstanceManageSettings},
    admin::{self, audit::Asked as Typed},
    base::{
        Result,
        cursor::{DEFAULT_LIMIT, MAX_LIMIT, Page as Listed},
        id::AppId,
    },
    page::{
        Form, Page, Place, Visit,
        layout::{Answer, Frame},
        parts::{self, Input},
        time,
    },
    store::{
        app::{self, App},
        audit::{self, Action, Told},
    },
    web::{InInstance, Query, State},
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/audit",
    place: Place::Top("Audit"),
    needs: Some(Capability::InstanceManageSettings),
    router,
};

fn router() -> Router<State> {
    Router::new().route(PAGE.path, get(show))
}

/// Which entries to show; what is empty filters nothing.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    actor: String,
    action: String,
    app: String,
    cursor: Option<String>,
}

impl Asked {
    /// The address of this list, without its cursor.
    fn address(&self) -> String {
        let pairs = [("actor", &self.actor), ("action", &self.action), ("app", &self.app)];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.is_empty() { PAGE.path.to_owned() } else { format!("{}?{query}", PAGE.path) }
    }

    /// What is filtered by.
    fn typed(&self) -> Typed {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Typed { actor: some(&self.actor), action: some(&self.action), app: some(&self.app) }
    }
}

async fn show(
    AxumState(state): AxumState<State>,
    on: InInstance<InstanceManageSettings>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Answer {
    let mut form = Form::with([
        ("actor", asked.actor.clone()),
        ("action", asked.action.clone()),
        ("app", asked.app.clone()),
    ]);
    let (status, found) = match find(&state, &on.caller, &asked).await {
        Ok(found) => (StatusCode::OK, found),
        Err(error) => (form.refused(error)?, Listed { items: Vec::new(), next_cursor: None }),
    };
    let apps = app::list(&state.db, &on.caller, None, MAX_LIMIT).await?.items;
    let main = html! {
        (filters(&form, &apps))
        @if found.items.is_empty() {
            (parts::empty("Here stands who changed what, when and from where. Nothing matches.", &html! {}))
        } @else {
            (table(&found.items, &apps))
            (parts::next_page(&asked.address(), found.next_cursor.as_deref()))
        }
        p.hint {
            "Entries are only ever added, each with the hash of the one before: "
            code { "picloud doctor" } " finds one that was changed or taken out."
        }
    };
    Ok((status, Frame::new(&visit, &on.caller, "Audit").around(&main)).into_response())
}

async fn find(state: &State, caller: &Caller, asked: &Asked) -> Result<Listed<Told>> {
    let filter = admin::audit::wanted(state, caller, asked.typed()).await?;
    audit::list(&state.db, &filter, asked.cursor.as_deref(), DEFAULT_LIMIT).await
}

fn filters(form: &Form, apps: &[App]) -> Markup {
    let mut named = vec![(String::new(), "All apps".to_owned())];
    named.extend(apps.iter().map(|app| (app.slug.to_string(), app.name.to_string())));
    let asked = form.value("app");
    // An app that is gone, or one that is asked for by its id.
    if !named.iter().any(|(value, _)| value == asked) {
        named.push((asked.to_owned(), asked.to_owned()));
    }
    html! {
        form.filters method="get" action=(PAGE.path) {
            (parts::troubles(form))
            (parts::input(form, &Input {
                name: "actor", label: "Who", optional: true, ..Input::default()
            }))
            (parts::select(form, ("action", "What"), &actions()))
            (parts::select(form, ("app", "App"), &named))
            button.quiet { "Show" }
        }
    }
}

/// The actions to choose from, those on one noun together.
fn actions() -> Vec<(String, String)> {
    let mut all = vec![(String::new(), "Everything".to_owned())];
    let mut last = "";
    for action in Action::ALL.iter().map(|action| action.as_str()) {
        let noun = action.split('.').next().unwrap_or(action);
        if noun != last {
            all.push((noun.to_owned(), format!("{noun}: all")));
            last = noun;
        }
        all.push((action.to_owned(), action.to_owned()));
    }
    all
}

fn table(entries: &[Told], apps: &[App]) -> Markup {
    html! {
        div.table { table {
            thead { tr { th { "When" } th { "Who" } th { "What" } th { "App" } th { "From" } } }
            tbody {
                @for entry in entries {
                    tr {
                        td { (time::ago(entry.at)) }
                        td { (only("actor", &entry.actor, &entry.actor)) }
                        td.summary { (what(entry)) }
                        td { @if let Some(id) = entry.app_id { (app_of(id, apps)) } }
                        td { @if let Some(address) = &entry.address { code { (address) } } }
                    }
                }
            }
        } }
    }
}

/// What was done: in words, by name, and what else is known of it.
fn what(entry: &Told) -> Markup {
    let action = Action::ALL.iter().find(|action| action.as_str() == entry.action);
    html! {
        @if let Some(action) = action { (action.words()) " " }
        span.hint { (only("action", &entry.action, &entry.action)) }
        @if entry.details.is_empty() {
            @if let Some(target) = &entry.target { p.hint { (target) } }
        } @else {
            p.hint title=[entry.target.as_deref()] {
                @for (at, (name, value)) in entry.details.iter().enumerate() {
                    @if at > 0 { " · " }
                    (name.replace('_', " ")) " " b { (plain(value)) }
                }
            }
        }
    }
}

/// A value of the details as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) if all.is_empty() => "nothing".to_owned(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn app_of(id: AppId, apps: &[App]) -> Markup {
    match apps.iter().find(|app| app.id == id) {
        Some(app) => only("app", app.slug.as_str(), app.name.as_str()),
        // It is gone, or one of very many.
        None => only("app", &id.to_string(), &format!("{:.8}…", id.to_string())),
    }
}

/// A link to the entries of one kind alone.
fn only(name: &str, value: &str, text: &str) -> Markup {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    html! { a href={ (PAGE.path) "?" (query) } { (text) } }
}
