//! A history before it happens: everything that a seed decides beforehand. Times are seconds since its start.

mod alerts;
mod faults;
mod policy;

use std::fmt;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::Matcher;
use watchbell_engine::policy::Policy;
use watchbell_engine::time::Timestamp;

use crate::rng::Rng;

pub(crate) use policy::INTEGRATIONS;

/// How long things happen; afterwards the world is healed and left alone.
pub(crate) const HOURS: i64 = 2;

/// A plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    pub(crate) policy: Policy,
    pub(crate) alerts: Vec<AlertPlan>,
    pub(crate) silences: Vec<SilencePlan>,
    pub(crate) faults: Vec<(i64, Fault)>,
    pub(crate) network: Network,
    /// By how many seconds each node's clock is ahead at the start.
    pub(crate) ahead: Vec<i64>,
}

/// An alert and when it fires, for each node as its own sender sees it; empty for a node that it never reaches.
#[derive(Clone, Debug)]
pub(crate) struct AlertPlan {
    pub(crate) labels: Labels,
    pub(crate) episodes: Vec<Vec<(i64, i64)>>,
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

/// How messages between nodes travel: whoever loses one notices that the link broke.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    pub(crate) lost_percent: u64,
    pub(crate) doubled_percent: u64,
    pub(crate) longest_ms: i64,
}

/// Something that goes wrong, or is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Crash(usize),
    /// A crash at one of the next commits: before it, or after it and before anything follows from it.
    CrashAtCommit(usize, Step, u8),
    /// An orderly stop.
    Stop(usize),
    Restart(usize),
    /// The node's disk is copied.
    Copy(usize),
    /// The node comes back with the copy of its disk.
    RestartFromCopy(usize),
    /// The node comes back with an empty disk.
    RestartFromNothing(usize),
    /// Nothing gets from the one to the other any more.
    Cut(usize, usize),
    Heal,
    /// What the integration with this number does from now on.
    Receiver(usize, Mood),
    Reload,
    /// A node's clock is set by so many seconds.
    SetClock(usize, i64),
}

/// Where a commit is cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Before,
    After,
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

impl Plan {
    pub(crate) fn from_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let nodes = *rng.pick(&[1, 1, 2, 2, 2, 2, 3, 3, 4, 5]);
        let policy = policy::policy(&mut rng);
        let alerts = alerts::alerts(&mut rng, nodes);
        let silences = alerts::silences(&mut rng, nodes);
        let ahead = faults::clocks(&mut rng, nodes);
        let mut faults = faults::faults(&mut rng, nodes, &ahead);
        faults.extend(faults::crashes_at_silences(&mut rng, &silences));
        faults.sort_by_key(|(at, _)| *at);
        let network = faults::network(&mut rng);
        Self { nodes, policy, alerts, silences, faults, network, ahead }
    }

    /// How many seconds any two clocks may be apart at any time.
    pub(crate) fn skew(&self) -> u64 {
        let set = self.faults.iter().filter_map(|(_, fault)| match fault {
            Fault::SetClock(_, by) => Some(by.unsigned_abs()),
            _ => None,
        });
        let ahead = self.ahead.iter().map(|seconds| seconds.unsigned_abs()).max();
        2 * ahead.unwrap_or(0) + set.sum::<u64>()
    }
}

impl AlertPlan {
    /// Whether it fires for the node's sender at `now`, or did so at most `slack` seconds ago.
    pub(crate) fn fires(&self, node: usize, now: Timestamp, slack: i64) -> bool {
        self.episodes[node].iter().any(|(from, until)| at(*from) <= now && now <= at(*until + slack))
    }

    /// The same for any node's sender.
    pub(crate) fn fires_anywhere(&self, now: Timestamp, slack: i64) -> bool {
        (0..self.episodes.len()).any(|node| self.fires(node, now, slack))
    }
}

/// The instant `seconds` after the start of every history.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_800_057_600 + seconds)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = &self.policy.routes[0];
        writeln!(f, "{} nodes, ahead {:?}, {:?}", self.nodes, self.ahead, self.network)?;
        writeln!(
            f,
            "wait {:?}, interval {:?}, repeat {:?}",
            route.group_wait, route.group_interval, route.repeat_interval
        )?;
        writeln!(f, "by {:?}, {} inhibition rules", route.group_by, self.policy.inhibit_rules.len())?;
        self.alerts.iter().try_for_each(|alert| {
            let hash = alert.labels.log_hash();
            writeln!(f, "{} ({hash}) fires, by node: {:?}", alert.labels, alert.episodes)
        })?;
        self.silences.iter().try_for_each(|silence| writeln!(f, "{silence:?}"))?;
        self.faults.iter().try_for_each(|(at, fault)| writeln!(f, "at {at}: {fault:?}"))
    }
}
