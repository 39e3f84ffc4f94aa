//! Makes a plan that breaks a law smaller, piece by piece, for as long as it still breaks one.

use crate::plan::Plan;
use crate::world::World;

/// The smallest part of the plan that was found to break a law, and how it does.
pub(crate) fn shrink(seed: u64, plan: Plan) -> (Plan, String) {
    let mut broken = broken_by(seed, &plan).unwrap_or_default();
    let mut small = plan;
    loop {
        let same_law = |how: &String| how.split_whitespace().take(3).eq(broken.split_whitespace().take(3));
        let smaller = parts(&small).into_iter().find_map(|part| Some((broken_by(seed, &part).filter(same_law)?, part)));
        let Some((how, part)) = smaller else { return (small, broken) };
        (small, broken) = (part, how);
    }
}

fn broken_by(seed: u64, plan: &Plan) -> Option<String> {
    World::play(seed, plan).law.broken
}

/// The plan without one piece, for each of its pieces. What goes wrong goes with what puts it right.
fn parts(plan: &Plan) -> Vec<Plan> {
    let mut parts = Vec::new();
    let mut part = |change: &dyn Fn(&mut Plan)| {
        let mut part = plan.clone();
        change(&mut part);
        parts.push(part);
    };
    for number in 0..plan.faults.len() {
        part(&|part| part.faults.retain(|fault| *fault != plan.faults[number]));
        part(&|part| drop(part.faults.drain(number..(number + 2).min(part.faults.len()))));
    }
    (0..plan.silences.len()).for_each(|number| part(&|part| drop(part.silences.remove(number))));
    let ordinary = (0..plan.alerts.len()).filter(|number| plan.alerts[*number].is_ordinary());
    ordinary.for_each(|number| part(&|part| drop(part.alerts.remove(number))));
    for (number, alert) in plan.alerts.iter().enumerate() {
        for (node, episodes) in alert.episodes.iter().enumerate() {
            (0..episodes.len()).for_each(|e| {
                part(&|part| {
                    part.alerts[number].episodes[node].remove(e);
                })
            });
        }
    }
    if plan.ahead.iter().any(|ahead| *ahead != 0) {
        part(&|part| part.ahead.fill(0));
    }
    if plan.network.lost_percent + plan.network.doubled_percent > 0 {
        part(&|part| (part.network.lost_percent, part.network.doubled_percent) = (0, 0));
    }
    if plan.senders_ahead.iter().any(|ahead| *ahead != 0) {
        part(&|part| part.senders_ahead.fill(0));
    }
    if plan.watches() {
        part(&|part| part.shapes.iter_mut().for_each(|shape| shape.watch = None));
    }
    if plan.shapes[0] != plan.shapes[1] {
        part(&|part| part.shapes[1] = part.shapes[0].clone());
    }
    if plan.shapes.iter().any(|shape| shape.inhibits) {
        part(&|part| part.shapes.iter_mut().for_each(|shape| shape.inhibits = false));
    }
    parts
}
