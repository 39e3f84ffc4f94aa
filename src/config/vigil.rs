//! What is watched over: expected alerts, dead peers, heartbeats. These keys are ours; they are judged here and shown
//! nowhere, because clients feed what is shown to Alertmanager's own parser.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::parse;
use watchbell_engine::policy::{self, Expected, Heartbeat, OwnAlert};

use super::check::Check;
use super::error::Place;
use super::file::{self, File};
use super::matchers::matchers;
use super::receivers::inherit_http;
use super::yaml::At;
use crate::settings::Invalid;
use crate::settings::duration::PrometheusDuration;
use crate::settings::global::Global;
use crate::settings::heartbeat::HeartbeatConfig;

/// More rules, or heartbeats, than this are refused: each is for a server that sends alerts.
const MAX_RULES: usize = 1000;

/// How long an expected alert may stay away where the file is silent: several times as long as Prometheus takes to
/// repeat it.
const DEFAULT_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Prometheus repeats what fires once a minute, so that less than this is missed by one lost request.
const SHORTEST_SENSIBLE: Duration = Duration::from_secs(2 * 60);

/// How long a peer may be away where the file is silent: long enough for a restart that takes its time.
const DEFAULT_AWAY: Duration = Duration::from_secs(60);

/// The policy, and the settings of its heartbeats.
pub(super) fn vigil(
    file: &mut File,
    global: &Global,
    directory: &Path,
    check: &mut Check<'_>,
) -> (policy::Vigil, Vec<HeartbeatConfig>) {
    let mut expect = Vec::new();
    for At { value, place } in &mut file.expect {
        match value {
            Some(rule) => expect.push(expected(rule, place, check)),
            None => check.problem(place, "missing rule"),
        }
    }
    unique("expect rule", expect.iter().map(|rule| rule.name.as_str()), file.expect.iter().map(|r| &r.place), check);
    let peer_down = peer_down(file.peer_down.take(), check);
    let names: BTreeSet<String> = expect.iter().map(|rule| rule.name.to_string()).collect();
    let configs = heartbeats(std::mem::take(&mut file.heartbeats), &names, global, directory, check);
    let heartbeat = |config: &HeartbeatConfig| Heartbeat {
        name: config.name.as_str().into(),
        expect: config.expect.as_str().into(),
        interval: config.interval.0,
    };
    (policy::Vigil { expect, peer_down, heartbeats: configs.iter().map(heartbeat).collect() }, configs)
}

fn expected(rule: &mut file::Expect, place: &Place, check: &mut Check<'_>) -> Expected {
    check.refuse_if(rule.name.is_empty(), place, "missing name in expect rule");
    check.refuse_if(rule.matchers.is_empty(), place, "missing matchers: they say which alert is expected");
    let matchers = matchers(check, &BTreeMap::new(), &BTreeMap::new(), &mut rule.matchers);
    if let Some(within) = &rule.within {
        check.refuse_if(within.is_zero(), &within.place, "within cannot be zero");
        if within.0 < SHORTEST_SENSIBLE {
            let text = "Prometheus repeats an alert once a minute (--rules.alert.resend-delay); \
                        with less than 2m one lost request makes it missing";
            check.warn(&within.place, text);
        }
    }
    let within = rule.within.as_ref().map_or(DEFAULT_WITHIN, |within| within.0);
    let (name, shown) = (rule.name.as_str(), PrometheusDuration(within));
    let summary = format!("The alert that the rule {name} expects has not been received for {shown}");
    let description = format!(
        "No node of Watchbell has received an alert {} for {shown}. Whoever sends it is down, or cannot reach Watchbell.",
        parse::braced(&matchers)
    );
    let raises = OwnAlert {
        labels: labels(
            &[("alertname", "ExpectedAlertMissing"), ("expect", name), ("severity", "critical")],
            &rule.labels,
            place,
            check,
        ),
        annotations: texts(&[("summary", &summary), ("description", &description)], &rule.annotations),
    };
    Expected { name: name.into(), matchers, within, raises }
}

fn peer_down(written: Option<At<file::PeerDown>>, check: &mut Check<'_>) -> Option<policy::PeerDown> {
    let At { value: rule, place } = written.unwrap_or(At { value: file::PeerDown::default(), place: Place::file() });
    if let Some(peer) = rule.labels.get("peer") {
        check.problem(&peer.place, "the label \"peer\" is the name of the peer and cannot be set");
    }
    let after = rule.after.map_or(DEFAULT_AWAY, |after| after.0);
    let raises = OwnAlert {
        labels: labels(&[("alertname", "WatchbellPeerDown"), ("severity", "warning")], &rule.labels, &place, check),
        annotations: texts(
            &[
                ("summary", "The Watchbell peer {peer} is down"),
                (
                    "description",
                    "It has not answered, nor said goodbye; its machine, its process or the way to it is gone. \
                     The other nodes notify in its place.",
                ),
            ],
            &rule.annotations,
        ),
    };
    rule.enabled.unwrap_or(true).then_some(policy::PeerDown { after, raises })
}

fn heartbeats(
    written: Vec<At<Option<HeartbeatConfig>>>,
    rules: &BTreeSet<String>,
    global: &Global,
    directory: &Path,
    check: &mut Check<'_>,
) -> Vec<HeartbeatConfig> {
    let names = written.iter().map(|at| at.value.as_ref().map_or("", |heartbeat| heartbeat.name.as_str()));
    unique("heartbeat", names, written.iter().map(|at| &at.place), check);
    let mut kept = Vec::new();
    for At { value, place } in written {
        let Some(mut heartbeat) = value else {
            check.problem(&place, "missing heartbeat");
            continue;
        };
        match heartbeat.validate() {
            Ok(()) if !rules.contains(&heartbeat.expect) => check.undefined_rule(&heartbeat.expect, rules, &place),
            Ok(()) => {
                inherit_http(&mut heartbeat.http_config, global, directory);
                kept.push(heartbeat);
            }
            Err(Invalid(message)) => check.problem(&place, message),
        }
    }
    kept
}

/// Tells of names that are taken, and of too many; a missing name is told of elsewhere.
fn unique<'a>(
    what: &str,
    names: impl Iterator<Item = &'a str>,
    places: impl Iterator<Item = &'a Place>,
    check: &mut Check<'_>,
) {
    let mut taken = BTreeSet::new();
    for (number, (name, place)) in names.zip(places).enumerate() {
        if !name.is_empty() && !taken.insert(name) {
            check.problem(place, format!("{what} name {name:?} is not unique"));
        }
        check.refuse_if(number == MAX_RULES, place, &format!("more than {MAX_RULES} of these"));
    }
}

/// The labels of an alert of our own: the defaults, and what is written over them. An empty value takes a label away.
fn labels(
    defaults: &[(&str, &str)],
    written: &BTreeMap<String, At<String>>,
    place: &Place,
    check: &mut Check<'_>,
) -> Labels {
    for (name, value) in written {
        check.label_name(name, &value.place, " in labels");
    }
    let labels = texts(defaults, written).without_empty_values();
    check.refuse_if(labels.is_empty(), place, "an alert needs at least one label");
    labels
}

fn texts(defaults: &[(&str, &str)], written: &BTreeMap<String, At<String>>) -> Labels {
    let written = written.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let merged: BTreeMap<&str, &str> = defaults.iter().copied().chain(written).collect();
    merged.into_iter().collect()
}

#[cfg(test)]
mod tests;
