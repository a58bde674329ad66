//! The shell around every page: head, menu, one heading, main.

use maud::{DOCTYPE, Markup, html};

use super::{Place, Visit, assets, parts};
use crate::{access::Caller, base::Result, store::app::App};

/// The address of the page about one's own account, which every page leads to.
pub const ACCOUNT: &str = "/admin/account";

/// What the shell shows around a page's own part.
pub struct Frame<'a> {
    /// The visit.
    pub visit: &'a Visit,
    /// Who is signed in.
    pub caller: Option<&'a Caller>,
    /// The app whose page it is.
    pub app: Option<&'a App>,
    /// The heading, and the window's title.
    pub title: &'a str,
    /// What lies between the app and this page: address and name.
    pub above: Option<(&'a str, &'a str)>,
}

impl<'a> Frame<'a> {
    /// The frame of a page for somebody who is signed in.
    pub fn new(visit: &'a Visit, caller: &'a Caller, title: &'a str) -> Self {
        Self { visit, caller: Some(caller), app: None, title, above: None }
    }

    /// The frame of a page for a stranger.
    pub fn of_stranger(visit: &'a Visit, title: &'a str) -> Self {
        Self { visit, caller: None, app: None, title, above: None }
    }

    /// The frame of a page of an app.
    #[must_use]
    pub fn in_app(self, app: &'a App) -> Self {
        Self { app: Some(app), ..self }
    }

    /// The frame of a page that lies below another.
    #[must_use]
    pub fn below(self, address: &'a str, name: &'a str) -> Self {
        Self { above: Some((address, name)), ..self }
    }

    /// The whole page with this part as its main one.
    pub fn around(&self, main: &Markup) -> Markup {
        let page = self.page(main);
        match self.caller {
            Some(caller) => parts::with_token(&page, &self.visit.form_key.token_of(caller.user.id)),
            None => page,
        }
    }

    fn page(&self, main: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                (self.head())
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header())
                    @if let Some(app) = self.app { (self.app_menu(app)) }
                    main #main {
                        (self.heading())
                        @for alarm in self.alarms() { (parts::refused(alarm)) }
                        @if let Some(notice) = self.visit.notice { (parts::said(notice.text())) }
                        (main)
                    }
                }
            }
        }
    }

    /// None of them is a stranger's business.
    fn alarms(&self) -> &[&'static str] {
        if self.caller.is_some() { &self.visit.alarms } else { &[] }
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title {
                    (self.title)
                    @if let Some(app) = self.app { " · " (app.name) }
                    " · " (self.visit.machine)
                }
                link rel="stylesheet" href=(*assets::STYLE);
                link rel="icon" type="image/svg+xml" href=(*assets::ICON);
            }
        }
    }

    fn header(&self) -> Markup {
        html! {
            header.top {
                nav aria-label="PiCloud" {
                    a.brand href="/admin" { "PiCloud" span.machine { (self.visit.machine) } }
                    @if let Some(caller) = self.caller {
                        @for (address, name) in self.entries(|place| match place {
                            Place::Top(name) => Some(name),
                            _ => None,
                        }) {
                            (self.link(address, name))
                        }
                        form.sign-out method="post" action="/admin/logout" {
                            (parts::token())
                            a.who href=(ACCOUNT) title="Your account" aria-current=[self.is_here(ACCOUNT)] {
                                (caller.user.username)
                            }
                            button.quiet { "Sign out" }
                        }
                    }
                }
            }
        }
    }

    fn app_menu(&self, app: &App) -> Markup {
        html! {
            nav.app aria-label=(app.name) {
                @for (path, name) in self.entries(|place| match place {
                    Place::App(name) => Some(name),
                    _ => None,
                }) {
                    (self.link(&path.replace("{app}", app.slug.as_str()), name))
                }
            }
        }
    }

    /// What the menu shows of the visitor's pages at the places `of` names.
    fn entries(
        &self,
        of: impl Fn(Place) -> Option<&'static str>,
    ) -> impl Iterator<Item = (&'static str, &'static str)> {
        let may = |page: &super::Page| match (page.needs, self.caller) {
            (Some(capability), Some(caller)) => caller.may(capability),
            (needs, _) => needs.is_none(),
        };
        let pages = self.visit.menu.iter().filter(move |page| may(page));
        pages.filter_map(move |page| Some((page.path, of(page.place)?)))
    }

    /// A link of the menu; the page one is on, or below, is marked.
    fn link(&self, address: &str, name: &str) -> Markup {
        html! { a href=(address) aria-current=[self.is_here(address)] { (name) } }
    }

    /// Whether this is the page at `address`, or one below it.
    fn is_here(&self, address: &str) -> Option<&'static str> {
        let below = self.above.is_some_and(|(above, _)| above == address);
        if self.visit.path == address { Some("page") } else { below.then_some("true") }
    }

    fn heading(&self) -> Markup {
        html! {
            div.heading {
                @if let Some(app) = self.app {
                    p.crumbs {
                        a href="/admin" { "Apps" }
                        @if self.title != app.name.as_str() {
                            " / " a href={ "/admin/apps/" (app.slug) } { (app.name) }
                        }
                        @if let Some((address, name)) = self.above { " / " a href=(address) { (name) } }
                    }
                } @else if let Some((address, name)) = self.above {
                    p.crumbs { a href=(address) { (name) } }
                }
                h1 { (self.title) }
            }
        }
    }
}

/// A page, as handlers answer it.
pub type Answer = Result<axum::response::Response>;
