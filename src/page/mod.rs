//! Floor 7: what HTML pages share.
//!
//! A page is written once and works without JavaScript: forms post and
//! redirect. The shell, the parts, the form that keeps what was typed, and the
//! layer that turns errors into pages are here; the pages are in `ui`.

pub mod assets;
pub mod form;
pub mod layer;
pub mod layout;
pub mod notice;
pub mod of_app;
pub mod parts;
pub mod prose;
pub mod time;
pub mod visit;

pub use form::Form;
pub use notice::{Notice, noticed};
pub use of_app::{RouteInApp, ScriptInApp};
pub use visit::Visit;

use axum::Router;

use crate::{access::Capability, web::State};

/// A page: where it is, where the menu shows it, who may see it, what serves it.
#[derive(Debug)]
pub struct Page {
    /// Its path, with `{app}` for the slug of the app it belongs to.
    pub path: &'static str,
    /// Where the menu shows it.
    pub place: Place,
    /// What its visitor must hold; none for pages of everybody who is signed in, or of strangers.
    pub needs: Option<Capability>,
    /// The routes of the page and of its forms.
    pub router: fn() -> Router<State>,
}

/// Where the menu shows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Nowhere: another page leads to it.
    Nowhere,
    /// At the top of every page, under this name.
    Top(&'static str),
    /// On every page of an app, under this name.
    App(&'static str),
}
