//! The engine, over sizes: what one more alert, group, silence, rule or route costs must not grow with how many there
//! are. Each line is the time of a fixed amount of work in a state of the size that stands before it.
//!
//! `cargo bench -p watchbell-engine`, with a part of a name to run some only.

mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use watchbell_engine::Engine;
use watchbell_engine::effect::Input;
use watchbell_engine::matcher::{MatchOp, Matcher};

use world::{
    BATCH, NOW, alert, by_name, engine, inhibiting, inhibiting_by_series, news, policy, report, routed, silence,
};

fn main() {
    divan::main();
}

/// A batch that was reported before is reported again, beside so many other alerts; each time another, as it is.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 100, sample_size = 1)]
fn resend_a_batch(bencher: Bencher, alerts: usize) {
    let mut engine = engine(by_name());
    report(&mut engine, 0..alerts);
    let mut first = 0;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            first = (first + BATCH) % (alerts - BATCH);
            Input::Alerts((first..first + BATCH).map(alert).collect())
        })
        .bench_local_values(|input| engine.handle(NOW, input));
}

/// A batch of new alerts comes to so many others.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 100, sample_size = 1)]
fn report_a_new_batch(bencher: Bencher, alerts: usize) {
    let mut engine = engine(by_name());
    report(&mut engine, 0..alerts);
    let mut next = alerts;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            next += BATCH;
            Input::Alerts((next..next + BATCH).map(alert).collect())
        })
        .bench_local_values(|input| engine.handle(NOW, input));
}

/// A batch of new alerts finds its routes among so many, and makes its groups.
#[divan::bench(args = [1, 100, 10_000], sample_count = 50)]
fn route_a_new_batch(bencher: Bencher, routes: usize) {
    let mut engine = engine(routed(routes));
    let mut next = 0;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            next += BATCH;
            Input::Alerts((next..next + BATCH).map(alert).collect())
        })
        .bench_local_values(|input| engine.handle(NOW, input));
}

/// Whether each of a batch is silenced, by one of so many silences.
#[divan::bench(args = [10, 1_000, 10_000])]
fn mute_a_batch_by_silences(bencher: Bencher, silences: usize) {
    let mut engine = engine(policy(world::HOUR));
    for number in 0..silences {
        engine.handle(NOW, silence(number));
    }
    mute_a_batch(bencher, &engine, |i| i % 10);
}

/// Whether each of a batch is inhibited, by one of so many rules.
#[divan::bench(args = [1, 100, 1_000])]
fn mute_a_batch_by_rules(bencher: Bencher, rules: usize) {
    let mut engine = engine(inhibiting(rules));
    // Of every 10,000 one is the first team's, of which there is a rule in any case.
    let of_first_team = |i| i * 10_000;
    report(&mut engine, (0..BATCH).map(of_first_team));
    mute_a_batch(bencher, &engine, of_first_team);
}

/// Whether each of a batch is inhibited by one rule, beside so many sources.
#[divan::bench(args = [10, 1_000, 100_000])]
fn mute_a_batch_by_sources(bencher: Bencher, sources: usize) {
    let mut engine = engine(inhibiting_by_series());
    // Every third alert is critical.
    report(&mut engine, (0..sources).map(|i| i * 3 + 1));
    mute_a_batch(bencher, &engine, |i| i);
}

fn mute_a_batch(bencher: Bencher, engine: &Engine, number: impl Fn(usize) -> usize) {
    let batch: Vec<_> = (0..BATCH).map(|i| alert(number(i))).collect();
    let view = engine.view();
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| batch.iter().filter(|alert| view.muted_by(black_box(&alert.labels), NOW).is_muted()).count());
}

/// From the report of a new alert to the log entry, beside so many groups: flush, decision, attempt, outcome.
#[divan::bench(args = [10, 1_000, 100_000])]
fn tell_a_new_group(bencher: Bencher, groups: usize) {
    let mut engine = engine(policy(Duration::ZERO));
    (0..groups).for_each(|number| tell(&mut engine, Input::Alerts(vec![alert(number)])));
    let mut next = groups;
    bencher
        .with_inputs(|| {
            next += 1;
            Input::Alerts(vec![alert(next)])
        })
        .bench_local_values(|input| tell(&mut engine, input));
}

/// Takes the input, does what is due, and lets every attempt succeed.
fn tell(engine: &mut Engine, input: Input) {
    engine.handle(NOW, input);
    for attempt in engine.advance(NOW).deliver {
        let outcome = Ok(BTreeMap::new());
        black_box(engine.handle(NOW, Input::Delivered { attempt: attempt.id, outcome }));
    }
}

/// Newer entries from another node take the place of a batch, beside so many others.
#[divan::bench(args = [100, 10_000, 100_000])]
fn merge_news(bencher: Bencher, entries: usize) {
    let mut engine = engine(policy(world::HOUR));
    engine.handle(NOW, Input::News((0..entries).map(|number| news(number, 0)).collect()));
    let mut round = 0;
    bencher
        .counter(ItemsCount::new(BATCH))
        .with_inputs(|| {
            round += 1;
            Input::News((0..BATCH).map(|i| news(i * entries / BATCH, round)).collect())
        })
        .bench_local_values(|input| engine.handle(NOW, input));
}

/// Whether a text matches a pattern of so many alternatives.
#[divan::bench(args = [1, 100, 2_000])]
fn match_alternatives(bencher: Bencher, alternatives: usize) {
    let hosts: Vec<_> = (0..alternatives).map(|i| format!("host{i}[.]example[.]org:9100")).collect();
    let matcher = Matcher::new("instance", MatchOp::Regex, hosts.join("|")).expect("it is a pattern");
    let batch: Vec<_> = (0..BATCH).map(alert).collect();
    bencher
        .counter(ItemsCount::new(BATCH))
        .bench_local(|| batch.iter().filter(|alert| matcher.matches(black_box(&alert.labels))).count());
}
