//! The compiled table: from a request's host, path and method to a route.
//!
//! Hosts, slugs and segments are looked up by hash, so the time does not grow
//! with the number of apps or routes. The order of choice:
//!
//! 1. the app: `/~slug/...` on any host; else the app whose domain the host
//!    falls under; else, and always on the machine's own names, the default app;
//! 2. the host rule: exact, then wildcards from the longest, then any;
//! 3. the path, segment by segment from the left: literal text, a parameter, a
//!    remainder, a prefix. A path that ends where an exact route and a prefix
//!    meet is the exact one's;
//! 4. the method: named before any; HEAD is named by HEAD before GET.
//!
//! A later step decides only between routes that are equal in those before it,
//! and only among routes that match in all of them: a route that falls short
//! in a later step gives way to the next.

use std::{collections::HashMap, sync::Arc};

use super::{
    Entry,
    app::{Address, App, Found, Match, names_above},
};
use crate::{
    base::{
        id::{AppId, RouteId},
        name::Slug,
        pattern::{HostPattern, Method, RequestPath},
    },
    store::{app::Cors, route::AppRow},
};

/// What a table is compiled from.
#[derive(Debug, Default)]
pub struct Source {
    /// Every living app.
    pub apps: Vec<AppRow>,
    /// Slugs that apps had before.
    pub old_slugs: Vec<(Slug, AppId)>,
    /// What hosts the apps claim.
    pub domains: Vec<(AppId, HostPattern)>,
    /// The routes that are enabled and whose scripts are.
    pub entries: Vec<Entry>,
}

/// A request as the table sees it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    /// The host, lower case, without port and final dot.
    pub host: &'r str,
    /// Whether that is one of the machine's own names.
    pub is_own: bool,
    /// The method, upper case.
    pub method: &'r str,
    /// The path, with `/~slug` if it has it.
    pub path: &'r RequestPath,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub enum Answer {
    /// A route answers; the path is the one its script sees.
    Route(Match, RequestPath),
    /// The path is known, but only under these methods.
    MethodNotAllowed(Vec<Method>),
    /// The app that the path names has this slug now.
    Renamed(Slug),
    /// Nothing is there.
    Nothing,
}

/// What a page is, and what pages of other origins may ask, at an address.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// Whether the host is one that the app itself has claimed, and so no other app's and not the machine's.
    pub is_at_home: bool,
    /// What pages of other origins may ask of the app; none: its routes say.
    pub cors: Option<Arc<Cors>>,
}

/// The routes of all apps, compiled.
#[derive(Debug, Default)]
pub struct Table {
    routes: HashMap<RouteId, Arc<Entry>>,
    apps: HashMap<AppId, Arc<App>>,
    exact: HashMap<Box<str>, Arc<App>>,
    wildcard: HashMap<Box<str>, Arc<App>>,
    slugs: HashMap<Slug, Arc<App>>,
    old_slugs: HashMap<Slug, Arc<App>>,
    default: Option<Arc<App>>,
}

/// The app a request is for.
enum Place<'t, 'r> {
    /// This one, which sees this path.
    App(&'t Arc<App>, Address<'r>, RequestPath),
    Renamed(&'t Arc<App>),
    Nowhere,
}

impl Table {
    /// Compiles a table.
    pub fn new(source: Source) -> Self {
        let mut of_app: HashMap<AppId, Vec<Arc<Entry>>> = HashMap::new();
        let mut entries = source.entries;
        entries.sort_by_key(|entry| entry.id);
        for entry in entries {
            of_app.entry(entry.app_id).or_default().push(Arc::new(entry));
        }
        let routes = of_app.values().flatten().map(|entry| (entry.id, Arc::clone(entry))).collect();
        let mut table = Self { routes, ..Self::default() };
        for row in source.apps {
            let (id, is_default, slug) = (row.id, row.is_default, row.slug.clone());
            let app = Arc::new(App::new(row, of_app.remove(&id).unwrap_or_default()));
            if is_default {
                table.default = Some(Arc::clone(&app));
            }
            table.slugs.insert(slug, Arc::clone(&app));
            table.apps.insert(id, app);
        }
        for (id, pattern) in source.domains {
            let Some(app) = table.apps.get(&id).map(Arc::clone) else { continue };
            match pattern {
                HostPattern::Exact(name) => table.exact.insert(name.as_str().into(), app),
                HostPattern::Wildcard(name) => table.wildcard.insert(name.as_str().into(), app),
            };
        }
        for (slug, id) in source.old_slugs {
            if let Some(app) = table.apps.get(&id).map(Arc::clone) {
                table.old_slugs.insert(slug, app);
            }
        }
        table
    }

