//! What fires and what is muted: surely on one node, and generously judged anywhere.

use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::silence::Silence;
use watchbell_engine::time::Timestamp;

use super::{Law, Posted};
use crate::node::Node;
use crate::plan::{RESOLVE_TIMEOUT, at};

impl Law {
    /// Whether the alert fires on the node for all that its sender said, unmuted, for a few seconds already.
    pub(super) fn surely_fires(
        &self,
        now: Timestamp,
        node: &Node,
        number: usize,
        alert: usize,
        posted: &Posted,
    ) -> bool {
        let clock = node.clock(now);
        let settled = self.up_since[number] + Duration::from_secs(40) <= now;
        let fires = posted.firing_since.is_some_and(|since| since + Duration::from_secs(5) <= now);
        let lately = self.silenced_lately(clock, number, alert) || self.perhaps_inhibited(now, number, alert);
        let unmuted = !lately && self.mute(now, node, number, alert).is_none();
        settled && fires && posted.ends_at > clock && unmuted
    }

    /// Whether the node told others some seconds ago that it is silenced.
    fn silenced_lately(&self, clock: Timestamp, number: usize, alert: usize) -> bool {
        let lately = clock - Duration::from_secs(5);
        let labels = &self.plan.alerts[alert].labels;
        let held = |silence: &Arc<Silence>| silence.starts_at <= lately && lately <= silence.ends_at;
        self.silences[number].values().any(|silence| held(silence) && silence.matches(labels))
    }

    /// Whether the node has started not long ago: what inhibits the alert may have been on its disk, and counts until it had
    /// time to be repeated.
    fn perhaps_inhibited(&self, now: Timestamp, number: usize, alert: usize) -> bool {
        now < self.up_since[number] + RESOLVE_TIMEOUT && !self.rules.inhibitors(number, alert).is_empty()
    }

    /// Why the node must not tell the alert, by what it knows.
    pub(super) fn mute(&self, now: Timestamp, node: &Node, number: usize, alert: usize) -> Option<String> {
        let (clock, labels) = (node.clock(now), &self.plan.alerts[alert].labels);
        let hushes = |silence: &&Arc<Silence>| {
            let ended = silence.ends_at <= silence.updated_at || self.ending.contains(&(number, silence.id));
            !ended && silence.starts_at <= clock && clock <= silence.ends_at && silence.matches(labels)
        };
        let silenced = self.silences[number].values().find(hushes).map(|silence| format!("by silence {}", silence.id));
        let fires = |source: &usize| self.posted[number].get(source).is_some_and(|posted| posted.ends_at > clock);
        let inhibited = || self.rules.inhibitors(number, alert).iter().any(fires).then(|| "by inhibition".into());
        let paused = || self.rules.is_paused(number, alert, clock, 0).then(|| "by the hour".into());
        silenced.or_else(inhibited).or_else(paused)
    }

    /// Whether nothing mutes the alert anywhere, generously judged.
    pub(super) fn is_unmuted(&self, now: Timestamp, alert: usize) -> bool {
        let (labels, skew) = (&self.plan.alerts[alert].labels, self.rules.skew);
        let silenced = self.plan.silences.iter().any(|silence| {
            let until = silence.expired.map_or(silence.ends, |expired| expired.min(silence.ends).max(silence.made));
            let spans = at(silence.starts - skew) <= now && now <= at(silence.ends.max(until) + skew);
            spans && silence.matcher.matches(labels)
        });
        let fires = |source: &usize| self.plan.alerts[*source].fires_anywhere(now, 1200 + skew);
        let muted_on = |node: usize| {
            self.rules.inhibitors(node, alert).iter().any(fires)
                || self.rules.is_paused(node, alert, now, skew / 60 + 1)
        };
        !silenced && !(0..self.plan.nodes).any(muted_on)
    }
}
