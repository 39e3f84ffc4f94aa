//! The routes, receivers and rules of a history.

use std::time::Duration;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::policy::{GroupBy, InhibitRule, Integration, Policy, Receiver, Route};
use watchbell_engine::timeinterval::{Span, TimeInterval};

use crate::rng::Rng;

/// The integrations of every plan: receiver, kind, index, whether it wants resolved alerts.
pub(crate) const INTEGRATIONS: [(&str, &str, u32, bool); 3] =
    [("ops", "webhook", 0, true), ("dev", "webhook", 0, true), ("dev", "email", 0, false)];

pub(super) fn policy(rng: &mut Rng) -> Policy {
    let intervals = (rng.between(0, 3) * 10, *rng.pick(&[60, 120, 300]), *rng.pick(&[3600, 7200, 300]));
    let group_by = match rng.between(0, 3) {
        0 => GroupBy::Names(vec![]),
        1 => GroupBy::All,
        _ => GroupBy::Names(vec!["alertname".into()]),
    };
    let root = route("{}", "{}", vec![], "ops", &group_by, intervals, vec![1]);
    let team = Matcher::new("team", MatchOp::Equal, "dev").expect("equality needs no pattern");
    let mut child = route("{}/{team=\"dev\"}/0", "{}/{team=\"dev\"}", vec![team], "dev", &group_by, intervals, vec![]);
    if rng.chance(20) {
        child.mute_time_intervals.push("break".into());
    }
    let start = rng.between(10, 120) as i32;
    let times = Some(vec![Span { first: start, last: start + 30 }]);
    let location = jiff::tz::TimeZone::UTC;
    let pause = TimeInterval { times, weekdays: None, days_of_month: None, months: None, years: None, location };
    Policy {
        routes: vec![root, child],
        inhibit_rules: if rng.chance(50) { vec![inhibit_rule()] } else { vec![] },
        time_intervals: [("break".into(), vec![pause])].into(),
        receivers: ["ops", "dev"].map(receiver).into(),
        resolve_timeout: Duration::from_secs(300),
        vigil: Default::default(),
    }
}

fn route(
    id: &str,
    key: &str,
    matchers: Vec<Matcher>,
    receiver: &str,
    group_by: &GroupBy,
    (wait, interval, repeat): (i64, i64, i64),
    children: Vec<usize>,
) -> Route {
    let seconds = |s: i64| Duration::from_secs(s.unsigned_abs());
    Route {
        id: id.into(),
        key: key.into(),
        matchers,
        receiver: receiver.into(),
        group_by: group_by.clone(),
        group_wait: seconds(wait),
        group_interval: seconds(interval),
        repeat_interval: seconds(repeat),
        mute_time_intervals: vec![],
        active_time_intervals: vec![],
        continues: false,
        children,
        labels: Labels::default(),
    }
}

fn receiver(name: &str) -> Receiver {
    let mine = INTEGRATIONS.iter().filter(|(receiver, ..)| *receiver == name);
    let integrations = mine.map(|(_, kind, index, send_resolved)| Integration {
        kind: (*kind).into(),
        index: *index,
        send_resolved: *send_resolved,
    });
    Receiver { name: name.into(), labels: Labels::from_iter([("name", name)]), integrations: integrations.collect() }
}

fn inhibit_rule() -> InhibitRule {
    let severity = |value: &str| vec![Matcher::new("severity", MatchOp::Equal, value).expect("no pattern")];
    InhibitRule {
        name: "".into(),
        source_matchers: severity("critical"),
        target_matchers: severity("warning"),
        equal: vec!["host".into()],
    }
}