    /// How many routes it has.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether it has no route at all.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// The route of this id, if it is in service.
    pub fn route(&self, id: RouteId) -> Option<&Arc<Entry>> {
        self.routes.get(&id)
    }

    /// What becomes of a request.
    pub fn look_up(&self, asked: Asked<'_>) -> Answer {
        match self.place(asked) {
            Place::App(app, address, path) => match app.find(address, asked.method, &path) {
                Found::Route(found) => Answer::Route(found, path),
                Found::MethodNotAllowed(allow) => Answer::MethodNotAllowed(allow),
                Found::Nothing => Answer::Nothing,
            },
            Place::Renamed(app) => Answer::Renamed(app.slug.clone()),
            Place::Nowhere => Answer::Nothing,
        }
    }

    /// The app a request is for, as browsers must treat it.
    pub fn site(&self, asked: Asked<'_>) -> Site {
        let app = match asked.path.first_segment().strip_prefix('~') {
            Some(slug) => slug.parse::<Slug>().ok().and_then(|slug| self.slugs.get(&slug)),
            None => self.by_host(asked),
        };
        let Some(app) = app else { return Site::default() };
        let is_at_home = self.claimed(asked).is_some_and(|claimed| claimed.id == app.id);
        Site { is_at_home, cors: app.cors.clone() }
    }

    /// The methods that routes take at the address of a request, whatever its own.
    pub fn methods(&self, asked: Asked<'_>) -> Vec<Method> {
        match self.place(asked) {
            Place::App(app, address, path) => app.allow(address, &path),
            Place::Renamed(_) | Place::Nowhere => Vec::new(),
        }
    }

    /// Which route of one app answers a request, or the reason why none does,
    /// in words that tell nothing about other apps.
    pub fn explain(&self, app: AppId, asked: Asked<'_>) -> Result<Match, String> {
        let (found, address, path) = match self.place(asked) {
            Place::App(found, address, path) => (found, address, path),
            Place::Renamed(now) if now.id == app => {
                return Err(format!("the slug is an old one: the request is redirected to /~{}/", now.slug));
            }
            Place::Nowhere if !asked.path.first_segment().starts_with('~') => {
                return Err("the path is reserved for PiCloud".to_owned());
            }
            Place::Renamed(_) | Place::Nowhere => return Err("the path does not address this app".to_owned()),
        };
        if found.id != app {
            return Err(match address {
                Address::Host(host) => format!("the host {host} does not lead to this app"),
                Address::Slug => "the path does not address this app".to_owned(),
            });
        }
        match found.find(address, asked.method, &path) {
            Found::Route(found) => Ok(found),
            Found::MethodNotAllowed(allow) => {
                let allow: Vec<&str> = allow.into_iter().map(Method::as_str).collect();
                Err(format!("the path is known, but only under {}", allow.join(", ")))
            }
            Found::Nothing => Err("no enabled route matches this host and path".to_owned()),
        }
    }

    fn place<'t, 'r>(&'t self, asked: Asked<'r>) -> Place<'t, 'r> {
        if let Some(slug) = asked.path.first_segment().strip_prefix('~') {
            return self.by_slug(slug, asked.path);
        }
        if asked.path.is_reserved() {
            return Place::Nowhere;
        }
        match self.by_host(asked) {
            Some(app) => Place::App(app, Address::Host(asked.host), asked.path.clone()),
            None => Place::Nowhere,
        }
    }

    fn by_slug<'t, 'r>(&'t self, slug: &str, path: &RequestPath) -> Place<'t, 'r> {
        let Ok(slug) = slug.parse::<Slug>() else { return Place::Nowhere };
        match (self.slugs.get(&slug), self.old_slugs.get(&slug)) {
            (Some(app), _) => Place::App(app, Address::Slug, path.without_first_segment()),
            (None, Some(app)) => Place::Renamed(app),
            (None, None) => Place::Nowhere,
        }
    }

    fn by_host(&self, asked: Asked<'_>) -> Option<&Arc<App>> {
        self.claimed(asked).or(self.default.as_ref())
    }

    /// The app that has claimed the host; nobody can claim the machine's own names.
    fn claimed(&self, asked: Asked<'_>) -> Option<&Arc<App>> {
        if asked.is_own {
            return None;
        }
        let exact = self.exact.get(asked.host);
        exact.or_else(|| names_above(asked.host).find_map(|name| self.wildcard.get(name)))
    }
}
