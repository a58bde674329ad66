//! One visit of a page: what the shell and the addresses in it need to know.

use axum::extract::FromRequestParts;
use http::{header, request::Parts};

use super::{Notice, Page};
use crate::{
    access::form_token::FormKey,
    base::{Error, Result},
    store::app::App,
    system::disk,
    web::{Client, State},
};

/// The pages the menu is made of, as the router hands them down with each request.
#[derive(Clone, Copy, Debug)]
pub struct Menu(pub &'static [Page]);

/// One visit of a page.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The machine's name.
    pub machine: String,
    /// `http` or `https`, as the visitor sees it.
    pub scheme: &'static str,
    /// Under which host and port the visitor reached the machine.
    pub authority: String,
    /// The path that was asked for.
    pub path: String,
    /// What the page shall say about what was just done.
    pub notice: Option<Notice>,
    /// What somebody who is signed in should know, whatever page this is.
    pub(super) alarms: Vec<&'static str>,
    pub(super) menu: &'static [Page],
    pub(super) form_key: FormKey,
}

impl Visit {
    pub(super) fn of(parts: &Parts, state: &State) -> Self {
        let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        let host = parts.uri.authority().map(http::uri::Authority::as_str).or(host);
        Self {
            machine: state.host_name.clone(),
            scheme: if Client::of(parts).is_ok_and(|client| client.secure) { "https" } else { "http" },
            authority: host.unwrap_or("localhost").to_owned(),
            path: parts.uri.path().to_owned(),
            notice: Notice::of(&parts.headers),
            alarms: alarms(state),
            form_key: state.form_key.clone(),
            menu: parts.extensions.get::<Menu>().map(|menu| menu.0).unwrap_or_default(),
        }
    }

    /// The host the visitor used, without its port.
    pub fn host(&self) -> &str {
        self.split().0
    }

    /// Host and port; the port follows the last colon, unless that lies within an IPv6 address.
    fn split(&self) -> (&str, Option<&str>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (&self.authority, None),
        }
    }

    /// The address under which an app answers whatever names the network knows.
    pub fn address(&self, app: &App) -> String {
        format!("{}://{}/~{}", self.scheme, self.authority, app.slug)
    }

    /// The address of `host` at the port the visitor used.
    pub fn address_on(&self, host: &str) -> String {
        let port = self.split().1.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}://{host}{port}", self.scheme)
    }
}

/// What is not as it should be with the whole machine.
fn alarms(state: &State) -> Vec<&'static str> {
    let full = (state.disk.state() == disk::State::NearlyFull)
        .then_some("The disk is nearly full: until something is deleted, nothing can be made or changed.");
    let paused = state
        .settings
        .dispatch_paused()
        .then_some("Dispatch is paused: triggered and asynchronous runs wait.");
    full.into_iter().chain(paused).collect()
}

impl FromRequestParts<State> for Visit {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        Ok(Self::of(parts, state))
    }
}
