//! A node without the rest of the program: its integration with GitLab, told directly, in the caller's runtime.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use watchbell::receivers::{Integrations, IrcNetworks, Mailroom, RouteLabels, Surroundings};
use watchbell::settings::receiver::Receiver;
use watchbell_engine::alert::Alert;
use watchbell_engine::label::Labels;
use watchbell_engine::nflog::{NflogEntry, NflogKey, ReceiverData};
use watchbell_engine::notification::{Failure, Notification, NotifiedAlert, Reason};
use watchbell_engine::time::{Timestamp, UtcOffset};
use watchbell_engine::version::Version;
use watchbell_template::Templates;

use super::fake::Gitlab;
use super::lab::PROJECT;

/// How long the log remembers.
const RETENTION: Duration = Duration::from_secs(120 * 3600);

/// One node's integration, and what its notification log says of one group.
pub(crate) struct Node {
    integrations: Integrations,
    now: fn() -> Timestamp,
    pub(crate) told: Option<Arc<NflogEntry>>,
}

impl Node {
    /// `settings` are lines of a `gitlab_config`; what they do not say is the tests' default.
    pub(crate) fn new(gitlab: &Gitlab, settings: &str) -> Self {
        Self::with_clock(gitlab, settings, wall)
    }

    pub(crate) fn with_clock(gitlab: &Gitlab, settings: &str, now: fn() -> Timestamp) -> Self {
        let mut lines = settings.lines().map(|line| format!("  {line}\n")).collect::<String>();
        for (key, value) in [
            ("api_url", gitlab.api_url()),
            ("token", "glpat-watchbell".to_owned()),
            ("project", PROJECT.to_owned()),
            ("duplicate_check_delay", "1ms".to_owned()),
        ] {
            if !settings.contains(&format!("{key}:")) && !settings.contains(&format!("{key}_file:")) {
                lines += &format!("  {key}: {value}\n");
            }
        }
        let yaml = format!("name: team\ngitlab_configs:\n- send_resolved: true\n{lines}");
        let receiver: Receiver = serde_saphyr::from_str(&yaml).expect("the settings are sound");
        let templates = Templates::parse(&[]).expect("no templates are sound templates");
        let surroundings = Surroundings {
            external_url: "http://watchbell.example".to_owned(),
            version: "1.2.3".to_owned(),
            now,
            fallbacks: Arc::default(),
            gitlab: Arc::default(),
            route_labels: RouteLabels::parse([&Labels::default()], &templates),
            irc: IrcNetworks::default(),
            peer_name: "here".to_owned(),
            cluster_label: String::new(),
            cluster_secret: None,
            mailroom: Mailroom::default(),
        };
        let integrations = Integrations::build(&[receiver], &templates, &surroundings).expect("they can be built");
        Self { integrations, now, told: None }
    }

    /// One attempt. If it succeeds the log remembers it.
    pub(crate) async fn tell(&mut self, mut notification: Notification) -> Result<(), Failure> {
        notification.previous.clone_from(&self.told);
        let data = self.integrations.send(&notification).await?;
        self.told = Some(Arc::new(entry(&notification, data, (self.now)())));
        Ok(())
    }
}

fn wall() -> Timestamp {
    Timestamp::from_micros(jiff::Timestamp::now().as_microsecond())
}

fn entry(notification: &Notification, receiver_data: ReceiverData, now: Timestamp) -> NflogEntry {
    let hashes = |firing| {
        let same = notification.alerts.iter().filter(|told| told.firing == firing);
        let mut hashes: Vec<_> = same.map(|told| told.alert.labels.log_hash()).collect();
        hashes.sort_unstable();
        hashes
    };
    NflogEntry {
        key: notification.key.clone(),
        timestamp: notification.flushed_at,
        firing: hashes(true),
        resolved: hashes(false),
        receiver_data,
        expires_at: now + RETENTION,
        version: Version::after(None, now, watchbell_engine::version::NodeId(1)),
        carried: vec![],
        ended: vec![],
        past: vec![],
    }
}

/// The alerts of group `name`: instances, and whether each fires.
pub(crate) fn notification(name: &str, alerts: &[(&str, bool)]) -> Notification {
    let told = |(instance, firing): &(&str, bool)| {
        let labels = [("alertname", name), ("instance", instance), ("severity", "critical")];
        let annotations = [("summary", format!("{instance} is in need"))];
        alert(Labels::from_iter(labels), Labels::from_iter(annotations), *firing)
    };
    of_group(name, alerts.iter().map(told).collect())
}

pub(crate) fn of_group(name: &str, alerts: Vec<NotifiedAlert>) -> Notification {
    Notification {
        key: NflogKey {
            group_key: format!("{{}}:{{alertname={name:?}}}").into(),
            receiver: "team".into(),
            integration: "gitlab".into(),
            index: 0,
        },
        group_labels: Labels::from_iter([("alertname", name)]),
        route_labels: Labels::default(),
        reason: Reason::NewAlerts,
        alerts,
        previous: None,
        flushed_at: wall(),
    }
}

pub(crate) fn alert(labels: Labels, annotations: Labels, firing: bool) -> NotifiedAlert {
    let began = Timestamp::from_secs(1_767_323_045);
    let alert = Alert {
        labels,
        annotations,
        starts_at: began,
        starts_offset: UtcOffset(0),
        ends_at: Timestamp::from_secs(began.as_secs() + 3600),
        ends_offset: UtcOffset(0),
        updated_at: began,
        generator_url: "http://prometheus.example/graph?g0.expr=up".into(),
        timeout: false,
    };
    NotifiedAlert { alert: Arc::new(alert), firing }
}

/// Runs `work` in a runtime of its own, with real time.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built").block_on(work)
}
