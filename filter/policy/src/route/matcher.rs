//! All rules' patterns compiled into tries of path segments, one per host pattern.
//!
//! A lookup descends by the segments of the request's path. In each node at most two ways go on: the literal
//! child of that name and the parameter. So the cost depends on the path's length and on how many templates
//! overlap, never on how many rules there are; [`MAX_VISITS`] bounds the overlap when the matcher is made.
//! Per node and list at most one candidate is kept for each method, since an earlier rule always wins.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::method::Method;
use super::pattern::Segment;
use super::{MethodSet, PathMatch, RouteMatch};
use crate::authority::Authority;

/// Most nodes of one trie that a single lookup may visit, over all possible paths.
const MAX_VISITS: usize = 1_024;

/// Keys come from the configuration, so no attacker picks them: a hash of the quick kind, without a secret.
type Map<V> = HashMap<Box<str>, V, FixedState>;

/// Finds the first rule that matches a request.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    every_host: Trie,
    hosts: Map<Trie>,
    suffixes: Map<Trie>,
}

/// The templates overlap so much that a crafted path could make a lookup slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "templates overlap too much: one path may have to be compared in {visits} places, at most {MAX_VISITS} are allowed"
)]
pub struct TooAmbiguous {
    /// How many nodes the worst path would visit.
    pub visits: usize,
}

impl Matcher {
    /// Compiles the rules' patterns; a rule is known by its place in the list.
    ///
    /// # Errors
    /// [`TooAmbiguous`]
    pub fn compile(rules: &[RouteMatch]) -> Result<Self, TooAmbiguous> {
        let mut matcher = Self::default();
        for (index, rule) in rules.iter().enumerate() {
            if rule.hosts.is_empty() {
                matcher.every_host.insert(index, rule);
            }
            for host in &rule.hosts {
                let tries = if host.wildcard {
                    &mut matcher.suffixes
                } else {
                    &mut matcher.hosts
                };
                tries
                    .entry(host.name.clone())
                    .or_default()
                    .insert(index, rule);
            }
        }
        let visits = matcher.worst_visits();
        if visits > MAX_VISITS {
            return Err(TooAmbiguous { visits });
        }
        Ok(matcher)
    }

    /// How many nodes of one trie the worst path visits.
    pub(super) fn worst_visits(&self) -> usize {
        let tries = self.hosts.values().chain(self.suffixes.values());
        let visits = tries.chain([&self.every_host]).map(Trie::worst_visits);
        visits.max().unwrap_or_default()
    }

    /// The place of the first rule that matches, or `None`.
    ///
    /// Without a `host` only rules for every host can match. `path` is [`crate::path::RequestTarget::path`].
    pub fn find(&self, host: Option<Authority<'_>>, method: &str, path: &str) -> Option<usize> {
        let mut search = Search {
            method: Method::new(method),
            path,
            best: usize::MAX,
        };
        self.every_host.search(&mut search);
        if let Some(host) = host
            && !(self.hosts.is_empty() && self.suffixes.is_empty())
        {
            self.search_host(host, &mut search);
        }
        (search.best != usize::MAX).then_some(search.best)
    }

    fn search_host(&self, authority: Authority<'_>, search: &mut Search<'_>) {
        let host = authority.normal_host();
        if let Some(trie) = self.hosts.get(&*host) {
            trie.search(search);
        }
        if !self.suffixes.is_empty() {
            let mut rest = &*host;
            while let Some((_, suffix)) = rest.split_once('.') {
                if let Some(trie) = self.suffixes.get(suffix) {
                    trie.search(search);
                }
                rest = suffix;
            }
        }
    }
}

/// What is looked for, and the first matching rule so far.
struct Search<'a> {
    method: Method<'a>,
    path: &'a str,
    best: usize,
}

/// The patterns for one host.
#[derive(Clone, Debug)]
struct Trie {
    any_path: Candidates,
    /// The root, then every node after its parent.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    literals: Map<usize>,
    parameter: Option<usize>,
    /// Rules for paths that end here.
    here: Candidates,
    /// Rules for paths that go on from here.
    below: Candidates,
    /// The first rule in this node and below; a search that has found an earlier one turns back.
    first: usize,
}

impl Default for Trie {
    fn default() -> Self {
        Self {
            any_path: Candidates::default(),
            nodes: vec![Node::new(0)],
        }
    }
}

