//! What is watched over in some histories: an alert that should always fire and sometimes does not, nodes that die, and
//! heartbeats. It is drawn apart from everything else, so that a history in which nothing is watched over stays as it is.

use std::time::Duration;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::{MatchOp, Matcher};
use watchbell_engine::policy::{Expected, Heartbeat, OwnAlert, PeerDown, Vigil};
use watchbell_engine::vigil::Cause;

use super::{AlertPlan, Fault, HOURS, INTEGRATIONS, Mood, Plan};
use crate::rng::Rng;

/// The team, and the receiver, of what is watched over.
pub(crate) const WATCH: &str = "watch";

/// When nothing is watched over any more: everything is back, and what was raised is told to be over while nodes are
/// compared last.
pub(crate) const UNWATCHED: i64 = HOURS * 3600 + 1200;

/// The rule's name, and the alert that it expects.
const RULE: &str = "dog";
const EXPECTED: &str = "Watchdog";

/// What an operator wants watched over. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Within which the alert is expected, if it is.
    pub(crate) within: Option<i64>,
    /// After which a peer's death is told, if it is.
    down: Option<i64>,
    /// Between two heartbeats, if there are any.
    pub(crate) beat: Option<i64>,
    /// A label's value, of everything that is raised.
    pub(crate) tag: &'static str,
}

impl Watch {
    const NOTHING: Self = Self { within: None, down: None, beat: None, tag: "x" };

    fn some(rng: &mut Rng) -> Self {
        let within = Some(*rng.pick(&[180, 180, 300]));
        let down = rng.chance(75).then_some(60);
        Self { within, down, beat: rng.chance(60).then_some(60), tag: "x" }
    }

    fn change(&mut self, rng: &mut Rng) {
        match rng.between(0, 4) {
            0 => self.within = Some(if self.within == Some(180) { 300 } else { 180 }),
            1 => (self.within, self.beat) = (None, None),
            2 => self.down = if self.down.is_none() { Some(60) } else { None },
            3 => self.tag = "y",
            _ => {}
        }
    }

    /// How long the cause is waited for before an alert is raised; `None` if none is.
    pub(crate) fn wait(&self, cause: &Cause) -> Option<Duration> {
        let wait = match cause {
            Cause::Missing(_) => self.within,
            Cause::PeerDown(_) => self.down,
        };
        wait.map(seconds)
    }

    /// The labels of the alert that is raised.
    fn labels(&self, cause: &Cause) -> Labels {
        raised(cause, self.tag)
    }

    pub(super) fn vigil(&self) -> Vigil {
        let own = |labels: Labels| OwnAlert { labels, annotations: Labels::default() };
        let dog = Matcher::new("alertname", MatchOp::Equal, EXPECTED).expect("equality needs no pattern");
        let (missing, down) = (Cause::Missing(RULE.into()), Cause::PeerDown("".into()));
        let expect = |within| Expected {
            name: RULE.into(),
            matchers: vec![dog],
            within: seconds(within),
            raises: own(self.labels(&missing)),
        };
        let without_peer = self.labels(&down).filtered(|name| name != "peer");
        let peer_down = |after| PeerDown { after: seconds(after), raises: own(without_peer) };
        let beat = |s| Heartbeat { name: "beat".into(), expect: RULE.into(), interval: seconds(s) };
        Vigil {
            expect: self.within.map(expect).into_iter().collect(),
            peer_down: self.down.map(peer_down),
            heartbeats: self.beat.map(beat).into_iter().collect(),
        }
    }
}

fn raised(cause: &Cause, tag: &str) -> Labels {
    let (name, (about, whom)) = match cause {
        Cause::Missing(rule) => ("ExpectedAlertMissing", ("expect", rule)),
        Cause::PeerDown(peer) => ("WatchbellPeerDown", ("peer", peer)),
    };
    Labels::from_iter([("alertname", name), (about, whom), ("tag", tag), ("team", WATCH)])
}

