//! The task that keeps the cluster together: it looks who lives, tells the driver, tries those that are lost, starts
//! chitchat anew when it fails, and stops it while there is nobody to speak to.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use chitchat::ChitchatHandle;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use watchbell_engine::members::Member;
use watchbell_engine::peers::Peer;

use super::gossip::{self, Inbox, Received};
use super::members::{Changes, Life};
use super::settling::{Seen, Settled, Settling};
use super::{Event, Shared, address};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(200);

/// Who looks so much later than it meant to has been stopped.
const SLEPT: Duration = Duration::from_secs(2);

/// Looks between two comparisons with some node.
const LOOKS_A_COMPARISON: u32 = 15;

/// Time between two resolutions of the peers' names; Alertmanager's is the same.
const RESOLVE: Duration = Duration::from_secs(15);

/// Time between two attempts to reach a peer while the node has not settled.
const JOIN: Duration = Duration::from_secs(1);

/// The pause before chitchat is started anew.
const PAUSE: Duration = Duration::from_secs(1);

/// How long chitchat runs at least, so that who has spoken to this node for the first time is got to know.
const COMPANY: Duration = Duration::from_secs(120);

/// How long a node that has slept waits for the others to tell what it missed.
const CATCH_UP: Duration = Duration::from_secs(4);

/// How long a stop waits for what was sent to be carried.
const CARRY: Duration = Duration::from_secs(2);

/// Keeps the cluster together for as long as the program runs.
pub(super) async fn keep(shared: Arc<Shared>, inbox: mpsc::Receiver<Received>) {
    let inbox: Inbox = Arc::new(Mutex::new(inbox));
    tokio::spawn(resolve(Arc::clone(&shared)));
    let start = |life| {
        let (shared, inbox) = (Arc::clone(&shared), Arc::clone(&inbox));
        async move { gossip::start(&shared, &inbox, life).await }
    };
    supervise(&shared, &inbox, start).await;
}

/// Runs one chitchat after the other, each in another life of this node, which `start` is given.
async fn supervise<S>(shared: &Arc<Shared>, inbox: &Inbox, start: impl Fn(u64) -> S)
where
    S: Future<Output = anyhow::Result<ChitchatHandle>>,
{
    let mut keeper = Keeper::new(Arc::clone(shared));
    loop {
        keeper.rest(inbox).await;
        let ended = match start(shared.me.life.load(Relaxed)).await {
            Ok(chitchat) => keeper.run(&chitchat).await,
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            tracing::error!(component = "cluster", err = %error, "Membership has failed and is started anew");
            shared.metrics.cluster.restarts.inc();
            sleep(PAUSE).await;
        }
        shared.me.life.fetch_add(1, Relaxed);
    }
}

struct Keeper {
    shared: Arc<Shared>,
    /// `None` once the node has settled.
    settling: Option<Settling>,
    looks: u32,
    /// When those that are not here were last tried.
    tried: Option<Instant>,
    looked: Option<Instant>,
    /// What was last told.
    told: Vec<Peer>,
    told_known: Option<Vec<Member>>,
}

impl Keeper {
    fn new(shared: Arc<Shared>) -> Self {
        let options = &shared.options;
        let expected = !options.peers.is_empty();
        let settling = Settling::new(Instant::now(), options.gossip_interval, options.settle_timeout, expected);
        let (told, told_known) = (Vec::new(), None);
        Self { settling: Some(settling), looks: 0, tried: None, looked: None, told, told_known, shared }
    }

    /// Returns once there is somebody to speak to: somebody who is expected, or who has spoken to this node.
    async fn rest(&mut self, inbox: &Inbox) {
        self.look(Vec::new()).await;
        // What is said first is lost. It is said again and again.
        while self.is_alone() && timeout(RESOLVE, async { inbox.lock().await.recv().await }).await.is_err() {}
        // A look that comes late for this reason is no sign of having been stopped.
        self.looked = None;
    }

    /// Whether nobody is here, was here lately, or is expected.
    fn is_alone(&self) -> bool {
        self.settling.is_none() && !self.shared.members().has_others() && missing(&self.shared).is_empty()
    }

    /// Looks again and again until nobody has been there for a while; or until chitchat fails, which is the error.
    async fn run(&mut self, chitchat: &ChitchatHandle) -> anyhow::Result<()> {
        let failed = chitchat.termination_watcher();
        tokio::pin!(failed);
        let (mut looks, started) = (interval(LOOK), Instant::now());
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while started.elapsed() < COMPANY || !self.is_alone() {
            tokio::select! {
                ended = &mut failed => return ended.and_then(|()| Err(anyhow::anyhow!("it has ended"))),
                _ = looks.tick() => {}
            }
            let alive = chitchat.with_chitchat(|chitchat| gossip::alive(chitchat)).await;
            self.look(alive).await;
            self.try_those_who_are_missing(chitchat);
        }
        chitchat.abort();
        Ok(())
    }

    async fn look(&mut self, alive: Vec<Life>) {
        let shared = Arc::clone(&self.shared);
        let now = Instant::now();
        let named = shared.named();
        let (changes, peers, known, met) = {
            let mut members = shared.members();
            if self.looked.replace(now).is_some_and(|before| now.duration_since(before) > SLEPT) {
                members.slept(now);
            }
            let changes = members.look(alive, now);
            let forgotten = members.forget(shared.options.reconnect_timeout, &named, now);
            forgotten.iter().for_each(|name| shared.metrics.cluster.forget(name));
            (changes, members.peers(), members.known(), members.meet(|address| shared.links.connection(address)))
        };
        self.count(changes);
        if self.told != peers {
            if !self.told.is_empty() {
                tell_of(&changes, &peers);
            }
            self.told.clone_from(&peers);
            shared.tell(Event::Peers(peers)).await;
        }
        for node in met {
            shared.tell(Event::Met(node)).await;
        }
        self.settle(changes, now).await;
        if self.settling.is_none() && self.told_known.as_ref() != Some(&known) {
            self.told_known = Some(known.clone());
            shared.tell(Event::Members(known)).await;
        }
        self.compare().await;
    }

