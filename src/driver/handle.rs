//! How others speak to the driver: a handle that can be cloned, and the commands behind it.

use std::sync::Arc;

use smol_str::SmolStr;
use tokio::sync::{mpsc, oneshot, watch};
use watchbell_engine::alert::Alert;
use watchbell_engine::effect::{Answer, Input};
use watchbell_engine::group::Group;
use watchbell_engine::label::Labels;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::notification::{Notification, NotifiedAlert, Reason};
use watchbell_engine::policy::{Policy, Route};
use watchbell_engine::silence::SilenceId;
use watchbell_engine::silence::edit::{Draft, SilenceError};
use watchbell_engine::time::Timestamp;
use watchbell_engine::view::View;

use crate::cluster::{Cluster, Status};
use crate::receivers::{Integrations, RouteLabels};
use crate::store::{CommitError, Stats};

/// Speaks to the driver. Clones speak to the same one.
#[derive(Clone, Debug)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
    running: watch::Receiver<Arc<Running>>,
    reloads: mpsc::Sender<oneshot::Sender<Result<(), String>>>,
    cluster: Option<Cluster>,
}

/// The configuration that runs, as far as others show it.
#[derive(Clone, Debug)]
pub struct Running {
    /// What is followed.
    pub policy: Arc<Policy>,
    /// The configuration with everything filled in and secrets hidden, as YAML.
    pub config: Arc<str>,
    /// Its hash, as Alertmanager's metric tells it.
    pub config_hash: f64,
    /// The labels of its routes.
    pub route_labels: RouteLabels,
    /// Where people find us, without a slash at the end.
    pub external_url: String,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// Whether the last attempt to load one succeeded; if not, this is the one before.
    pub last_reload_ok: bool,
}

/// Why the driver did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// By Alertmanager's rules.
    #[error(transparent)]
    Silence(#[from] SilenceError),
    /// The disk did not take it.
    #[error(transparent)]
    NotSaved(#[from] CommitError),
    /// The program stops.
    #[error("the server is shutting down")]
    Stopping,
}

/// What the driver is told.
pub enum Command {
    /// Something happened.
    Input(Input, Reply),
    /// Somebody wants to look.
    View(oneshot::Sender<View>),
    /// Somebody wants to know how the disk does.
    Stats(oneshot::Sender<Stats>),
    /// Another configuration holds from now on.
    Reload(Arc<Policy>, Arc<Integrations>, oneshot::Sender<()>),
    /// The program stops.
    Stop,
}

/// Who waits for the answer to an input.
#[derive(Debug)]
pub enum Reply {
    /// Nobody.
    Nobody,
    /// Somebody who set a silence.
    SilenceSet(oneshot::Sender<Result<SilenceId, Refused>>),
    /// Somebody who ended a silence.
    SilenceExpired(oneshot::Sender<Result<(), Refused>>),
}

impl Running {
    /// The labels of a group's route, rendered against the alerts that the group holds at `now`.
    pub fn route_labels(&self, route: &Route, group: &Group, alerts: &[&Arc<Alert>], now: Timestamp) -> Labels {
        if route.labels.is_empty() {
            return Labels::default();
        }
        let told = |alert: &&Arc<Alert>| NotifiedAlert { alert: Arc::clone(alert), firing: !alert.is_resolved(now) };
        let (receiver, integration) = (route.receiver.clone(), SmolStr::default());
        let notification = Notification {
            key: NflogKey { group_key: Arc::clone(&group.key), receiver, integration, index: 0 },
            group_labels: group.labels.clone(),
            route_labels: route.labels.clone(),
            reason: Reason::FirstNotification,
            alerts: alerts.iter().map(told).collect(),
            previous: None,
            flushed_at: now,
        };
        self.route_labels.of(&notification, &self.external_url, now)
    }
}

impl Reply {
    /// Answers, if there is an answer and somebody waits for it. Who asked may have gone meanwhile.
    pub(super) fn send(self, answer: Option<Answer>, saved: Result<(), CommitError>) {
        match (self, answer) {
            (Self::SilenceSet(reply), Some(Answer::SilenceSet(result))) => drop(reply.send(after(result, saved))),
            (Self::SilenceExpired(reply), Some(Answer::SilenceExpired(result))) => {
                drop(reply.send(after(result, saved)));
            }
            _ => {}
        }
    }
}

fn after<T>(result: Result<T, SilenceError>, saved: Result<(), CommitError>) -> Result<T, Refused> {
    let value = result?;
    saved?;
    Ok(value)
}

impl Handle {
    /// A handle of the driver behind `commands`; reloads are asked for through `reloads`.
    pub fn new(
        commands: mpsc::Sender<Command>,
        running: watch::Receiver<Arc<Running>>,
        reloads: mpsc::Sender<oneshot::Sender<Result<(), String>>>,
        cluster: Option<Cluster>,
    ) -> Self {
        Self { commands, running, reloads, cluster }
    }

    /// Hands over alerts. A [`view`](Self::view) asked for afterwards shows them.
    pub async fn post_alerts(&self, alerts: Vec<Arc<Alert>>) -> Result<(), Refused> {
        self.send(Command::Input(Input::Alerts(alerts), Reply::Nobody)).await
    }

    /// Makes or edits a silence; returns when it is on disk.
    pub async fn set_silence(&self, draft: Draft) -> Result<SilenceId, Refused> {
        let (reply, answer) = oneshot::channel();
        let fresh = SilenceId(uuid::Uuid::new_v4().as_u128());
        self.send(Command::Input(Input::SetSilence { draft, fresh }, Reply::SilenceSet(reply))).await?;
        answer.await.unwrap_or(Err(Refused::Stopping))
    }

    /// Ends a silence; returns when that is on disk.
    pub async fn expire_silence(&self, id: SilenceId) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Input(Input::ExpireSilence(id), Reply::SilenceExpired(reply))).await?;
        answer.await.unwrap_or(Err(Refused::Stopping))
    }

    /// A snapshot of everything that is known.
    pub async fn view(&self) -> Result<View, Refused> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::View(reply)).await?;
        answer.await.map_err(|_| Refused::Stopping)
    }

    /// How the disk does.
    pub async fn disk(&self) -> Result<Stats, Refused> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Stats(reply)).await?;
        answer.await.map_err(|_| Refused::Stopping)
    }

    /// How the cluster does; `None` without one.
    pub fn cluster(&self) -> Option<Status> {
        self.cluster.as_ref().map(Cluster::status)
    }

    /// The configuration that runs.
    pub fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running.borrow())
    }

    /// Loads the configuration file again; the error is for whoever asked.
    pub async fn reload(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let stopping = || Refused::Stopping.to_string();
        self.reloads.send(reply).await.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Follows another configuration; returns when it holds.
    pub async fn replace(&self, policy: Arc<Policy>, integrations: Arc<Integrations>) -> Result<(), Refused> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Reload(policy, integrations, reply)).await?;
        answer.await.map_err(|_| Refused::Stopping)
    }

    /// Makes the driver finish what is under way and stop.
    pub async fn stop(&self) {
        // If it is gone already, there is nothing to stop.
        let _ = self.send(Command::Stop).await;
    }

    async fn send(&self, command: Command) -> Result<(), Refused> {
        self.commands.send(command).await.map_err(|_| Refused::Stopping)
    }
}
