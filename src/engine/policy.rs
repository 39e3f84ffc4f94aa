//! What an operator decided, checked and ready to be followed: routes, inhibition rules, time intervals, receivers.
//! It knows nothing of files, addresses or secrets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use smol_str::SmolStr;

use crate::label::Labels;
use crate::matcher::Matcher;
use crate::nflog::NflogKey;
use crate::timeinterval::TimeInterval;

/// The checked configuration, as far as decisions depend on it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The routing tree, depth first; the root is number 0 and always there.
    pub routes: Vec<Route>,
    /// Inhibition rules in the order of the file.
    pub inhibit_rules: Vec<InhibitRule>,
    /// Named time intervals: an instant is inside if it is inside any element. Every name a route uses is here.
    pub time_intervals: BTreeMap<SmolStr, Vec<TimeInterval>>,
    /// Receivers in the order of the file. Every name a route uses is here.
    pub receivers: Vec<Receiver>,
    /// How long an alert without an end fires after its last report.
    pub resolve_timeout: Duration,
    /// What is watched over, and raised as alerts of our own.
    pub vigil: Vigil,
}

/// What is watched over. All names are unique among their kind.
#[derive(Clone, Debug, Default)]
pub struct Vigil {
    /// Alerts that should always fire, in the order of the file.
    pub expect: Vec<Expected>,
    /// What is raised when a peer has died; `None` means nothing.
    pub peer_down: Option<PeerDown>,
    /// Proofs, for somebody outside, that everything works.
    pub heartbeats: Vec<Heartbeat>,
}

/// An alert that should always fire.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The rule's name, which all nodes know it by.
    pub name: SmolStr,
    /// All must match; never empty.
    pub matchers: Vec<Matcher>,
    /// It is missing when no node has received it for so long.
    pub within: Duration,
    /// What is raised then.
    pub raises: OwnAlert,
}

/// What is raised when a peer has died.
#[derive(Clone, Debug)]
pub struct PeerDown {
    /// How long the peer must be away.
    pub after: Duration,
    /// What is raised; the label `peer` is added, and `{peer}` in annotations stands for its name.
    pub raises: OwnAlert,
}

/// A call that says that an expected alert goes the whole way.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Its name.
    pub name: SmolStr,
    /// The name of the rule whose alert must be received and told.
    pub expect: SmolStr,
    /// Time between two calls; never zero.
    pub interval: Duration,
}

/// An alert that is raised here and not received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAlert {
    /// Its labels; never empty, and no value is.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
}

/// One node of the routing tree, with everything it inherits filled in.
#[derive(Clone, Debug)]
pub struct Route {
    /// Unique: the parent's id, `/`, the matchers, `/`, the index among its siblings; the root's is `{}`.
    pub id: Arc<str>,
    /// The parent's key, `/`, the matchers; the root's is `{}`. Part of a group's key.
    pub key: Arc<str>,
    /// All must match; sorted. Empty on the root.
    pub matchers: Vec<Matcher>,
    /// The receiver's name.
    pub receiver: SmolStr,
    /// Which labels make a group.
    pub group_by: GroupBy,
    /// How long a new group waits for company.
    pub group_wait: Duration,
    /// The time between two flushes of a group; never zero.
    pub group_interval: Duration,
    /// After how long an unchanged group is told again; never zero.
    pub repeat_interval: Duration,
    /// Names of the time intervals in which nothing is sent.
    pub mute_time_intervals: Vec<SmolStr>,
    /// Names of the time intervals outside which nothing is sent; empty means always.
    pub active_time_intervals: Vec<SmolStr>,
    /// Whether siblings after this route are tried although it matched.
    pub continues: bool,
    /// Numbers of the child routes, in order.
    pub children: Vec<usize>,
    /// The route's own and inherited labels; the values are templates.
    pub labels: Labels,
}

/// Which labels of an alert make its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// `['...']`: every label.
    All,
    /// Those of these names that the alert has; sorted.
    Names(Vec<SmolStr>),
}

/// One inhibition rule: a firing source mutes the targets that agree with it in the labels `equal`.
#[derive(Clone, Debug)]
pub struct InhibitRule {
    /// For logs; may be empty.
    pub name: SmolStr,
    /// What makes an alert a source; empty means every alert.
    pub source_matchers: Vec<Matcher>,
    /// What makes an alert a target; empty means every alert.
    pub target_matchers: Vec<Matcher>,
    /// Labels in which source and target must agree (a missing one counts as `""`); sorted, without duplicates.
    pub equal: Vec<SmolStr>,
}

/// A receiver, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its unique name.
    pub name: SmolStr,
    /// The labels of the configuration, with `name` always among them.
    pub labels: Labels,
    /// Its integrations, in the order in which Alertmanager builds them; may be empty.
    pub integrations: Vec<Integration>,
}

/// One way in which a receiver is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// The kind: `webhook`, `email`, `irc` …
    pub kind: SmolStr,
    /// The position among the receiver's integrations of this kind.
    pub index: u32,
    /// Whether the receiver wants to hear that alerts are resolved.
    pub send_resolved: bool,
}

impl Policy {
    /// Whether an integration wants to hear of resolved alerts. Of one that is not there nobody knows: it may.
    pub(crate) fn hears_ends(&self, key: &NflogKey) -> bool {
        let receiver = self.receivers.iter().find(|receiver| receiver.name == key.receiver);
        let integration = receiver
            .into_iter()
            .flat_map(|receiver| &receiver.integrations)
            .find(|integration| integration.kind == key.integration && integration.index == key.index);
        integration.is_none_or(|integration| integration.send_resolved)
    }
}

impl Receiver {
    /// The log's keys of its integrations for a group, with whether each wants to hear of resolved alerts.
    pub(crate) fn keys(&self, group_key: &Arc<str>) -> Vec<(NflogKey, bool)> {
        let key = |integration: &Integration| NflogKey {
            group_key: Arc::clone(group_key),
            receiver: self.name.clone(),
            integration: integration.kind.clone(),
            index: integration.index,
        };
        self.integrations.iter().map(|integration| (key(integration), integration.send_resolved)).collect()
    }
}
