//! The versions of a script: listed, looked at, brought back.

use axum::{
    Router,
    extract::{Path, State as AxumState},
    response::IntoResponse as _,
    routing::{get, post},
};
use maud::{Markup, html};

use super::editor;
use crate::{
    access::{
        Capability,
        capability::needs::{AppRead, AppWriteScript},
    },
    admin,
    base::{Error, Result},
    page::{
        Form, Notice, Page, Place, ScriptInApp, Visit,
        layout::{Answer, Frame},
        noticed, parts, time,
    },
    store::{
        app::App,
        script::{self, Script, Version},
    },
    web::State,
};

/// The page.
pub(super) const PAGE: Page = Page {
    path: "/admin/apps/{app}/scripts/{script}/versions/{version}",
    place: Place::Nowhere,
    needs: Some(Capability::AppRead),
    router,
};

/// How many versions a script's page lists.
const SHOWN: u32 = 20;

fn router() -> Router<State> {
    Router::new()
        .route("/admin/apps/{app}/scripts/{script}/versions/{version}", get(show))
        .route("/admin/apps/{app}/scripts/{script}/versions/{version}/restore", post(restore))
}

/// The number of a version in a path.
#[derive(serde::Deserialize)]
struct Numbered {
    version: i32,
}

async fn show(
    AxumState(state): AxumState<State>,
    scope: ScriptInApp<AppRead>,
    visit: Visit,
    number: Option<Path<Numbered>>,
) -> Answer {
    let ScriptInApp { app, script, caller, .. } = scope;
    let version = find(&state, &script, number).await?;
    let here = editor::address(&app, &script);
    let main = html! {
        p { "Saved " (time::ago(version.created_at)) " " (by(&version)) }
        @if version.version == script.version { p { (parts::badge("good", "runs now")) } }
        pre.source { (version.source) }
        @if version.version != script.version && caller.may(Capability::AppWriteScript) {
            (restore_button(&here, &version))
        }
    };
    let title = format!("{}, version {}", script.name, version.version);
    let frame = Frame::new(&visit, &caller, &title).in_app(&app).below(&here, script.name.as_str());
    Ok(frame.around(&main).into_response())
}

async fn restore(
    AxumState(state): AxumState<State>,
    scope: ScriptInApp<AppWriteScript>,
    number: Option<Path<Numbered>>,
    _: Form,
) -> Answer {
    let ScriptInApp { app, script, caller, .. } = scope;
    let old = find(&state, &script, number).await?;
    let script = admin::script::restore(&state, &caller, script.id, old).await?;
    Ok(noticed(&editor::address(&app, &script), Notice::VersionRestored))
}

/// The version a path names.
async fn find(state: &State, script: &Script, number: Option<Path<Numbered>>) -> Result<Version> {
    let version = match number {
        Some(Path(Numbered { version })) => script::version(&state.db, script.id, version).await?,
        None => None,
    };
    version.ok_or_else(|| Error::NotFound("version".to_owned()))
}

/// The list of a script's versions, for its page.
pub(super) async fn panel(state: &State, (app, script): (&App, &Script), may_write: bool) -> Result<Markup> {
    let mut connection = state.db.acquire().await?;
    let versions = script::versions(&mut connection, script.id, None, SHOWN).await?;
    let here = editor::address(app, script);
    Ok(html! {
        section aria-labelledby="versions" {
            h2 #versions { "Versions" }
            div.table { table {
                thead { tr { th { "Version" } th { "Saved" } th { "By" } th { "" } } }
                tbody {
                    @for version in &versions.items {
                        tr {
                            td { a href={ (here) "/versions/" (version.version) } { "Version " (version.version) } }
                            td { (time::ago(version.created_at)) }
                            td { (version.author.as_deref().unwrap_or("PiCloud")) }
                            td {
                                @if version.version == script.version { (parts::badge("good", "runs now")) }
                                @else if may_write { (restore_button(&here, version)) }
                            }
                        }
                    }
                }
            } }
            @if versions.next_cursor.is_some() { p.hint { "Older versions are in the API." } }
        }
    })
}

fn restore_button(here: &str, version: &Version) -> Markup {
    let label = format!("Restore version {}", version.version);
    parts::post(&format!("{here}/versions/{}/restore", version.version), &label, "quiet")
}

fn by(version: &Version) -> String {
    version.author.as_ref().map_or_else(|| "by PiCloud".to_owned(), |author| format!("by {author}"))
}
