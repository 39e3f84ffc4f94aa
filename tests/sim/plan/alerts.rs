//! The alerts of a history, which of them reach which node and when, and the silences.

use std::collections::BTreeMap;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};

use super::{AlertPlan, HOURS, SilencePlan};
use crate::rng::Rng;

/// Spans in seconds.
type Episodes = Vec<(i64, i64)>;

/// One to seven alerts. In half of the histories every node hears of each in the same moment.
pub(super) fn alerts(rng: &mut Rng, nodes: usize) -> Vec<AlertPlan> {
    let alike = rng.chance(50);
    let alerts = (0..rng.between(1, 7)).map(|_| alert(rng)).collect::<BTreeMap<Labels, Episodes>>();
    let plan = |(labels, episodes): (Labels, Episodes)| {
        let episodes = if alike { vec![episodes; nodes] } else { spread(rng, &episodes, nodes) };
        let episodes = episodes.into_iter().map(over_in_time).collect();
        AlertPlan::new(labels, episodes)
    };
    alerts.into_iter().map(plan).collect()
}

/// Labels with one to three episodes of at least two minutes.
fn alert(rng: &mut Rng) -> (Labels, Episodes) {
    let labels = Labels::from_iter([
        ("alertname", *rng.pick(&["Disk", "Load"])),
        ("host", *rng.pick(&["a", "b"])),
        ("severity", *rng.pick(&["critical", "warning"])),
        ("team", *rng.pick(&["dev", "ops"])),
    ]);
    let (mut episodes, mut from) = (Vec::new(), rng.between(0, 2400));
    for _ in 0..rng.between(1, 3) {
        let until = from + rng.between(120, 3000);
        episodes.push((from, until));
        from = until + rng.between(120, 1800);
    }
    (labels, episodes)
}

/// What each node's sender sees of an alert: all nodes, some, or one, later or for longer than others.
fn spread(rng: &mut Rng, episodes: &Episodes, nodes: usize) -> Vec<Episodes> {
    let reached = *rng.pick(&[100, 100, 60, 0]);
    let surely = rng.between(0, nodes as i64 - 1) as usize;
    let seen = |rng: &mut Rng, (from, until): (i64, i64)| {
        let from = from + *rng.pick(&[0, 0, 0, 0, 30, 110, 900]);
        (from, until.max(from + 60) + *rng.pick(&[0, 0, 30, 110, 600]))
    };
    let on = |rng: &mut Rng, node: usize| {
        let reaches = node == surely || rng.chance(reached);
        if reaches { episodes.iter().map(|episode| seen(rng, *episode)).collect() } else { Vec::new() }
    };
    let spread: Vec<Episodes> = (0..nodes).map(|node| on(rng, node)).collect();
    spread.into_iter().map(united).collect()
}

/// Everything is over half an hour after the last fault, so that its end is told while senders still report it.
fn over_in_time(episodes: Episodes) -> Episodes {
    let last = HOURS * 3600 + 1800;
    let begun = episodes.into_iter().filter(|(from, _)| *from < last - 60);
    begun.map(|(from, until)| (from, until.min(last))).collect()
}

/// Episodes that run into each other are one.
fn united(episodes: Episodes) -> Episodes {
    let mut united: Episodes = Vec::new();
    for (from, until) in episodes {
        match united.last_mut() {
            Some((_, last)) if from <= *last + 60 => *last = until.max(*last),
            _ => united.push((from, until)),
        }
    }
    united
}

/// Up to three silences.
pub(super) fn silences(rng: &mut Rng, nodes: usize) -> Vec<SilencePlan> {
    (0..rng.between(0, 3)).map(|_| silence(rng, nodes)).collect()
}

fn silence(rng: &mut Rng, nodes: usize) -> SilencePlan {
    let made = rng.between(60, 5000);
    let starts = made + *rng.pick(&[0, 0, 0, 600]);
    let ends = starts + rng.between(600, 4000);
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
