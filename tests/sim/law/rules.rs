//! What the plan means, in words of the law's own: which alerts inhibit which, and whom an alert is told under the policy
//! that a node follows.

use std::time::Duration;

use smol_str::SmolStr;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::time::Timestamp;

use super::receiver::integration_of;
use crate::node::PEER_TIMEOUT;
use crate::plan::{INTEGRATIONS, PAUSE, Plan, Shape, at};

pub(super) struct Rules {
    shapes: Vec<Shape>,
    /// The number of the shape that each node follows.
    pub(super) follows: Vec<usize>,
    alerts: Vec<Facts>,
    /// How many seconds any two clocks may be apart.
    pub(super) skew: i64,
}

/// What an alert's labels mean.
struct Facts {
    team: SmolStr,
    /// Those that inhibit it, under a policy that lets them.
    inhibitors: Vec<usize>,
    /// Its group's key under each shape.
    group_keys: Vec<String>,
}

impl Rules {
    pub(super) fn of(plan: &Plan) -> Self {
        let shapes = plan.shapes.clone();
        let inhibits = |source: usize, target: usize| {
            let (source, target) = (&plan.alerts[source].labels, &plan.alerts[target].labels);
            source.value("severity") == "critical"
                && target.value("severity") == "warning"
                && source.value("host") == target.value("host")
        };
        let facts = |number: usize| {
            let alert = &plan.alerts[number];
            Facts {
                team: alert.labels.value("team").into(),
                inhibitors: (0..plan.alerts.len()).filter(|source| inhibits(*source, number)).collect(),
                group_keys: shapes.iter().map(|shape| shape.group_key(&alert.labels)).collect(),
            }
        };
        let alerts = (0..plan.alerts.len()).map(facts).collect();
        Self { follows: vec![0; plan.nodes], alerts, skew: plan.skew().cast_signed(), shapes }
    }

    pub(super) fn shape(&self, node: usize) -> &Shape {
        &self.shapes[self.follows[node]]
    }

    /// Whether a node expects an alert that should always fire.
    pub(super) fn expects(&self, node: usize) -> bool {
        self.shape(node).watch.as_ref().is_some_and(|watch| watch.within.is_some())
    }

    /// The alerts that inhibit this one on a node if they fire.
    pub(super) fn inhibitors(&self, node: usize, alert: usize) -> &[usize] {
        if self.shape(node).inhibits { &self.alerts[alert].inhibitors } else { &[] }
    }

    /// Whether the integration is told of the alert by a node, if anybody tells it.
    pub(super) fn is_told(&self, node: usize, alert: usize, integration: usize) -> bool {
        let shape = self.shape(node);
        let (receiver, ..) = INTEGRATIONS[integration];
        shape.has(integration) && shape.receiver_of(&self.alerts[alert].team) == receiver
    }

    /// Whether the alert belongs on a node to the group of a log entry, which is told there.
    pub(super) fn is_in(&self, node: usize, alert: usize, key: &NflogKey) -> bool {
        let group = &self.alerts[alert].group_keys[self.follows[node]];
        **group == *key.group_key && self.is_told(node, alert, integration_of(key))
    }

    /// Whether the hour mutes the alert on a node, or does so less than `minutes` away.
    pub(super) fn is_paused(&self, node: usize, alert: usize, clock: Timestamp, minutes: i64) -> bool {
        let Some(start) = self.shape(node).pause.filter(|_| self.alerts[alert].team == "dev") else { return false };
        let minute = (clock.as_secs() - at(0).as_secs()).div_euclid(60);
        (start - minutes..start + PAUSE + minutes).contains(&minute)
    }

    /// Within which an alert that is due is told: group wait and interval (or an attempt that hangs for as long), a wait
    /// for every other node, a resend and its phase, the longest back-off, a slow answer.
    pub(super) fn patience(&self) -> Duration {
        let waits = self.follows.iter().map(|shape| self.shapes[*shape].wait + self.shapes[*shape].interval);
        self.turns() + seconds(waits.max().unwrap_or(0)) + Duration::from_secs(60 + 30 + 90 + 40)
    }

    /// For how long a node may wait for the others.
    pub(super) fn turns(&self) -> Duration {
        PEER_TIMEOUT * u32::try_from(self.follows.len()).expect("a handful")
    }
}

pub(super) fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}
