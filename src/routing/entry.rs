//! What the table knows of a route.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    base::{
        id::{AppId, RouteId, ScriptId},
        name::{ScriptName, Slug},
        pattern::{Method, RouteRule},
    },
    store::{route::DispatchMode, script::Sandbox},
};

/// A route and all that a run of its script needs, so that a request costs no query.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The route's id.
    pub id: RouteId,
    /// The app it belongs to.
    pub app_id: AppId,
    /// That app's slug.
    pub app_slug: Slug,
    /// The script that answers.
    pub script: Script,
    /// Which requests it answers.
    pub rule: RouteRule,
    /// Whether the caller waits for the script.
    pub dispatch_mode: DispatchMode,
}

/// The script a route leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Its id.
    pub id: ScriptId,
    /// Its name.
    pub name: ScriptName,
    /// The version that runs.
    pub version: i32,
    /// How long one run may take.
    pub timeout: Duration,
    /// Where it departs from the instance's limits.
    pub sandbox: Sandbox,
}

impl Entry {
    /// How well the route answers `method`, lowest first: by its name before
    /// any, and HEAD by GET too; none if it does not. Nobody could read what
    /// an async route answers to HEAD, so it answers none.
    pub(super) fn rank(&self, method: &str) -> Option<u8> {
        let is_head = method == Method::HEAD.as_str();
        if is_head && self.dispatch_mode == DispatchMode::Async {
            return None;
        }
        match self.rule.method {
            Some(named) if named.as_str() == method => Some(0),
            Some(Method::GET) if is_head => Some(1),
            Some(_) => None,
            None => Some(2),
        }
    }

    /// Adds the methods the route answers to `allow`.
    pub(super) fn add_methods(&self, allow: &mut BTreeSet<Method>) {
        allow.extend(Method::all().filter(|method| self.rank(method.as_str()).is_some()));
    }
}
