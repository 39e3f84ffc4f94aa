//! Which routes an alert takes, and which group it joins on each.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::index::MatcherIndex;
use crate::label::{Fingerprint, Labels};
use crate::matcher::all_match;
use crate::policy::{GroupBy, Policy, Receiver, Route};

/// A group's identity while one policy holds: a route's number and the fingerprint of the group's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupRef {
    /// The route's number in [`Policy::routes`].
    pub route: u32,
    /// The fingerprint of the group's labels.
    pub labels: Fingerprint,
}

/// The routing tree with an index over the children of each node.
#[derive(Clone, Debug)]
pub(crate) struct Router {
    policy: Arc<Policy>,
    children: Vec<MatcherIndex<usize>>,
    /// The receiver of each route.
    receivers: Vec<Arc<Receiver>>,
}

impl Router {
    pub(crate) fn new(policy: Arc<Policy>) -> Self {
        let children = policy.routes.iter().map(|route| index_children(&policy, route)).collect();
        let by_name: BTreeMap<_, _> = policy.receivers.iter().map(|r| (r.name.clone(), Arc::new(r.clone()))).collect();
        let receivers = policy.routes.iter().map(|route| Arc::clone(&by_name[&route.receiver])).collect();
        Self { policy, children, receivers }
    }

    pub(crate) fn receiver_of(&self, route: usize) -> &Receiver {
        &self.receivers[route]
    }

    /// The groups that an alert with these labels belongs to, in the order of the routes.
    pub(crate) fn groups_of(&self, labels: &Labels) -> Arc<[GroupRef]> {
        let mut routes = Vec::new();
        self.descend(0, labels, &mut routes);
        routes.into_iter().map(|route| self.group_on(route, labels)).collect()
    }

    /// Depth first: the first matching child without `continue` is the last one tried; a node whose children do
    /// not match stands for itself.
    fn descend(&self, node: usize, labels: &Labels, found: &mut Vec<usize>) {
        let before = found.len();
        for child in self.children[node].candidates(labels) {
            let route = &self.policy.routes[child];
            if all_match(&route.matchers, labels) {
                self.descend(child, labels, found);
                if !route.continues {
                    break;
                }
            }
        }
        if found.len() == before {
            found.push(node);
        }
    }

    fn group_on(&self, route: usize, labels: &Labels) -> GroupRef {
        let group_labels = group_labels(&self.policy.routes[route], labels);
        GroupRef { route: u32::try_from(route).expect("the loader bounds routes"), labels: group_labels.fingerprint() }
    }
}

/// The labels of the group that an alert joins on `route`: those it has of the labels to group by.
pub(crate) fn group_labels(route: &Route, labels: &Labels) -> Labels {
    match &route.group_by {
        GroupBy::All => labels.clone(),
        GroupBy::Names(names) => labels.filtered(|name| names.binary_search_by(|n| n.as_str().cmp(name)).is_ok()),
    }
}

/// The key of a group: the route's key, `:`, the labels.
pub(crate) fn group_key(route: &Route, labels: &Labels) -> Arc<str> {
    format!("{}:{labels}", route.key).into()
}

/// Children are numbered in file order, so candidates come in the order in which they must be tried.
fn index_children(policy: &Policy, route: &Route) -> MatcherIndex<usize> {
    let mut index = MatcherIndex::default();
    for &child in &route.children {
        index.insert(child, &policy.routes[child].matchers);
    }
    index
}