/// Has something watched over in some of the histories.
pub(super) fn watch(seed: u64, plan: &mut Plan) {
    let mut rng = Rng::new(seed.rotate_left(32) ^ 0xD06);
    if !rng.chance(15) {
        return;
    }
    let first = Watch::some(&mut rng);
    let mut second = first.clone();
    second.change(&mut rng);
    let watches = if rng.chance(50) { [first, second] } else { [second, first] };
    for (shape, watch) in plan.shapes.iter_mut().zip(watches) {
        shape.watch = Some(watch);
        if rng.chance(50) {
            shape.repeat = 300;
        }
    }
    for shape in 0..plan.shapes.len() {
        let mut last = plan.shapes[shape].clone();
        last.watch = Some(Watch::NOTHING);
        plan.shapes.push(last);
    }
    plan.alerts.push(AlertPlan::new(dog(), posted(&mut rng, plan.nodes)));
    let peers = (0..plan.nodes).map(|node| Cause::PeerDown(format!("n{node}").into()));
    for cause in peers.chain([Cause::Missing(RULE.into())]) {
        plan.alerts.extend(["x", "y"].map(|tag| AlertPlan {
            cause: Some(cause.clone()),
            ..AlertPlan::new(raised(&cause, tag), vec![Vec::new(); plan.nodes])
        }));
    }
    faults(&mut rng, plan);
}

pub(super) fn dog() -> Labels {
    Labels::from_iter([("alertname", EXPECTED), ("team", WATCH)])
}

/// When each node's sender posts the alert: always, but for outages of all senders and of each.
fn posted(rng: &mut Rng, nodes: usize) -> Vec<Vec<(i64, i64)>> {
    let common: Vec<_> = (0..rng.between(0, 2)).map(|_| outage(rng)).collect();
    let (reached, surely) = (*rng.pick(&[100, 100, 60, 0]), rng.between(0, nodes as i64 - 1));
    (0..nodes as i64)
        .map(|node| {
            let mut outages = common.clone();
            outages.extend((0..rng.between(0, 1)).map(|_| outage(rng)));
            let reaches = rng.chance(reached) || node == surely;
            if reaches { between(outages) } else { Vec::new() }
        })
        .collect()
}

fn outage(rng: &mut Rng) -> (i64, i64) {
    let (from, short) = (rng.between(-600, 4800), rng.between(60, 300));
    let lasts = *rng.pick(&[short, 900, 1500, 2400]);
    (from, from + lasts + rng.between(0, 300))
}

/// What outages leave of the whole time.
fn between(mut outages: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    outages.sort_unstable();
    let (mut spans, mut from) = (Vec::new(), 0);
    for (down, up) in outages.into_iter().chain([(HOURS * 3600 + 1800, 0)]) {
        if from + 60 < down {
            spans.push((from, down));
        }
        from = from.max(up);
    }
    spans
}

/// What goes wrong because something is watched over.
fn faults(rng: &mut Rng, plan: &mut Plan) {
    let node = rng.between(0, plan.nodes as i64 - 1) as usize;
    let mut from = rng.between(60, 4200);
    if rng.chance(30) {
        let down = *rng.pick(&[Fault::Crash(node), Fault::Crash(node), Fault::Stop(node)]);
        plan.faults.push((from, down));
        plan.faults.push((from + rng.between(1200, 2400), Fault::Restart(node)));
    }
    if rng.chance(35) {
        from = rng.between(60, 6000);
        for node in 0..plan.nodes {
            plan.faults.push((from, Fault::Reload(node, 1)));
            from += *rng.pick(&[0, 0, 5, 300]);
        }
    }
    if rng.chance(40) {
        let (which, from) = (INTEGRATIONS.len() - 1, rng.between(60, 6000));
        let mood = *rng.pick(&[Mood::Slow, Mood::Failing, Mood::Refusing, Mood::Hanging]);
        plan.faults.push((from, Fault::Receiver(which, mood)));
        plan.faults.push((from + rng.between(5, 1200), Fault::Receiver(which, Mood::Fine)));
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}
