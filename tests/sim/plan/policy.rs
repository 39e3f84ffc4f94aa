//! The routes, receivers and rules of a history, and how an operator changes them.

use std::time::Duration;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::policy::{GroupBy, InhibitRule, Integration, Policy, Receiver, Route};
use watchbell_engine::timeinterval::{Span, TimeInterval};

use super::expect::{WATCH, Watch};
use crate::rng::Rng;

/// The integrations that there may be: receiver, kind, index, whether it wants resolved alerts. The last one hears of what
/// is watched over.
pub(crate) const INTEGRATIONS: [(&str, &str, u32, bool); 4] =
    [("ops", "webhook", 0, true), ("dev", "webhook", 0, true), ("dev", "email", 0, false), (WATCH, "webhook", 0, true)];

/// How many of them hear of ordinary alerts.
pub(super) const ORDINARY: usize = 3;

/// What an operator decided, in the fewest words. The law reads it, the engine gets the [`Policy`] that follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// In seconds.
    pub(crate) wait: i64,
    pub(crate) interval: i64,
    pub(crate) repeat: i64,
    pub(crate) grouped: Grouped,
    /// What is critical inhibits what is a warning on the same host.
    pub(crate) inhibits: bool,
    /// The minute in which half an hour begins that mutes what is routed to the developers.
    pub(crate) pause: Option<i64>,
    /// Whether the developers have a receiver of their own, and whether it sends mails.
    pub(crate) dev: bool,
    pub(crate) email: bool,
    /// What is watched over, in a history in which anything is.
    pub(crate) watch: Option<Watch>,
}

/// By what alerts are grouped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouped {
    Together,
    Apart,
    ByName,
}

/// How long an alert is believed to fire by a node that has just started.
pub(crate) const RESOLVE_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a pause is, in minutes.
pub(crate) const PAUSE: i64 = 30;

/// What holds at first, and what an operator makes of it.
pub(super) fn shapes(rng: &mut Rng) -> Vec<Shape> {
    let first = Shape {
        wait: rng.between(0, 3) * 10,
        interval: interval(rng),
        repeat: *rng.pick(&[3600, 7200, 300]),
        grouped: grouped(rng),
        inhibits: rng.chance(50),
        pause: rng.chance(20).then(|| rng.between(10, 120)),
        dev: true,
        email: true,
        watch: None,
    };
    let mut second = first.clone();
    (0..rng.between(1, 3)).for_each(|_| change(rng, &mut second));
    // A receiver may be new as well as gone.
    if rng.chance(50) { vec![second, first] } else { vec![first, second] }
}

fn change(rng: &mut Rng, shape: &mut Shape) {
    match rng.between(0, 6) {
        0 => shape.wait = rng.between(0, 3) * 10,
        1 => shape.interval = interval(rng),
        2 => shape.grouped = grouped(rng),
        3 => shape.inhibits = !shape.inhibits,
        4 => shape.pause = if shape.pause.is_none() { Some(rng.between(10, 120)) } else { None },
        5 => shape.dev = !shape.dev,
        _ => shape.email = !shape.email,
    }
}

fn interval(rng: &mut Rng) -> i64 {
    *rng.pick(&[60, 120, 300])
}

fn grouped(rng: &mut Rng) -> Grouped {
    *rng.pick(&[Grouped::Together, Grouped::Apart, Grouped::ByName, Grouped::ByName])
}

impl Shape {
    /// Whether this integration is there, and told what is routed to its receiver.
    pub(crate) fn has(&self, integration: usize) -> bool {
        match INTEGRATIONS[integration] {
            (WATCH, ..) => self.watch.is_some(),
            ("dev", kind, ..) => self.dev && (kind != "email" || self.email),
            _ => true,
        }
    }

