//! The paths of one app, or of one host of it, as a tree of segments.
//!
//! A look-up walks down the segments of a path, so its cost depends on the
//! path and on how many patterns share a beginning with it, not on how many
//! routes there are. At each segment literal text is tried before a parameter,
//! that before a remainder, and that before a prefix; where a branch turns out
//! to lead nowhere, the next is tried.

use std::{collections::HashMap, ops::ControlFlow, sync::Arc};

use super::Entry;
use crate::base::pattern::{End, Segment};

/// A tree of path patterns; its first node is the root.
#[derive(Debug)]
pub(super) struct Trie(Vec<Node>);

#[derive(Debug, Default)]
struct Node {
    /// The nodes below, by literal text.
    literals: HashMap<Box<str>, usize>,
    /// The node below for any text that is not empty.
    param: Option<usize>,
    /// The routes that end here.
    here: Leaf,
    /// The routes that take what follows, at least a slash.
    remainder: Leaf,
    /// The routes that take this and all below.
    prefix: Leaf,
}

/// The routes of one shape: at most one for each method, and one for any.
#[derive(Debug, Default)]
pub(super) struct Leaf(Vec<Arc<Entry>>);

impl Leaf {
    /// The route that answers `method`.
    pub(super) fn choose(&self, method: &str) -> Option<&Arc<Entry>> {
        self.0
            .iter()
            .filter_map(|entry| Some((entry.rank(method)?, entry)))
            .min_by_key(|(rank, _)| *rank)
            .map(|(_, e)| e)
    }

    /// All routes of the shape.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.0.iter()
    }

    /// Adds a route unless one for its method is there: the first one wins.
    fn add(&mut self, entry: Arc<Entry>) {
        if !self.0.iter().any(|other| other.rule.method == entry.rule.method) {
            self.0.push(entry);
        }
    }
}

impl Trie {
    /// Builds the tree; of routes with the same shape and method the first wins.
    pub(super) fn new(entries: impl IntoIterator<Item = Arc<Entry>>) -> Self {
        let mut trie = Self(vec![Node::default()]);
        for entry in entries {
            trie.add(entry);
        }
        trie
    }

    fn add(&mut self, entry: Arc<Entry>) {
        let mut at = 0;
        for segment in entry.rule.path.segments() {
            at = self.below(at, segment);
        }
        let node = &mut self.0[at];
        let leaf = match entry.rule.path.end() {
            End::Here => &mut node.here,
            End::Remainder(_) => &mut node.remainder,
            End::Prefix => &mut node.prefix,
        };
        leaf.add(entry);
    }

    /// The node below `at` for `segment`, made if it is not there.
    fn below(&mut self, at: usize, segment: &Segment) -> usize {
        let next = self.0.len();
        let node = &mut self.0[at];
        let below = match segment {
            Segment::Literal(text) => *node.literals.entry(text.as_str().into()).or_insert(next),
            Segment::Param(_) => *node.param.get_or_insert(next),
        };
        if below == next {
            self.0.push(Node::default());
        }
        below
    }

    /// Visits the leaves that match `segments` (joined by slashes), the most
    /// specific first, until `visit` breaks.
    pub(super) fn visit<'t, B>(
        &'t self,
        segments: &str,
        visit: &mut impl FnMut(&'t Leaf) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.visit_below(0, Some(segments), visit)
    }

    /// Visits what matches below the node `at`, where `left` are the segments still to match.
    fn visit_below<'t, B>(
        &'t self,
        at: usize,
        left: Option<&str>,
        visit: &mut impl FnMut(&'t Leaf) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let node = &self.0[at];
        let Some(left) = left else {
            visit(&node.here)?;
            return visit(&node.prefix);
        };
        let (segment, behind) = match left.split_once('/') {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (left, None),
        };
        if let Some(below) = node.literals.get(segment) {
            self.visit_below(*below, behind, visit)?;
        }
        if let Some(below) = node.param.filter(|_| !segment.is_empty()) {
            self.visit_below(below, behind, visit)?;
        }
        visit(&node.remainder)?;
        visit(&node.prefix)
    }
}