impl Node {
    fn new(first: usize) -> Self {
        Self {
            literals: Map::default(),
            parameter: None,
            here: Candidates::default(),
            below: Candidates::default(),
            first,
        }
    }
}

impl Trie {
    fn insert(&mut self, index: usize, rule: &RouteMatch) {
        let literals = |text: &str| -> Vec<Segment> {
            let segments = text.split('/').skip(1);
            segments
                .map(|segment| Segment::Literal(segment.into()))
                .collect()
        };
        let (segments, here, below) = match &rule.path {
            PathMatch::Any => return self.any_path.push(index, &rule.methods),
            PathMatch::Exact(path) => (literals(path.as_str()), true, false),
            PathMatch::Template(template) => (template.segments().to_vec(), true, false),
            PathMatch::Prefix(path) => match path.as_str().strip_suffix('/') {
                Some(parent) => (literals(parent), false, true),
                None => (literals(path.as_str()), true, true),
            },
        };
        let mut node = 0;
        for segment in &segments {
            node = self.child(node, segment, index);
        }
        if let Some(node) = self.nodes.get_mut(node) {
            if here {
                node.here.push(index, &rule.methods);
            }
            if below {
                node.below.push(index, &rule.methods);
            }
        }
    }

    /// The child of `parent` for `segment`, made where there is none yet.
    fn child(&mut self, parent: usize, segment: &Segment, index: usize) -> usize {
        let next = self.nodes.len();
        let Some(node) = self.nodes.get_mut(parent) else {
            return parent;
        };
        let child = match segment {
            Segment::Literal(name) => *node.literals.entry(name.clone()).or_insert(next),
            Segment::Parameter(_) => *node.parameter.get_or_insert(next),
        };
        if child == next {
            self.nodes.push(Node::new(index));
        }
        child
    }

    fn search(&self, search: &mut Search<'_>) {
        self.any_path.search(search);
        if let Some(rest) = search.path.strip_prefix('/') {
            self.descend(0, Some(rest), search);
        }
    }

    /// Recurses at most as deep as the longest pattern, see [`super::pattern::MAX_SEGMENTS`].
    fn descend(&self, node: usize, rest: Option<&str>, search: &mut Search<'_>) {
        let Some(node) = self.nodes.get(node) else {
            return;
        };
        if node.first >= search.best {
            return;
        }
        let Some(rest) = rest else {
            return node.here.search(search);
        };
        node.below.search(search);
        // Byte by byte: segments are short, and a searcher is slow to set up.
        let slash = rest.bytes().position(|byte| byte == b'/');
        let (segment, rest) = match slash.and_then(|at| rest.split_at_checked(at)) {
            Some((segment, rest)) => (segment, rest.strip_prefix('/')),
            None => (rest, None),
        };
        if let Some(&child) = node.literals.get(segment) {
            self.descend(child, rest, search);
        }
        if let Some(child) = node.parameter
            && !segment.is_empty()
        {
            self.descend(child, rest, search);
        }
    }

    /// How many nodes the worst path visits: in each node the costliest literal and the parameter.
    fn worst_visits(&self) -> usize {
        let mut visits = vec![0_usize; self.nodes.len()];
        // A node stands after its parent, so backwards every child is done before its parent.
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let of = |child: &usize| visits.get(*child).copied().unwrap_or_default();
            let literal = node.literals.values().map(of).max().unwrap_or_default();
            let parameter = node.parameter.as_ref().map(of).unwrap_or_default();
            if let Some(slot) = visits.get_mut(index) {
                *slot = literal.saturating_add(parameter).saturating_add(1);
            }
        }
        visits.first().copied().unwrap_or_default()
    }
}

/// Rules with the same path, first to last, without those that an earlier one always beats.
#[derive(Clone, Debug)]
struct Candidates {
    rules: Vec<(usize, MethodSet)>,
    methods: MethodSet,
}

impl Default for Candidates {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            methods: MethodSet::empty(),
        }
    }
}

impl Candidates {
    fn push(&mut self, index: usize, methods: &MethodSet) {
        if !self.methods.covers(methods) {
            self.methods.extend(methods);
            self.rules.push((index, methods.clone()));
        }
    }

    fn search(&self, search: &mut Search<'_>) {
        let found = self
            .rules
            .iter()
            .find(|(_, methods)| methods.has(search.method));
        if let Some(&(index, _)) = found {
            search.best = search.best.min(index);
        }
    }
}
