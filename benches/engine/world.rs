//! What the benchmarks of the engine are made of: alerts, routes, rules and silences in any number. It measures nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Input;
use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::nflog::{NflogEntry, NflogKey};
use watchbell_engine::policy::{GroupBy, InhibitRule, Integration, Policy, Receiver, Route};
use watchbell_engine::replica::Record;
use watchbell_engine::silence::SilenceId;
use watchbell_engine::silence::edit::{Draft, SilenceLimits};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::{NodeId, Version};
use watchbell_engine::{Engine, Options};

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// As many alerts as Prometheus sends at once.
pub(crate) const BATCH: usize = 64;

pub(crate) fn engine(policy: Policy) -> Engine {
    let options = Options {
        node: NodeId(1),
        silences: SilenceLimits { retention: HOUR, ..SilenceLimits::default() },
        alert_gc_interval: HOUR,
        per_alertname_limit: 0,
        peer_timeout: HOUR,
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    };
    Engine::new(NOW, options, Arc::new(policy))
}

/// One route with a webhook, on which every alert is a group, due after `group_wait`.
pub(crate) fn policy(group_wait: Duration) -> Policy {
    let names = ["alertname", "instance", "series"].map(Into::into).to_vec();
    let root = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: vec![],
        receiver: "team".into(),
        group_by: GroupBy::Names(names),
        group_wait,
        group_interval: HOUR,
        repeat_interval: HOUR * 4,
        mute_time_intervals: vec![],
        active_time_intervals: vec![],
        continues: false,
        children: vec![],
        labels: Labels::default(),
    };
    let webhook = Integration { kind: "webhook".into(), index: 0, send_resolved: true };
    let receiver = Receiver { name: "team".into(), labels: Labels::default(), integrations: vec![webhook] };
    Policy {
        routes: vec![root],
        inhibit_rules: vec![],
        time_intervals: BTreeMap::new(),
        receivers: vec![receiver],
        resolve_timeout: HOUR,
        vigil: Default::default(),
    }
}

/// One route on which all alerts of a name are a group.
pub(crate) fn by_name() -> Policy {
    let mut policy = policy(HOUR);
    policy.routes[0].group_by = GroupBy::Names(vec!["alertname".into()]);
    policy
}

/// A route for each of so many teams below the root; teams take turns in [`alert`].
pub(crate) fn routed(teams: usize) -> Policy {
    let mut policy = policy(HOUR);
    for team in 0..teams {
        let matcher = equal("team", &format!("team{team}"));
        let key: Arc<str> = format!("{{}}/{{team=\"team{team}\"}}").into();
        let id = format!("{key}/{team}").into();
        let route = Route { id, key, matchers: vec![matcher], ..policy.routes[0].clone() };
        policy.routes[0].children.push(team + 1);
        policy.routes.push(Route { children: vec![], ..route });
    }
    policy
}

/// So many rules: what is critical for a team mutes what is a warning for it on the same host.
pub(crate) fn inhibiting(rules: usize) -> Policy {
    let rule = |team: usize| InhibitRule {
        name: "".into(),
        source_matchers: vec![equal("severity", "critical"), equal("team", &format!("team{team}"))],
        target_matchers: vec![equal("severity", "warning"), equal("team", &format!("team{team}"))],
        equal: vec!["instance".into()],
    };
    Policy { inhibit_rules: (0..rules).map(rule).collect(), ..policy(HOUR) }
}

/// One rule: what is critical mutes the warning of the same series.
pub(crate) fn inhibiting_by_series() -> Policy {
    let rule = InhibitRule {
        name: "".into(),
        source_matchers: vec![equal("severity", "critical")],
        target_matchers: vec![equal("severity", "warning")],
        equal: vec!["series".into()],
    };
    Policy { inhibit_rules: vec![rule], ..policy(HOUR) }
}

pub(crate) fn equal(name: &str, value: &str) -> Matcher {
    Matcher::new(name, MatchOp::Equal, value).expect("a text is no pattern")
}

/// Reports the alerts with these numbers.
pub(crate) fn report(engine: &mut Engine, numbers: impl IntoIterator<Item = usize>) {
    let alerts: Vec<_> = numbers.into_iter().map(alert).collect();
    for batch in alerts.chunks(BATCH) {
        engine.handle(NOW, Input::Alerts(batch.to_vec()));
    }
}

/// One of many alerts of a few hundred hosts and very many teams.
pub(crate) fn alert(number: usize) -> Arc<Alert> {
    let labels = [
        ("alertname", format!("Alert{}", number % 50)),
        ("instance", format!("host{}.example.org:9100", number % 500)),
        ("job", "node".to_owned()),
        ("series", number.to_string()),
        ("severity", ["warning", "critical", "info"][number % 3].to_owned()),
        ("team", format!("team{}", number % 10_000)),
    ];
    Arc::new(Alert {
        labels: Labels::from_iter(labels),
        annotations: Labels::from_iter([("summary", format!("Something is wrong with series {number}"))]),
        starts_at: NOW,
        starts_offset: UtcOffset::default(),
        ends_at: NOW + HOUR,
        ends_offset: UtcOffset::default(),
        updated_at: NOW,
        generator_url: "http://prometheus.example.org/graph".into(),
        timeout: false,
    })
}

/// Silences the alert with this number, wherever it fires.
pub(crate) fn silence(number: usize) -> Input {
    let anywhere = Matcher::new("instance", MatchOp::Regex, "host.*").expect("it is a pattern");
    let draft = Draft {
        id: None,
        matcher_sets: vec![vec![equal("series", &number.to_string()), anywhere]],
        starts_at: None,
        ends_at: NOW + HOUR,
        created_by: "ops".into(),
        comment: "known".into(),
        annotations: Labels::default(),
    };
    Input::SetSilence { draft, fresh: SilenceId(number as u128 + 1) }
}

/// What another node tells of what it told: the group with this number, for the `round`th time.
pub(crate) fn news(number: usize, round: i64) -> Record {
    let key = NflogKey {
        group_key: format!("{{}}:{{alertname=\"Alert{}\", series=\"{number}\"}}", number % 50).into(),
        receiver: "team".into(),
        integration: "webhook".into(),
        index: 0,
    };
    let version = Version { stamp: Timestamp::from_micros(NOW.as_micros() + round), node: NodeId(2) };
    Record::Nflog(Arc::new(NflogEntry {
        key,
        timestamp: NOW,
        firing: vec![number as u64],
        resolved: vec![],
        receiver_data: BTreeMap::new(),
        expires_at: NOW + HOUR * 8,
        version,
        carried: vec![],
        ended: vec![],
        past: vec![version],
    }))
}
