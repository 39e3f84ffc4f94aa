//! A history before it happens: everything that a seed decides beforehand. Times are seconds since its start.

mod alerts;
mod expect;
mod faults;
mod policy;

use std::fmt;

use watchbell_engine::label::Labels;
use watchbell_engine::matcher::Matcher;
use watchbell_engine::time::Timestamp;
use watchbell_engine::vigil::Cause;

use crate::rng::Rng;

pub(crate) use expect::UNWATCHED;
pub(crate) use policy::{Grouped, INTEGRATIONS, PAUSE, RESOLVE_TIMEOUT, Shape};

/// How long things happen; afterwards the world is healed and left alone.
pub(crate) const HOURS: i64 = 2;

/// A plan.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) nodes: usize,
    /// What holds on every node at first, and what an operator makes of it.
    pub(crate) shapes: Vec<Shape>,
    pub(crate) alerts: Vec<AlertPlan>,
    pub(crate) silences: Vec<SilencePlan>,
    pub(crate) faults: Vec<(i64, Fault)>,
    pub(crate) network: Network,
    /// By how many seconds each node's clock is ahead at the start.
    pub(crate) ahead: Vec<i64>,
    /// The same of each node's sender, compared with the node.
    pub(crate) senders_ahead: Vec<i64>,
}

/// An alert and when it fires, for each node as its own sender sees it; empty for a node that it never reaches.
#[derive(Clone, Debug)]
pub(crate) struct AlertPlan {
    pub(crate) labels: Labels,
    /// By which the log knows it.
    pub(crate) hash: u64,
    /// Why nodes raise it themselves, if it is one of those.
    pub(crate) cause: Option<Cause>,
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
    /// A crash in the middle of the next attempt to tell something new; the node comes back later.
    CrashInSend(usize),
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
    /// A node follows the shape with this number from now on, or when it comes back.
    Reload(usize, usize),
    /// A node's process stands still, and goes on.
    Pause(usize),
    Resume(usize),
    /// A node's clock is set by so many seconds.
    SetClock(usize, i64),
    /// Every node reloads: nothing is watched over any more.
    Unwatch,
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
        let shapes = policy::shapes(&mut rng);
        let alerts = alerts::alerts(&mut rng, nodes);
        let silences = alerts::silences(&mut rng, nodes);
        let (ahead, senders_ahead) = (faults::clocks(&mut rng, nodes), faults::senders_clocks(&mut rng, nodes));
        let mut faults = faults::faults(&mut rng, nodes, &ahead);
        faults.extend(faults::crashes_at_silences(&mut rng, &silences));
        let mut more = Rng::new(!seed);
        faults.extend(faults::crashes_in_sends(&mut more, nodes));
        faults.extend(faults::hanging_at_reload(&mut more, nodes));
        let network = faults::network(&mut rng);
        let mut plan = Self { nodes, shapes, alerts, silences, faults, network, ahead, senders_ahead };
        expect::watch(seed, &mut plan);
        plan.faults.sort_by_key(|(at, _)| *at);
        plan
    }

    /// Whether anything is watched over.
    pub(crate) fn watches(&self) -> bool {
        self.shapes.iter().any(|shape| shape.watch.is_some())
    }

    /// How many seconds any two clocks of nodes or senders may be apart at any time.
    pub(crate) fn skew(&self) -> u64 {
        let set = self.faults.iter().filter_map(|(_, fault)| match fault {
            Fault::SetClock(_, by) => Some(by.unsigned_abs()),
            _ => None,
        });
        let most = |ahead: &[i64]| ahead.iter().map(|seconds| seconds.unsigned_abs()).max().unwrap_or(0);
        2 * (most(&self.ahead) + most(&self.senders_ahead)) + set.sum::<u64>()
    }
}

impl AlertPlan {
    /// An alert that is posted.
    fn new(labels: Labels, episodes: Vec<Vec<(i64, i64)>>) -> Self {
        Self { hash: labels.log_hash(), labels, cause: None, episodes }
    }

    /// Whether it has nothing to do with what is watched over.
    pub(crate) fn is_ordinary(&self) -> bool {
        self.cause.is_none() && !self.is_expected()
    }

    /// Whether it is the one that should always fire.
    pub(crate) fn is_expected(&self) -> bool {
        self.labels == expect::dog()
    }

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
        writeln!(f, "{} nodes, ahead {:?}, their senders {:?}", self.nodes, self.ahead, self.senders_ahead)?;
        writeln!(f, "{:?}", self.network)?;
        self.shapes.iter().try_for_each(|shape| writeln!(f, "{shape:?}"))?;
        self.alerts.iter().try_for_each(|alert| {
            writeln!(f, "{} ({}) fires, by node: {:?}", alert.labels, alert.hash, alert.episodes)
        })?;
        self.silences.iter().try_for_each(|silence| writeln!(f, "{silence:?}"))?;
        self.faults.iter().try_for_each(|(at, fault)| writeln!(f, "at {at}: {fault:?}"))
    }
}
