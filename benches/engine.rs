//! The engine, over sizes: what one more alert, group, silence, rule or route costs must not grow with how many there
//! are. Each line is the time of a fixed amount of work in a state of the size that stands before it.
//!
//! `cargo bench -p watchbell-engine`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::Input;
use watchbell_engine::label::Labels;
use watchbell_engine::policy::{GroupBy, Integration, Policy, Receiver, Route};
use watchbell_engine::silence::edit::SilenceLimits;
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::NodeId;
use watchbell_engine::{Engine, Options};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// As many alerts as Prometheus sends at once.
const BATCH: usize = 64;

fn main() {
    divan::main();
}

/// A batch that was sent before is sent again while so many alerts are known.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 20)]
fn resend_a_batch(bencher: Bencher, alerts: usize) {
    let mut engine = Engine::new(NOW, options(), Arc::new(policy()));
    for from in (0..alerts).step_by(BATCH) {
        engine.handle(NOW, Input::Alerts((from..from + BATCH).map(alert).collect()));
    }
    let batch: Vec<_> = (0..BATCH).map(|i| alert(i * alerts / BATCH)).collect();
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| Input::Alerts(batch.clone()))
        .bench_local_values(|input| engine.handle(NOW, input));
}

fn options() -> Options {
    Options {
        node: NodeId(1),
        silences: SilenceLimits { retention: HOUR, ..SilenceLimits::default() },
        alert_gc_interval: HOUR,
        per_alertname_limit: 0,
        peer_timeout: HOUR,
        start_delay: Duration::ZERO,
        settle_timeout: Duration::ZERO,
    }
}

/// One route with a webhook; alerts are grouped by name and instance.
fn policy() -> Policy {
    let root = Route {
        id: "{}".into(),
        key: "{}".into(),
        matchers: vec![],
        receiver: "team".into(),
        group_by: GroupBy::Names(vec!["alertname".into(), "instance".into()]),
        group_wait: HOUR,
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
    }
}

/// One of many alerts of a few hundred hosts.
fn alert(i: usize) -> Arc<Alert> {
    let labels = [
        ("alertname", format!("Alert{}", i % 50)),
        ("instance", format!("host{}.example.org:9100", i % 500)),
        ("job", "node".to_owned()),
        ("severity", ["warning", "critical", "info"][i % 3].to_owned()),
        ("series", i.to_string()),
    ];
    Arc::new(Alert {
        labels: Labels::from_iter(labels),
        annotations: Labels::from_iter([("summary", format!("Something is wrong with series {i}"))]),
        starts_at: NOW,
        starts_offset: UtcOffset::default(),
        ends_at: NOW + HOUR,
        ends_offset: UtcOffset::default(),
        updated_at: NOW,
        generator_url: "http://prometheus.example.org/graph".into(),
        timeout: false,
    })
}
