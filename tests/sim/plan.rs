//! A history before it happens: everything that a seed decides beforehand.

use std::collections::BTreeMap;
use std::time::Duration;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::policy::{GroupBy, InhibitRule, Integration, Policy, Receiver, Route};
use watchbell_engine::time::Timestamp;
use watchbell_engine::timeinterval::{Span, TimeInterval};

use crate::rng::Rng;

/// How long things happen; afterwards the world is healed and left alone.
pub(crate) const HOURS: i64 = 3;

/// A plan, in seconds since the start of the history.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) policy: Policy,
    pub(crate) alerts: Vec<AlertPlan>,
    pub(crate) silences: Vec<SilencePlan>,
    pub(crate) faults: Vec<(i64, Fault)>,
}

/// An alert and when it fires.
#[derive(Clone, Debug)]
pub(crate) struct AlertPlan {
    pub(crate) labels: Labels,
    pub(crate) episodes: Vec<(i64, i64)>,
}

/// A silence, made on a node, and perhaps ended early.
#[derive(Clone, Debug)]
pub(crate) struct SilencePlan {
    pub(crate) node: usize,
    pub(crate) made: i64,
    pub(crate) starts: i64,
    pub(crate) ends: i64,
    pub(crate) expired: Option<i64>,
    pub(crate) matcher: Matcher,
}

/// Something that goes wrong, or is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Crash(usize),
    Restart(usize),
    Cut(usize, usize),
    Heal,
    /// What the integration with this number does from now on.
    Receiver(usize, Mood),
    Reload,
}

/// How an integration takes what it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Fine,
    /// It takes tens of seconds, but takes it.
    Slow,
    Failing,
    Refusing,
    Hanging,
}

/// The integrations of every plan: receiver, kind, index, whether it wants resolved alerts.
pub(crate) const INTEGRATIONS: [(&str, &str, u32, bool); 3] =
    [("ops", "webhook", 0, true), ("dev", "webhook", 0, true), ("dev", "email", 0, false)];

impl Plan {
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let nodes = *rng.pick(&[1, 1, 1, 2, 2, 2, 3, 3, 4, 5]);
        let policy = policy(&mut rng);
        let alerts = (0..rng.between(1, 7)).map(|_| alert(&mut rng)).collect::<BTreeMap<Labels, _>>();
        let alerts = alerts.into_iter().map(|(labels, episodes)| AlertPlan { labels, episodes }).collect();
        let silences: Vec<_> = (0..rng.between(0, 3)).map(|_| silence(&mut rng, nodes)).collect();
        let mut faults = faults(&mut rng, nodes);
        for silence in silences.iter().filter(|_| rng.chance(10)) {
            // In the moment in which it was asked for.
            faults.push((silence.made, Fault::Crash(silence.node)));
            faults.push((silence.made + 5, Fault::Restart(silence.node)));
        }
        faults.sort_by_key(|(at, _)| *at);
        Self { nodes, policy, alerts, silences, faults }
    }
}

fn policy(rng: &mut Rng) -> Policy {
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

/// Labels with one to three episodes of at least two minutes.
fn alert(rng: &mut Rng) -> (Labels, Vec<(i64, i64)>) {
    let labels = Labels::from_iter([
        ("alertname", *rng.pick(&["Disk", "Load"])),
        ("host", *rng.pick(&["a", "b"])),
        ("severity", *rng.pick(&["critical", "warning"])),
        ("team", *rng.pick(&["dev", "ops"])),
    ]);
    let (mut episodes, mut from) = (Vec::new(), rng.between(0, 3600));
    for _ in 0..rng.between(1, 3) {
        let until = from + rng.between(120, 3600);
        episodes.push((from, until));
        from = until + rng.between(120, 1800);
    }
    (labels, episodes)
}

fn silence(rng: &mut Rng, nodes: usize) -> SilencePlan {
    let made = rng.between(60, 6000);
    let starts = made + *rng.pick(&[0, 0, 0, 600]);
    let ends = starts + rng.between(600, 5000);
    let name = *rng.pick(&["alertname=Disk", "host=a", "team=dev"]);
    let (name, value) = name.split_once('=').expect("written above");
    SilencePlan {
        node: rng.between(0, nodes as i64 - 1) as usize,
        made,
        starts,
        ends,
        expired: rng.chance(40).then(|| rng.between(made + 60, ends)),
        matcher: Matcher::new(name, MatchOp::Equal, value).expect("equality needs no pattern"),
    }
}

fn faults(rng: &mut Rng, nodes: usize) -> Vec<(i64, Fault)> {
    let mut faults = Vec::new();
    let at = |rng: &mut Rng| rng.between(60, HOURS * 3600 - 1200);
    for _ in 0..*rng.pick(&[0, 0, 1, 2]) {
        let (node, from) = (rng.between(0, nodes as i64 - 1) as usize, at(rng));
        faults.push((from, Fault::Crash(node)));
        faults.push((from + *rng.pick(&[1, 5, 60, 900]), Fault::Restart(node)));
    }
    if nodes > 1 && rng.chance(25) {
        let (one, from) = (rng.between(0, nodes as i64 - 1) as usize, at(rng));
        let others = (0..nodes).filter(|other| *other != one).map(|other| (from, Fault::Cut(one, other)));
        faults.extend(others);
        faults.push((from + rng.between(10, 1200), Fault::Heal));
    }
    for _ in 0..*rng.pick(&[0, 0, 1, 2]) {
        let (which, from) = (rng.between(0, INTEGRATIONS.len() as i64 - 1) as usize, at(rng));
        let mood = *rng.pick(&[Mood::Slow, Mood::Failing, Mood::Refusing, Mood::Hanging]);
        faults.push((from, Fault::Receiver(which, mood)));
        faults.push((from + rng.between(5, 1200), Fault::Receiver(which, Mood::Fine)));
    }
    if rng.chance(20) {
        faults.push((at(rng), Fault::Reload));
    }
    faults
}

/// The instant `seconds` after the start of every history.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_800_057_600 + seconds)
}
