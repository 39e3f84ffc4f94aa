//! What the receiver heard over all rounds, held against what the senders sent.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::book::Book;
use crate::harness::sink::{Delivery, Sink};
use crate::harness::wait::{PATIENCE, seen_within};

/// How long after the receiver's answer the router surely knows of it. It is noted when the disk has it, which may be later.
const KNOWN: Duration = Duration::from_millis(500);

/// How long the receiver is watched at the end for what should not come.
const A_WHILE: Duration = Duration::from_secs(2);

/// What is told of an alert, in order.
type Heard = BTreeMap<String, Vec<Delivery>>;

/// Every alert that fires has been told, every one that was told and resolved has been told to be resolved, in this
/// order, and none twice but for a kill.
pub(super) fn check(book: &Book, sink: &Sink, kills: &[Range<Instant>]) {
    seen_within(PATIENCE, || untold(book, &heard(sink)).is_empty().then_some(()));
    seen_within(A_WHILE, || None::<()>);
    let heard = heard(sink);
    if let Some(name) = untold(book, &heard).first() {
        let deliveries = heard.get(name).map_or(&[][..], Vec::as_slice);
        panic!("{name}, which {}, is told{}", book.alerts[name], times(deliveries, kills));
    }
    heard.iter().for_each(|(name, deliveries)| told_once(name, deliveries, book, kills));
    // Of what a kill cut off just before it was sent, nobody knows that it was not heard, so its end is told. Few kills
    // fall just there.
    let unfounded = heard.values().filter(|deliveries| deliveries[0].text("status") == "resolved").count();
    assert!(unfounded <= kills.len() / 10, "{unfounded} are told resolved, but were never told to fire");
    let calm = heard.values().flatten().filter(|delivery| !fell_inside(delivery, book, kills)).count();
    assert!(calm > kills.len() / 3, "hardly any sending was out of reach of a kill: {calm}");
}

/// The alerts of which the receiver does not know the last state. It hears the end also of what was told while the
/// router was killed.
fn untold(book: &Book, heard: &Heard) -> Vec<String> {
    let wanting = book.alerts.iter().filter(|(name, alert)| match heard.get(*name).and_then(|told| told.last()) {
        Some(last) if last.text("status") == "firing" => !alert.is_firing(),
        Some(_) | None => alert.is_firing(),
    });
    wanting.map(|(name, _)| name.clone()).collect()
}

fn heard(sink: &Sink) -> Heard {
    let mut heard = Heard::new();
    for delivery in sink.all() {
        let name = delivery.body["groupLabels"]["alertname"].as_str().unwrap_or_default().to_owned();
        heard.entry(name).or_default().push(delivery);
    }
    heard
}

fn told_once(name: &str, deliveries: &[Delivery], book: &Book, kills: &[Range<Instant>]) {
    for pair in deliveries.windows(2) {
        let same = pair[0].text("status") == pair[1].text("status");
        assert!(!same || fell_inside(&pair[0], book, kills), "{name} is told twice{}", times(pair, kills));
        assert!(
            pair[0].text("status") != "resolved" || same,
            "{name} fires after it has resolved{}",
            times(pair, kills)
        );
    }
}

/// When the others and the kills around them came, in milliseconds after the first sending.
fn times(deliveries: &[Delivery], kills: &[Range<Instant>]) -> String {
    let Some(first) = deliveries.first().map(|delivery| delivery.arrived) else { return " never".to_owned() };
    let told =
        deliveries.iter().map(|delivery| format!("{} ms: {}", milliseconds(first, delivery.arrived), delivery.body));
    let near = |kill: &&Range<Instant>| milliseconds(first, kill.start).abs() < 20_000;
    let kills = kills.iter().filter(near);
    let kills = kills
        .map(|kill| format!("{} to {} ms: a kill", milliseconds(first, kill.start), milliseconds(first, kill.end)));
    format!(":\n{}", told.chain(kills).collect::<Vec<_>>().join("\n"))
}

fn milliseconds(from: Instant, to: Instant) -> i128 {
    let distance = |from: Instant, to: Instant| to.saturating_duration_since(from).as_millis().cast_signed();
    distance(from, to) - distance(to, from)
}

/// Whether a kill came between the arrival of a sending and the moment when its answer is surely noted. A kill takes a
/// moment, and what is sent in this moment may arrive.
fn fell_inside(delivery: &Delivery, book: &Book, kills: &[Range<Instant>]) -> bool {
    let answered = delivery.answered.map_or(delivery.arrived, |(answered, _)| answered);
    let noted = book.on_disk(answered + KNOWN);
    kills.iter().any(|kill| delivery.arrived <= kill.end && noted.is_none_or(|noted| kill.start < noted))
}
