//! The routes of one app.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    Entry,
    trie::{Leaf, Trie},
};
use crate::{
    base::{
        id::AppId,
        name::Slug,
        pattern::{HostRule, Method, RequestPath},
    },
    store::{app::Cors, route::AppRow},
};

/// Through which address a request came to its app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address<'h> {
    /// By this host: only routes for it answer.
    Host(&'h str),
    /// By `/~slug`: a route answers whatever its host rule.
    Slug,
}

/// What an app has for a request.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// A route.
    Route(Match),
    /// The path is known, but only under these methods.
    MethodNotAllowed(Vec<Method>),
    /// Nothing.
    Nothing,
}

/// A route that answers, and what it bound.
#[derive(Debug, PartialEq)]
pub struct Match {
    /// The route.
    pub entry: Arc<Entry>,
    /// The parameters of host and path; that of the host has no text when the
    /// app was addressed by its slug.
    pub params: Vec<(String, Option<String>)>,
    /// What a prefix or a remainder took, without its leading slash.
    pub rest: Option<String>,
}

/// The routes of one app, compiled.
#[derive(Debug)]
pub(super) struct App {
    pub(super) id: AppId,
    pub(super) slug: Slug,
    pub(super) cors: Option<Arc<Cors>>,
    exact: HashMap<Box<str>, Trie>,
    wildcard: HashMap<Box<str>, Trie>,
    any: Arc<Trie>,
    /// For addressing by slug: the routes of all hosts, in the order in which
    /// host rules are preferred. There are as many as wildcards have lengths.
    by_slug: Vec<Arc<Trie>>,
}

impl App {
    /// Compiles an app's routes, which come oldest first.
    pub(super) fn new(row: AppRow, entries: Vec<Arc<Entry>>) -> Self {
        let (mut exact, mut wildcard, mut any) = (HashMap::new(), HashMap::new(), Vec::new());
        let mut tiers: BTreeMap<Tier, Vec<Arc<Entry>>> = BTreeMap::new();
        for entry in entries {
            let group: &mut Vec<Arc<Entry>> = match &entry.rule.host {
                HostRule::Any => &mut any,
                HostRule::Exact(name) => exact.entry(name.as_str().into()).or_default(),
                HostRule::Wildcard { name, .. } => wildcard.entry(name.as_str().into()).or_default(),
            };
            group.push(Arc::clone(&entry));
            if let Some(tier) = Tier::of(&entry.rule.host) {
                tiers.entry(tier).or_default().push(entry);
            }
        }
        let any = Arc::new(Trie::new(any));
        let mut by_slug: Vec<_> = tiers.into_values().map(|entries| Arc::new(Trie::new(entries))).collect();
        by_slug.push(Arc::clone(&any));
        let cors = row.cors.map(|cors| Arc::new(cors.0));
        let (exact, wildcard) = (tries(exact), tries(wildcard));
        Self { id: row.id, slug: row.slug, cors, exact, wildcard, any, by_slug }
    }

    /// The route that answers, or why none does.
    pub(super) fn find(&self, address: Address<'_>, method: &str, path: &RequestPath) -> Found {
        let chosen = self.visit(address, path, |leaf| match leaf.choose(method) {
            Some(entry) => ControlFlow::Break(entry),
            None => ControlFlow::Continue(()),
        });
        if let ControlFlow::Break(entry) = chosen {
            return bind(entry, address, path).map_or(Found::Nothing, Found::Route);
        }
        let allow = self.allow(address, path);
        if allow.is_empty() { Found::Nothing } else { Found::MethodNotAllowed(allow) }
    }

    /// The methods under which the path is known.
    pub(super) fn allow(&self, address: Address<'_>, path: &RequestPath) -> Vec<Method> {
        let mut allow = BTreeSet::new();
        let all: ControlFlow<()> = self.visit(address, path, |leaf| {
            leaf.iter().for_each(|entry| entry.add_methods(&mut allow));
            ControlFlow::Continue(())
        });
        debug_assert!(all.is_continue(), "every leaf was visited");
        Method::all().filter(|method| allow.contains(method)).collect()
    }

    /// Visits what matches host and path, the preferred first.
    fn visit<'t, B>(
        &'t self,
        address: Address<'_>,
        path: &RequestPath,
        mut visit: impl FnMut(&'t Leaf) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Address::Host(host) = address else {
            return self.by_slug.iter().try_for_each(|trie| trie.visit(path.segments(), &mut visit));
        };
        if let Some(trie) = self.exact.get(host) {
            trie.visit(path.segments(), &mut visit)?;
        }
        for trie in names_above(host).filter_map(|name| self.wildcard.get(name)) {
            trie.visit(path.segments(), &mut visit)?;
        }
        self.any.visit(path.segments(), &mut visit)
    }
}

fn tries(groups: HashMap<Box<str>, Vec<Arc<Entry>>>) -> HashMap<Box<str>, Trie> {
    groups.into_iter().map(|(name, entries)| (name, Trie::new(entries))).collect()
}

/// The names a host lies below, longest first: `b.c` and `c` of `a.b.c`.
pub(super) fn names_above(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').map(|(dot, _)| &host[dot + 1..])
}

/// The place of a host rule among those of an app addressed by its slug.
/// Ordered: an exact host, then wildcards from the longest; any host is last.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Exact,
    Wildcard(std::cmp::Reverse<usize>),
}

impl Tier {
    fn of(rule: &HostRule) -> Option<Self> {
        match rule {
            HostRule::Any => None,
            HostRule::Exact(_) => Some(Self::Exact),
            HostRule::Wildcard { name, .. } => {
                Some(Self::Wildcard(std::cmp::Reverse(name.as_str().split('.').count())))
            }
        }
    }
}

/// Takes the parameters out of host and path.
fn bind(entry: &Arc<Entry>, address: Address<'_>, path: &RequestPath) -> Option<Match> {
    let bound = entry.rule.path.bind(path)?;
    let mut params = Vec::with_capacity(bound.params.len() + 1);
    if let HostRule::Wildcard { name, param: Some(param) } = &entry.rule.host {
        let labels = match address {
            Address::Host(host) => name.labels_before(host).map(str::to_owned),
            Address::Slug => None,
        };
        params.push((param.to_string(), labels));
    }
    params.extend(bound.params.iter().map(|(name, text)| (name.to_string(), Some((*text).to_owned()))));
    Some(Match { entry: Arc::clone(entry), params, rest: bound.rest.map(str::to_owned) })
}