    /// The receiver of a team's alerts.
    pub(crate) fn receiver_of(&self, team: &str) -> &'static str {
        match team {
            "dev" if self.dev => "dev",
            WATCH if self.watch.is_some() => WATCH,
            _ => "ops",
        }
    }

    /// The key of an alert's group.
    pub(crate) fn group_key(&self, labels: &Labels) -> String {
        let route = match labels.value("team") {
            "dev" => DEV_ROUTE,
            WATCH if self.watch.is_some() => WATCH_ROUTE,
            _ => "{}",
        };
        let labels = match self.grouped {
            Grouped::Together => Labels::default(),
            Grouped::Apart => labels.clone(),
            Grouped::ByName => labels.filtered(|name| name == "alertname"),
        };
        format!("{route}:{labels}")
    }

    pub(crate) fn policy(&self) -> Policy {
        let team = |name| vec![Matcher::new("team", MatchOp::Equal, name).expect("equality needs no pattern")];
        let watched = self.watch.is_some();
        let children = if watched { vec![1, 2] } else { vec![1] };
        let root = self.route("{}", "{}", vec![], "ops", children);
        let mut dev = self.route("{}/{team=\"dev\"}/0", DEV_ROUTE, team("dev"), "dev", vec![]);
        if self.pause.is_some() {
            dev.mute_time_intervals.push("break".into());
        }
        let watch = watched.then(|| self.route("{}/{team=\"watch\"}/1", WATCH_ROUTE, team(WATCH), WATCH, vec![]));
        Policy {
            routes: [root, dev].into_iter().chain(watch).collect(),
            inhibit_rules: if self.inhibits { vec![inhibit_rule()] } else { vec![] },
            time_intervals: self.pause.map(|start| ("break".into(), vec![pause(start as i32)])).into_iter().collect(),
            receivers: ["ops", "dev", WATCH]
                .into_iter()
                .filter(|name| (0..INTEGRATIONS.len()).any(|i| INTEGRATIONS[i].0 == *name && self.has(i)))
                .map(|r| self.receiver(r))
                .collect(),
            resolve_timeout: RESOLVE_TIMEOUT,
            vigil: self.watch.as_ref().map(Watch::vigil).unwrap_or_default(),
        }
    }

    fn route(&self, id: &str, key: &str, matchers: Vec<Matcher>, team: &str, children: Vec<usize>) -> Route {
        let seconds = |s: i64| Duration::from_secs(s.unsigned_abs());
        Route {
            id: id.into(),
            key: key.into(),
            matchers,
            receiver: self.receiver_of(team).into(),
            group_by: match self.grouped {
                Grouped::Together => GroupBy::Names(vec![]),
                Grouped::Apart => GroupBy::All,
                Grouped::ByName => GroupBy::Names(vec!["alertname".into()]),
            },
            group_wait: seconds(self.wait),
            group_interval: seconds(self.interval),
            repeat_interval: seconds(self.repeat),
            mute_time_intervals: vec![],
            active_time_intervals: vec![],
            continues: false,
            children,
            labels: Labels::default(),
        }
    }

    fn receiver(&self, name: &str) -> Receiver {
        let mine =
            INTEGRATIONS.iter().enumerate().filter(|(number, (receiver, ..))| *receiver == name && self.has(*number));
        let integrations = mine.map(|(_, (_, kind, index, send_resolved))| Integration {
            kind: (*kind).into(),
            index: *index,
            send_resolved: *send_resolved,
        });
        Receiver {
            name: name.into(),
            labels: Labels::from_iter([("name", name)]),
            integrations: integrations.collect(),
        }
    }
}

/// The key of the developers' route.
const DEV_ROUTE: &str = "{}/{team=\"dev\"}";
/// That of the route of what is watched over.
const WATCH_ROUTE: &str = "{}/{team=\"watch\"}";

fn pause(start: i32) -> TimeInterval {
    let times = Some(vec![Span { first: start, last: start + PAUSE as i32 }]);
    let location = jiff::tz::TimeZone::UTC;
    TimeInterval { times, weekdays: None, days_of_month: None, months: None, years: None, location }
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
