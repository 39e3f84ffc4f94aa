//! What a scraper is told that can be looked up when it asks: the state of the configuration, the alerts, the silences.

use std::sync::Arc;

use super::exposition::Page;
use crate::version;

/// The state of the program at the moment of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The hash of the configuration file that runs.
    pub config_hash: f64,
    /// Whether the last attempt to load a configuration went well.
    pub config_last_reload_successful: bool,
    /// When a configuration was last loaded, in seconds since the epoch.
    pub config_last_reload_success_seconds: f64,
    /// Receivers that a route uses.
    pub receivers: usize,
    /// Their integrations.
    pub integrations: usize,
    /// Inhibition rules.
    pub inhibition_rules: usize,
    /// Whether the node is part of a cluster.
    pub cluster_enabled: bool,
    /// The alerts that fire in groups, once for all or by group; empty until anything is dispatched.
    pub alerts: Vec<GroupAlerts>,
    /// The limit on alerts of one name; 0 means none.
    pub per_alertname_limit: usize,
    /// Aggregation groups.
    pub aggregation_groups: usize,
    /// Silences by their state.
    pub silences: SilenceCounts,
    /// How the disk does.
    pub disk: DiskCounts,
}

/// The alerts of a group, or of all groups together.
#[derive(Clone, Debug, Default)]
pub struct GroupAlerts {
    /// The group, if groups are told apart.
    pub group_key: Option<Arc<str>>,
    /// Its alerts.
    pub counts: AlertCounts,
}

/// Alerts by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AlertCounts {
    /// Neither silenced nor inhibited.
    pub active: usize,
    /// Silenced or inhibited.
    pub suppressed: usize,
    /// Not looked at yet.
    pub unprocessed: usize,
}

/// Silences by their state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SilenceCounts {
    /// Hushing now.
    pub active: usize,
    /// To come.
    pub pending: usize,
    /// Over, but kept.
    pub expired: usize,
}

/// How the disk does, counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskCounts {
    /// Bytes that the state takes.
    pub bytes: u64,
    /// Commits that reached the disk.
    pub commits: u64,
    /// Commits that the disk refused.
    pub failed_commits: u64,
    /// Times that journals were folded into the database.
    pub folds: u64,
    /// Times that it failed.
    pub failed_folds: u64,
    /// Records written or deleted.
    pub records: u64,
    /// Changes refused by a limit.
    pub refused: u64,
    /// Changes that wait now.
    pub queued: u64,
}

impl Snapshot {
    pub(super) fn write(&self, page: &mut Page) {
        self.write_configuration(page);
        self.write_alerts(page);
        self.write_silences(page);
        self.write_disk(page);
    }

    fn write_configuration(&self, page: &mut Page) {
        let successful = u8::from(self.config_last_reload_successful);
        page.gauge("alertmanager_config_hash", "Hash of the currently loaded configuration.", self.config_hash);
        page.gauge(
            "alertmanager_config_last_reload_successful",
            "Whether the last configuration reload attempt was successful.",
            successful,
        );
        page.gauge(
            "alertmanager_config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
            self.config_last_reload_success_seconds,
        );
        page.gauge("alertmanager_receivers", "Number of configured receivers.", self.receivers);
        page.gauge("alertmanager_integrations", "Number of configured integrations.", self.integrations);
        page.gauge("alertmanager_inhibition_rules", "Number of configured inhibition rules.", self.inhibition_rules);
        let enabled = u8::from(self.cluster_enabled);
        page.gauge("alertmanager_cluster_enabled", "Whether clustering is enabled.", enabled);
    }

    fn write_alerts(&self, page: &mut Page) {
        const NAME: &str = "alertmanager_alerts";
        page.begin(NAME, "gauge", "How many alerts by state.");
        for group in &self.alerts {
            let AlertCounts { active, suppressed, unprocessed } = group.counts;
            for (state, count) in [("active", active), ("suppressed", suppressed), ("unprocessed", unprocessed)] {
                match &group.group_key {
                    Some(key) => page.series(NAME, &[("group_key", key), ("state", state)], count),
                    None => page.series(NAME, &[("state", state)], count),
                }
            }
        }
        page.gauge(
            "alertmanager_alerts_per_alert_limit",
            "Current limit on number of alerts per alert name.",
            self.per_alertname_limit,
        );
        page.gauge(
            "alertmanager_dispatcher_aggregation_groups",
            "Number of active aggregation groups.",
            self.aggregation_groups,
        );
    }

    fn write_silences(&self, page: &mut Page) {
        const NAME: &str = "alertmanager_silences";
        page.begin(NAME, "gauge", "How many silences by state.");
        let SilenceCounts { active, pending, expired } = self.silences;
        for (state, count) in [("active", active), ("pending", pending), ("expired", expired)] {
            page.series(NAME, &[("state", state)], count);
        }
        let all = active + pending + expired;
        page.gauge("alertmanager_silences_state_size", "The number of silences kept.", all);
        page.gauge("alertmanager_silences_matcher_index_size", "The number of silences in the matcher index.", all);
        page.gauge("alertmanager_silences_version_index_size", "The number of silences with a version.", all);
    }

    /// Alertmanager tells the sizes of its two snapshot files; here both stand for the one database.
    fn write_disk(&self, page: &mut Page) {
        let disk = &self.disk;
        for kind in ["silences", "nflog"] {
            let name = format!("alertmanager_{kind}_snapshot_size_bytes");
            page.gauge(&name, "Size of the database that holds all state in bytes.", disk.bytes);
        }
        page.gauge("watchbell_store_bytes", "Bytes that the state takes on the disk.", disk.bytes);
        page.gauge("watchbell_store_queued_changes", "Changes that wait for the disk.", disk.queued);
        for (name, help, count) in [
            ("watchbell_store_commits_total", "Commits that reached the disk.", disk.commits),
            ("watchbell_store_failed_commits_total", "Commits that the disk refused.", disk.failed_commits),
            ("watchbell_store_folds_total", "Times that journals were folded into the database.", disk.folds),
            ("watchbell_store_failed_folds_total", "Times that folding journals failed.", disk.failed_folds),
            ("watchbell_store_records_total", "Records written or deleted.", disk.records),
            ("watchbell_store_refused_changes_total", "Changes refused by a limit.", disk.refused),
        ] {
            page.begin(name, "counter", help);
            page.series(name, &[], count);
        }
    }
}

/// What is running: as clients of Alertmanager look for it, and as it is.
pub(super) fn write_build_info(page: &mut Page) {
    let known = [
        ("branch", version::BRANCH),
        ("goarch", version::goarch()),
        ("goos", version::GOOS),
        ("goversion", version::TOOLCHAIN),
        ("revision", version::REVISION),
        ("tags", "unknown"),
    ];
    let builds = [("alertmanager", version::ALERTMANAGER_VERSION), (version::PROGRAM, version::VERSION)];
    for (program, version) in builds {
        let name = format!("{program}_build_info");
        let labels: Vec<_> = known.into_iter().chain([("version", version)]).collect();
        page.begin(&name, "gauge", &format!("What {program} is, or is stood in for; always 1."));
        page.series(&name, &labels, 1);
    }
}
