//! All notifications that the counter has received, held against the laws: everything is heard, each change once, and no
//! end of what was never told.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::harness::sink::{Delivery, Sink};

/// How long after the receiver's answer it is surely known on both nodes: it has to be on a disk first, and on the way.
const KNOWN: Duration = Duration::from_secs(2);

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) notifications: usize,
    /// Alerts that were told as firing at some time.
    pub(super) told: BTreeSet<String>,
    /// Those of which the last that was told is that they fire.
    pub(super) firing: BTreeSet<String>,
    /// Notifications that said nothing new, and ends of what had not been told, each where no kill explains it.
    pub(super) wrong: Vec<String>,
    /// The same where one does.
    pub(super) explained: Vec<String>,
    kills: Vec<Range<Instant>>,
    /// What was told of each alert, and when.
    history: BTreeMap<String, Vec<(Instant, &'static str)>>,
}

impl Tally {
    /// Of everything the counter has received, in the order in which it came.
    pub(super) fn of(counter: &Sink, kills: &[Range<Instant>]) -> Self {
        let mut tally = Self { kills: kills.to_vec(), ..Self::default() };
        let mut last: BTreeMap<String, Delivery> = BTreeMap::new();
        for delivery in counter.at("counter") {
            let group = delivery.text("groupKey").to_owned();
            let before = last.get(&group);
            let explained = before.is_some_and(|last| fell_inside(last, kills)) || fell_inside(&delivery, kills);
            // A node that is killed may have been about to tell a beginning, and its end is told for that.
            let began = before.map_or(delivery.arrived, |last| last.arrived);
            let maybe_told = kills.iter().any(|kill| kill.end >= began && kill.start <= delivery.arrived);
            tally.take(&group, &delivery, explained, maybe_told);
            last.insert(group, delivery);
        }
        tally
    }

    fn take(&mut self, group: &str, delivery: &Delivery, explained: bool, maybe_told: bool) {
        self.notifications += 1;
        let [firing, resolved] = ["firing", "resolved"].map(|status| alerts(delivery, status));
        for (status, alerts) in [("fires", &firing), ("is over", &resolved)] {
            for alert in alerts {
                self.history.entry(alert.clone()).or_default().push((delivery.arrived, status));
            }
        }
        let unfounded: Vec<_> = resolved.iter().filter(|alert| !self.firing.contains(*alert)).collect();
        let begun = firing.iter().any(|alert| !self.firing.contains(alert));
        if !unfounded.is_empty() {
            let remarks = if explained || maybe_told { &mut self.explained } else { &mut self.wrong };
            let told = unfounded.iter().map(|alert| trace(&self.history[*alert], &self.kills));
            remarks.push(format!("{group}: the end of {unfounded:?}: {:?}", told.collect::<Vec<_>>()));
        } else if !begun && resolved.is_empty() {
            let remarks = if explained { &mut self.explained } else { &mut self.wrong };
            remarks.push(format!("{group}: nothing new"));
        }
        self.told.extend(firing.iter().cloned());
        self.firing.retain(|alert| !resolved.contains(alert));
        self.firing.extend(firing);
    }
}

/// What was told and when nodes were killed, in seconds before the last of it.
fn trace(told: &[(Instant, &'static str)], kills: &[Range<Instant>]) -> String {
    let Some((end, _)) = told.last().copied() else { return String::new() };
    let kills = kills.iter().filter(|kill| kill.start <= end).map(|kill| (kill.start, "KILL"));
    let mut all: Vec<_> = told.iter().copied().chain(kills).collect();
    all.sort();
    let shown = all.iter().map(|(at, what)| format!("-{:.1} {what}", (end - *at).as_secs_f32()));
    shown.collect::<Vec<_>>().join(", ")
}

/// The alerts of a notification that have this status, by their numbers.
fn alerts(delivery: &Delivery, status: &str) -> BTreeSet<String> {
    let alerts = delivery.body["alerts"].as_array().into_iter().flatten();
    let alerts = alerts.filter(|alert| alert["status"] == status);
    alerts.map(|alert| alert["labels"]["number"].as_str().expect("an alert of the storm").to_owned()).collect()
}

/// Whether a node was killed while it may have been sending this, or before it surely was known that it had been sent; or
/// shortly before, when the other one may have told it in its place.
fn fell_inside(delivery: &Delivery, kills: &[Range<Instant>]) -> bool {
    let known = delivery.answered.map_or(delivery.arrived, |(at, _)| at) + KNOWN;
    kills.iter().any(|kill| kill.end + KNOWN >= delivery.arrived && kill.start <= known)
}
