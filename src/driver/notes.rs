//! The engine's decisions as log lines and metrics.

use std::collections::BTreeMap;

use jiff::Timestamp as Instant;
use watchbell_engine::effect::Note;
use watchbell_engine::heartbeat::Stalled;
use watchbell_engine::nflog::NflogKey;
use watchbell_engine::notification::{Failure, Reason};
use watchbell_engine::silence::Silence;
use watchbell_engine::time::Timestamp;
use watchbell_engine::vigil::Cause;

use crate::clock;
use crate::telemetry::Metrics;

/// Writes down what was decided.
#[derive(Debug)]
pub(super) struct NoteTaker {
    metrics: Metrics,
    log_silences: bool,
    /// The last failure of deliveries that are being retried: one that repeats is logged once.
    failures: BTreeMap<NflogKey, String>,
}

impl NoteTaker {
    pub(super) fn new(metrics: Metrics, log_silences: bool) -> Self {
        Self { metrics, log_silences, failures: BTreeMap::new() }
    }

    pub(super) fn take(&mut self, note: Note) {
        let nflog = &self.metrics.nflog;
        match note {
            Note::AlertLimited(name) => {
                self.metrics.alerts.limited(&name).inc();
                tracing::warn!(component = "provider", alertname = %name, "alert limit reached");
            }
            Note::Suppressed { why, count } => self.metrics.notifications.suppressed(why, count as u64),
            Note::Tell { key, attempt, reason } => {
                if attempt == 1 {
                    nflog.queries.inc();
                    nflog.query_errors.inc_by(u64::from(reason == Reason::FirstNotification));
                    self.metrics.notifications.of(&key.integration, &key.receiver).attempted();
                }
                let (group, why) = (&key.group_key, reason.as_str());
                tracing::debug!(component = "dispatcher", receiver = %receiver(&key), aggrGroup = %group, reason = why, "Notify");
            }
            Note::NothingToTell(key) => {
                self.failures.remove(&key);
                nflog.queries.inc();
            }
            Note::Told { key, attempts } => self.told(&key, attempts),
            Note::Retry { key, attempts, failure } => self.retry(key, attempts, &failure),
            Note::GivenUp { key, attempts, failure, kind } => {
                self.failures.remove(&key);
                self.metrics.notifications.of(&key.integration, &key.receiver).failed(kind);
                log_given_up(&key, attempts, &failure);
            }
            Note::SilenceCreated(silence) => self.silence("create silence", &silence),
            Note::SilenceUpdated(silence) => self.silence("update silence", &silence),
            Note::SilenceExpired(silence) => self.silence("expire silence", &silence),
            Note::ClockAhead(version) => {
                let node = format_args!("{:016x}", version.node.0);
                tracing::warn!(component = "cluster", %node, "a record was refused: its writer's clock is far ahead of ours");
            }
            Note::Seen(name) => self.metrics.vigil.seen(&name, clock::now().as_secs()),
            Note::Raised(cause) => self.own(&cause, true),
            Note::Over(cause) => self.own(&cause, false),
            Note::Heartbeat { name, works, changed } => {
                self.metrics.vigil.due(&name, works);
                if changed {
                    log_heartbeat(&name, works);
                }
            }
        }
    }

    /// An alert of our own begins to fire, or ends.
    fn own(&self, cause: &Cause, fires: bool) {
        match (cause, fires) {
            (Cause::Missing(name), _) => self.metrics.vigil.missing(name, fires),
            (Cause::PeerDown(name), _) => self.metrics.vigil.peer_down(name, fires),
        }
        match (cause, fires) {
            (Cause::Missing(expect), true) => {
                tracing::warn!(component = "vigil", %expect, "An expected alert is missing");
            }
            (Cause::Missing(expect), false) => {
                tracing::info!(component = "vigil", %expect, "An expected alert is not missing any more");
            }
            (Cause::PeerDown(peer), true) => tracing::warn!(component = "vigil", %peer, "A peer is down"),
            (Cause::PeerDown(peer), false) => {
                tracing::info!(component = "vigil", %peer, "A peer is not missed any more")
            }
        }
    }

    fn told(&mut self, key: &NflogKey, attempts: u32) {
        self.failures.remove(key);
        let (receiver, group) = (receiver(key), &key.group_key);
        if attempts == 1 {
            tracing::debug!(component = "dispatcher", %receiver, aggrGroup = %group, attempts, "Notify success");
        } else {
            tracing::info!(component = "dispatcher", %receiver, aggrGroup = %group, attempts, "Notify success");
        }
    }

    fn retry(&mut self, key: NflogKey, attempts: u32, failure: &Failure) {
        if self.failures.get(&key) == Some(&failure.text) {
            return;
        }
        let (receiver, group, err) = (receiver(&key), &key.group_key, &failure.text);
        tracing::warn!(component = "dispatcher", %receiver, aggrGroup = %group, attempts, %err, "Notify attempt failed, will retry later");
        self.failures.insert(key, failure.text.clone());
    }

    fn silence(&self, what: &'static str, silence: &Silence) {
        if !self.log_silences {
            return;
        }
        let sets = silence.matcher_sets.iter();
        let matchers: Vec<String> =
            sets.flatten().map(|m| format!("{}{}{}", m.name(), m.op().as_str(), m.value())).collect();
        tracing::info!(
            component = "silences",
            Id = %silence.id,
            CreatedBy = %silence.created_by,
            Comment = %silence.comment,
            StartsAt = %rfc3339(silence.starts_at),
            EndsAt = %rfc3339(silence.ends_at),
            Matchers = %matchers.join(","),
            "{what}"
        );
    }
}

fn log_heartbeat(heartbeat: &str, works: Result<(), Stalled>) {
    match works {
        Ok(()) => tracing::info!(component = "vigil", %heartbeat, "Everything works: the heartbeat is sent"),
        Err(reason) => {
            let reason = reason.as_str();
            tracing::warn!(component = "vigil", %heartbeat, reason, "The heartbeat is not sent");
        }
    }
}

fn log_given_up(key: &NflogKey, attempts: u32, failure: &Failure) {
    let why = if failure.retry { "" } else { " due to unrecoverable error" };
    let err = format!("{}: notify retry canceled{why} after {attempts} attempts: {}", receiver(key), failure.text);
    tracing::error!(component = "dispatcher", receiver = %key.receiver, aggrGroup = %key.group_key, %err, "Notify for alerts failed");
}

/// `receiver/integration[index]`, as Alertmanager writes it.
fn receiver(key: &NflogKey) -> String {
    format!("{}/{}[{}]", key.receiver, key.integration, key.index)
}

fn rfc3339(at: Timestamp) -> Instant {
    Instant::from_microsecond(at.as_micros()).unwrap_or(Instant::MAX)
}
