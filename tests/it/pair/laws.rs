//! All notifications that the counter has received, held against the laws: everything is heard, each change once, and no
//! end of what was never told. What breaks them is excused where a kill fell inside a sending, and there only in what is
//! told next of its group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::killed::Cut;
use crate::harness::sink::{Delivery, Sink};

/// What a router has sent before it was killed arrives so soon; what is told because of the kill comes later: a router
/// that goes on for another one asks around for half a second first, and one that starts takes longer.
const ARRIVES: Duration = Duration::from_millis(250);

/// How many notifications a kill inside a sending excuses, the next ones of the group: each router may be in doubt of what
/// was heard, and one that has told may be killed before the other has heard of it.
pub(super) const EXCUSES: usize = 2;

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) notifications: usize,
    /// Alerts that were told as firing at some time.
    pub(super) told: BTreeSet<String>,
    /// Those of which the last that was told is that they fire.
    pub(super) firing: BTreeSet<String>,
    /// Notifications that said nothing new, and ends of what had not been told, or was over already, each where no kill
    /// excuses it.
    pub(super) wrong: Vec<String>,
    /// Notifications that said nothing new since a kill came between the sending of the one before and its log entry.
    pub(super) repeated: Vec<String>,
    /// Notifications with an end that had not to be told: a kill came between the intent to tell the beginning and the
    /// sending, or between the sending of the same end and its log entry.
    pub(super) ends: Vec<String>,
    /// What was told of each alert, and when.
    history: BTreeMap<String, Vec<(Instant, &'static str)>>,
}

impl Tally {
    /// Of everything the counter has received, in the order in which it came. These sendings to it were cut off.
    pub(super) fn of(counter: &Sink, cuts: &[Cut]) -> Self {
        let mut tally = Self::default();
        let mut open: Vec<(&Cut, usize)> = cuts.iter().map(|cut| (cut, EXCUSES)).collect();
        for delivery in counter.at("counter") {
            let group = delivery.text("groupKey").to_owned();
            let before = |cut: &Cut| cut.group == group && cut.kill.start <= delivery.arrived;
            let excused = open.iter().any(|(cut, _)| before(cut));
            tally.take(&group, &delivery, excused);
            let by_the_killed = |cut: &Cut| delivery.arrived < cut.kill.end + ARRIVES;
            let used = open.iter_mut().filter(|(cut, _)| before(cut) && !by_the_killed(cut));
            used.for_each(|(_, left)| *left -= 1);
            open.retain(|(_, left)| *left > 0);
        }
        tally
    }

    fn take(&mut self, group: &str, delivery: &Delivery, excused: bool) {
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
            let told: Vec<_> = unfounded.iter().map(|alert| trace(&self.history[*alert])).collect();
            let remark = format!("{group}: the end of {unfounded:?}: {told:?}");
            if excused { &mut self.ends } else { &mut self.wrong }.push(remark);
        } else if !begun && resolved.is_empty() {
            let remark = format!("{group}: nothing new");
            if excused { &mut self.repeated } else { &mut self.wrong }.push(remark);
        }
        self.told.extend(firing.iter().cloned());
        self.firing.retain(|alert| !resolved.contains(alert));
        self.firing.extend(firing);
    }
}

/// What was told, in seconds before the last of it.
fn trace(told: &[(Instant, &'static str)]) -> String {
    let Some((end, _)) = told.last().copied() else { return String::new() };
    let shown = told.iter().map(|(at, what)| format!("-{:.1} {what}", (end - *at).as_secs_f32()));
    shown.collect::<Vec<_>>().join(", ")
}

/// The alerts of a notification that have this status, by their numbers.
fn alerts(delivery: &Delivery, status: &str) -> BTreeSet<String> {
    let alerts = delivery.body["alerts"].as_array().into_iter().flatten();
    let alerts = alerts.filter(|alert| alert["status"] == status);
    alerts.map(|alert| alert["labels"]["number"].as_str().expect("an alert of the storm").to_owned()).collect()
}
