//! What goes wrong in a history, and when it is put right.

use super::policy::ORDINARY;
use super::{Fault, HOURS, Mood, Network, SilencePlan, Step};
use crate::rng::Rng;

/// Most clocks are right; some differ by up to a minute, some by up to ten.
pub(super) fn clocks(rng: &mut Rng, nodes: usize) -> Vec<i64> {
    let most = *rng.pick(&[0, 0, 0, 0, 0, 0, 60, 600, 600]);
    (0..nodes).map(|_| rng.between(-most, most)).collect()
}

/// A sender's clock is its own: most are right, and none is so wrong that what it vouches for is over when it arrives.
pub(super) fn senders_clocks(rng: &mut Rng, nodes: usize) -> Vec<i64> {
    let most = *rng.pick(&[0, 0, 0, 0, 60, 150]);
    (0..nodes).map(|_| rng.between(-most, most)).collect()
}

pub(super) fn network(rng: &mut Rng) -> Network {
    Network {
        lost_percent: *rng.pick(&[0, 0, 0, 0, 2, 20]),
        doubled_percent: *rng.pick(&[0, 0, 0, 20]),
        longest_ms: *rng.pick(&[50, 50, 50, 200]),
    }
}

pub(super) fn faults(rng: &mut Rng, nodes: usize, ahead: &[i64]) -> Vec<(i64, Fault)> {
    let mut faults = Vec::new();
    for _ in 0..*rng.pick(&[0, 0, 1, 2]) {
        crash(rng, nodes, &mut faults);
    }
    if nodes > 1 && rng.chance(25) {
        cut(rng, nodes, &mut faults);
    }
    for _ in 0..*rng.pick(&[0, 0, 1, 2]) {
        let (which, from) = (some(rng, ORDINARY), moment(rng));
        let mood = *rng.pick(&[Mood::Slow, Mood::Failing, Mood::Refusing, Mood::Hanging]);
        faults.push((from, Fault::Receiver(which, mood)));
        faults.push((from + rng.between(5, 1200), Fault::Receiver(which, Mood::Fine)));
    }
    if rng.chance(20) {
        pause(rng, nodes, &mut faults);
    }
    match rng.between(0, 9) {
        0 | 1 => reload(rng, nodes, &mut faults),
        2 => upgrade(rng, nodes, &mut faults),
        _ => {}
    }
    if ahead.iter().any(|seconds| *seconds != 0) && rng.chance(30) {
        faults.push((moment(rng), Fault::SetClock(some(rng, nodes), rng.between(-600, 600))));
    }
    faults
}

/// In the moment in which a silence was asked for.
pub(super) fn crashes_at_silences(rng: &mut Rng, silences: &[SilencePlan]) -> Vec<(i64, Fault)> {
    let hit: Vec<_> = silences.iter().filter(|_| rng.chance(10)).collect();
    let crash = |silence: &&SilencePlan| {
        [(silence.made, Fault::Crash(silence.node)), (silence.made + 5, Fault::Restart(silence.node))]
    };
    hit.iter().flat_map(crash).collect()
}

/// When nobody can know whether the receiver heard it.
pub(super) fn crashes_in_sends(rng: &mut Rng, nodes: usize) -> Vec<(i64, Fault)> {
    let (hit, node, from) = (rng.chance(15), some(rng, nodes), moment(rng));
    if hit { vec![(from, Fault::CrashInSend(node))] } else { Vec::new() }
}

/// What hangs when its receiver is taken away may have been heard, and nobody will ever know.
pub(super) fn hanging_at_reload(rng: &mut Rng, nodes: usize) -> Vec<(i64, Fault)> {
    let (hit, which, from) = (rng.chance(10), some(rng, ORDINARY), moment(rng));
    if !hit {
        return Vec::new();
    }
    let reloaded = from + rng.between(60, 600);
    let fine = reloaded + 600;
    let mut faults = vec![(from, Fault::Receiver(which, Mood::Hanging)), (fine, Fault::Receiver(which, Mood::Fine))];
    faults.extend((0..nodes).map(|node| (reloaded, Fault::Reload(node, 1))));
    faults
}

/// At any moment or any step of a commit; the disk is as it was, an older one, or empty.
fn crash(rng: &mut Rng, nodes: usize, faults: &mut Vec<(i64, Fault)>) {
    let (node, from) = (some(rng, nodes), moment(rng));
    let step = *rng.pick(&[Step::Before, Step::After]);
    let commits = rng.between(0, 5) as u8;
    let kind = *rng.pick(&[Fault::Crash(node), Fault::CrashAtCommit(node, step, commits)]);
    let back = match rng.between(0, 9) {
        0 => Fault::RestartFromNothing(node),
        1 | 2 => Fault::RestartFromCopy(node),
        _ => Fault::Restart(node),
    };
    if back == Fault::RestartFromCopy(node) {
        faults.push((from - rng.between(0, 3600).min(from), Fault::Copy(node)));
    }
    faults.push((from, kind));
    faults.push((from + *rng.pick(&[1, 5, 60, 900]), back));
}

/// One node is cut off from all others: wholly, or in one direction.
fn cut(rng: &mut Rng, nodes: usize, faults: &mut Vec<(i64, Fault)>) {
    let (one, from) = (some(rng, nodes), moment(rng));
    let (out, back) = *rng.pick(&[(true, true), (true, true), (true, false), (false, true)]);
    for other in (0..nodes).filter(|other| *other != one) {
        faults.extend(out.then_some((from, Fault::Cut(one, other))));
        faults.extend(back.then_some((from, Fault::Cut(other, one))));
    }
    faults.push((from + rng.between(10, 1200), Fault::Heal));
}

/// A node's process stands still for a while.
fn pause(rng: &mut Rng, nodes: usize, faults: &mut Vec<(i64, Fault)>) {
    let (node, from) = (some(rng, nodes), moment(rng));
    faults.push((from, Fault::Pause(node)));
    faults.push((from + *rng.pick(&[1, 5, 30, 600]), Fault::Resume(node)));
}

/// Nodes are told to read their configuration again: it may be another.
fn reload(rng: &mut Rng, nodes: usize, faults: &mut Vec<(i64, Fault)>) {
    let (mut when, shape) = (moment(rng), some(rng, 2));
    for node in 0..nodes {
        faults.push((when, Fault::Reload(node, shape)));
        when += *rng.pick(&[0, 0, 5, 300]);
    }
}

/// Every node is stopped in order and started again, one after the other; what it follows then may be another policy.
fn upgrade(rng: &mut Rng, nodes: usize, faults: &mut Vec<(i64, Fault)>) {
    let (mut when, shape) = (moment(rng), some(rng, 2));
    for node in 0..nodes {
        faults.push((when, Fault::Stop(node)));
        faults.push((when, Fault::Reload(node, shape)));
        faults.push((when + rng.between(1, 20), Fault::Restart(node)));
        when += rng.between(30, 90);
    }
}

fn moment(rng: &mut Rng) -> i64 {
    rng.between(60, HOURS * 3600 - 1200)
}

fn some(rng: &mut Rng, count: usize) -> usize {
    rng.between(0, count as i64 - 1) as usize
}
