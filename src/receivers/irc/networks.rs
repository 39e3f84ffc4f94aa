//! All sessions of this node. They outlive a configuration: another one changes a session, or ends it, but a session
//! that can go on goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use watchbell_engine::notification::{Failure, FailureKind};

use super::super::outcome::transient;
use super::super::{ReceiverError, figures::Figure};
use super::figures;
use super::formatting;
use super::plan::{Names, Plan};
use super::request::IrcRequest;
use super::session::Order;
use super::shared::Shared;
use super::task::{Errand, Task};
use crate::settings::irc::IrcServer;
use crate::settings::receiver::Receiver;

/// Errands that may wait to be taken by a session.
const MAX_ERRANDS: usize = 1000;

/// Requests that may wait to be obeyed. Each person may only make a few a minute; what is too much is not heard.
const MAX_REQUESTS: usize = 100;

/// The IRC servers of this node. Clones share the sessions.
#[derive(Clone, Default)]
pub struct IrcNetworks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    networks: Mutex<BTreeMap<String, Network>>,
    /// Where people's commands go; nobody obeys them unless somebody has asked for them.
    requests: OnceLock<mpsc::Sender<IrcRequest>>,
}

/// What all sessions are to do, by server.
#[derive(Clone, Debug, Default)]
pub struct IrcPlans(BTreeMap<String, Arc<Plan>>);

/// A session from outside.
struct Network {
    errands: mpsc::Sender<Errand>,
    plan: watch::Sender<Option<Arc<Plan>>>,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl IrcPlans {
    /// What sessions with `servers` are to do for `receivers` on the node called `names`.
    ///
    /// # Errors
    /// What cannot be followed.
    pub fn build(servers: &[IrcServer], receivers: &[Receiver], names: &Names) -> Result<Self, ReceiverError> {
        let plan = |server: &IrcServer| Ok((server.name.clone(), Arc::new(Plan::build(server, receivers, names)?)));
        servers.iter().map(plan).collect::<Result<_, _>>().map(Self)
    }
}

impl IrcNetworks {
    /// What people on IRC want to be done from now on; only the first call gets it. Must come before the sessions.
    pub fn requests(&self) -> mpsc::Receiver<IrcRequest> {
        let (sender, requests) = mpsc::channel(MAX_REQUESTS);
        // A second receiver stays empty.
        let _ = self.0.requests.set(sender);
        requests
    }

    /// Says `lines` in answer to a request.
    pub fn answer(&self, request: &IrcRequest, lines: Vec<String>) {
        let lines = lines.iter().map(|line| formatting::harmless(line)).collect();
        let answer = Errand::Answer { target: request.channel.clone(), lines };
        if let Some(network) = self.networks().get(&request.server) {
            // An answer that does not get through is asked for again by whoever cares.
            let _ = network.errands.try_send(answer);
        }
    }

    /// Begins, changes and ends sessions as `plans` say. Must be called within the runtime.
    pub fn follow(&self, plans: &IrcPlans) {
        let mut networks = self.networks();
        for (name, network) in networks.iter() {
            if !plans.0.contains_key(name) {
                network.plan.send_replace(None);
            }
        }
        networks.retain(|name, _| plans.0.contains_key(name));
        for (name, plan) in &plans.0 {
            match networks.get(name) {
                Some(network) => drop(network.plan.send_if_modified(|current| replace(current, plan))),
                None => drop(
                    networks.insert(name.clone(), Network::start(Arc::clone(plan), self.0.requests.get().cloned())),
                ),
            }
        }
    }

    /// Ends all sessions in order.
    pub async fn stop(&self) {
        let networks = std::mem::take(&mut *self.networks());
        for network in networks.values() {
            network.plan.send_replace(None);
        }
        for network in networks.into_values() {
            // A panic in it has been told by the hook.
            let _ = network.task.await;
        }
    }

    /// What is counted and measured, for a scrape.
    pub fn figures(&self) -> Vec<Figure> {
        figures::figures(
            self.networks().iter().map(|(name, network)| (name.as_str(), network.shared.figures().clone())),
        )
    }

    /// Has an order said on `server`, if its session takes one now.
    ///
    /// # Errors
    /// Why it does not.
    pub(super) fn order(
        &self,
        server: &str,
        order: impl FnOnce(oneshot::Sender<Result<(), Failure>>) -> Order,
    ) -> Result<Waiting, Failure> {
        let networks = self.networks();
        let network = networks.get(server).ok_or_else(|| not_ready(server, "there is no session"))?;
        let figures = network.shared.figures();
        if !figures.ready {
            let failure = not_ready(server, &figures.why_not);
            let kind = if figures.locked_out { FailureKind::AuthError } else { failure.kind };
            return Err(Failure { kind, ..failure });
        }
        let (reply, outcome) = oneshot::channel();
        network
            .errands
            .try_send(Errand::Say(Box::new(order(reply))))
            .map_err(|_| not_ready(server, "too many messages wait"))?;
        Ok(Waiting { server: server.to_owned(), outcome })
    }

    fn networks(&self) -> MutexGuard<'_, BTreeMap<String, Network>> {
        self.0.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An order that was taken. To drop it is to withdraw it.
pub(super) struct Waiting {
    server: String,
    outcome: oneshot::Receiver<Result<(), Failure>>,
}

impl Waiting {
    /// What came of it.
    ///
    /// # Errors
    /// Why it was not said.
    pub(super) async fn outcome(self) -> Result<(), Failure> {
        self.outcome.await.unwrap_or_else(|_| Err(not_ready(&self.server, "the session has ended")))
    }
}

fn not_ready(server: &str, why: &str) -> Failure {
    transient(format!("irc server {server:?} is not ready: {why}"))
}

fn replace(current: &mut Option<Arc<Plan>>, plan: &Arc<Plan>) -> bool {
    let differs = current.as_ref() != Some(plan);
    if differs {
        *current = Some(Arc::clone(plan));
    }
    differs
}

impl Network {
    fn start(plan: Arc<Plan>, requests: Option<mpsc::Sender<IrcRequest>>) -> Self {
        let (errands, taken) = mpsc::channel(MAX_ERRANDS);
        let (plan, plans) = watch::channel(Some(plan));
        let shared = Arc::new(Shared::default());
        shared.not_ready("connecting", false);
        let task = Task { errands: taken, requests, plans, shared: Arc::clone(&shared) };
        Self { errands, plan, shared, task: tokio::spawn(task.run()) }
    }
}

impl fmt::Debug for IrcNetworks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.networks().keys()).finish()
    }
}