    fn count(&self, changes: Changes) {
        let metrics = &self.shared.metrics.cluster;
        metrics.joined.inc_by(changes.joined);
        metrics.left.inc_by(changes.left);
        metrics.updated.inc_by(changes.updated);
        metrics.reconnections.inc_by(changes.returned);
        metrics.name_conflicts.inc_by(changes.conflicts);
        let missing = missing(&self.shared).len();
        let members = self.shared.members();
        let peers = members.peers();
        let me = &self.shared.me;
        let position = peers.iter().filter(|peer| (&peer.name, peer.id) < (&me.name, me.node)).count();
        metrics.members.set(peers.len() as i64);
        metrics.position.set(position as i64);
        metrics.failed_peers.set(missing as i64);
        metrics.agreeing.set(members.agreeing() as i64);
    }

    async fn settle(&mut self, changes: Changes, now: Instant) {
        let Some(settling) = &mut self.settling else { return };
        let seen = {
            let members = self.shared.members();
            let compared = members.all_compared();
            Seen { changed: changes != Changes::default(), others: members.others().len(), compared }
        };
        let Some(why) = settling.look(seen, now) else { return };
        self.settling = None;
        match why {
            Settled::TimedOut => tracing::warn!(component = "cluster", "gossip not settled but continuing anyway"),
            Settled::Unanswered => {
                tracing::warn!(component = "cluster", "No peer has answered; this node goes on alone until one does");
            }
            Settled::Alone | Settled::Agreed => {
                tracing::info!(component = "cluster", peers = seen.others, "gossip settled; proceeding");
            }
        }
        self.shared.tell(Event::Settled).await;
        self.shared.settled.store(true, Relaxed);
        self.shared.metrics.cluster.settled.set(1);
    }

    /// Now and then it is some node's turn to be compared with; until the node has settled, those who were not yet.
    async fn compare(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if !self.looks.is_multiple_of(LOOKS_A_COMPARISON) {
            return;
        }
        let others = self.shared.members().others();
        if !others.is_empty() {
            let turn = (self.looks / LOOKS_A_COMPARISON) as usize % others.len();
            self.shared.tell(Event::Compare(others[turn].node)).await;
        }
    }

    fn try_those_who_are_missing(&mut self, chitchat: &ChitchatHandle) {
        let options = &self.shared.options;
        let pause =
            if self.settling.is_some() { JOIN.min(options.reconnect_interval) } else { options.reconnect_interval };
        if self.tried.is_some_and(|tried| tried.elapsed() < pause) {
            return;
        }
        self.tried = Some(Instant::now());
        for address in missing(&self.shared) {
            self.shared.metrics.cluster.refresh_joins.inc();
            // It fails only when chitchat has ended, which is seen elsewhere.
            let _ = chitchat.gossip(address);
        }
    }
}

/// Addresses where somebody should be and nobody living is.
fn missing(shared: &Shared) -> BTreeSet<SocketAddr> {
    let (others, lost) = {
        let members = shared.members();
        (members.others(), members.lost())
    };
    let mut missing = shared.named();
    missing.extend(lost);
    let own = shared.own();
    missing.retain(|address| !own.contains(address) && !others.iter().any(|life| life.address == *address));
    missing
}

fn tell_of(changes: &Changes, peers: &[Peer]) {
    let mut names: Vec<&str> = peers.iter().map(|peer| peer.name.as_str()).collect();
    names.sort_unstable();
    let (names, Changes { joined, left, returned, .. }) = (names.join(","), changes);
    tracing::info!(component = "cluster", peers = %names, joined, left, returned, "The cluster has changed");
    if changes.conflicts > 0 {
        tracing::warn!(component = "cluster", "Two nodes have one name; give each its own --cluster.peer-name");
    }
}

/// Resolves the names of the peers again and again.
async fn resolve(shared: Arc<Shared>) {
    let options = &shared.options;
    while !options.peers.is_empty() {
        let (found, failed) = address::resolve(&options.peers, options.resolve_timeout).await;
        shared.metrics.cluster.refresh_joins_failed.inc_by(failed);
        *shared.named.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = found;
        sleep(if failed > 0 { JOIN } else { RESOLVE }).await;
    }
}

/// Returns when all living nodes have been compared with, or after [`CATCH_UP`].
pub(super) async fn until_compared(shared: Arc<Shared>) {
    let compared = async {
        loop {
            let nodes: Vec<_> = shared.members().others().into_iter().map(|life| life.node).collect();
            for node in nodes {
                shared.tell(Event::Compare(node)).await;
            }
            sleep(LOOK).await;
            if shared.members().all_compared() {
                return;
            }
        }
    };
    // Who has not answered by then is not waited for.
    let _ = timeout(CATCH_UP, compared).await;
}

/// Returns when nothing waits for its connection any more, or after [`CARRY`].
pub(super) async fn until_carried(shared: &Shared) {
    let carried = async {
        while shared.metrics.cluster.queued.get() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
        // What was handed to the system still has to be written by the tasks.
        sleep(Duration::from_millis(50)).await;
    };
    let _ = timeout(CARRY, carried).await;
}

#[cfg(test)]
mod tests;
