//! The metrics as a scraper reads them.

use std::time::Duration;

use watchbell_engine::notification::FailureKind;

use super::*;
use crate::cli::Features;

fn page(metrics: &Metrics) -> String {
    metrics.render(&Snapshot::default())
}

fn has(page: &str, line: &str) -> bool {
    page.lines().any(|l| l == line)
}

/// Prometheus' own rules for the text format 0.0.4, as far as they can be broken here.
#[test]
fn the_page_is_well_formed() {
    let metrics = Metrics::new(&Features::default());
    metrics.http.request("/api/v2/alerts", "get", 200, Duration::from_millis(3));
    metrics.http.response_size("/metrics", "get", 7);
    let page = page(&metrics);
    let mut typed = std::collections::HashMap::new();
    for line in page.lines() {
        if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            assert!(["counter", "gauge", "histogram", "summary"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(typed.insert(name.to_owned(), kind.to_owned()).is_none(), "twice: {line}");
        } else if !line.starts_with("# HELP ") {
            let (series, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix));
            assert!(typed.contains_key(name) || family.is_some_and(|f| typed.contains_key(f)), "untyped: {line}");
        }
    }
    assert!(page.ends_with('\n') && !page.contains("# EOF"));
}

#[test]
fn clients_find_a_version_they_accept() {
    let page = page(&Metrics::new(&Features::default()));
    let line = page.lines().find(|line| line.starts_with("alertmanager_build_info{")).unwrap();
    assert!(line.contains(r#",version="0.34.0"} 1"#), "{line}");
    assert!(page.contains("\nwatchbell_build_info{"));
}

#[test]
fn series_exist_from_the_start() {
    let page = page(&Metrics::new(&Features::default()));
    for line in [
        r#"alertmanager_alerts_received_total{status="firing",version="v2"} 0"#,
        r#"alertmanager_notifications_total{integration="mattermost"} 0"#,
        r#"alertmanager_notifications_failed_total{integration="irc",reason="rateLimited"} 0"#,
        r#"alertmanager_notification_latency_seconds_count{integration="email"} 0"#,
        "alertmanager_alerts_limited_total 0",
        r#"alertmanager_http_requests_in_flight{method="get"} 0"#,
        r#"alertmanager_silences{state="active"} 0"#,
        "alertmanager_silences_gc_duration_seconds_count 0",
        "alertmanager_config_last_reload_successful 0",
    ] {
        assert!(has(&page, line), "no {line} in\n{page}");
    }
    assert!(!page.contains("alertmanager_notifications_suppressed_total{"));
}

#[test]
fn what_is_counted_shows() {
    let metrics = Metrics::new(&Features::default());
    metrics.alerts.received_resolved.inc();
    metrics.notifications.of("webhook", "team").failed(FailureKind::AuthError);
    metrics.notifications.of("webhook", "team").requested(Duration::from_secs(2), false);
    metrics.notifications.suppressed(watchbell_engine::effect::Mute::Silenced, 3);
    metrics.nflog.gc_duration.observe(Duration::from_millis(500));
    let page = page(&metrics);
    for line in [
        r#"alertmanager_alerts_received_total{status="resolved",version="v2"} 1"#,
        r#"alertmanager_notifications_failed_total{integration="webhook",reason="authError"} 1"#,
        r#"alertmanager_notification_requests_failed_total{integration="webhook"} 1"#,
        r#"alertmanager_notification_latency_seconds_sum{integration="webhook"} 2.0"#,
        r#"alertmanager_notifications_suppressed_total{reason="silence"} 3"#,
        "alertmanager_nflog_gc_duration_seconds_sum 0.5",
    ] {
        assert!(has(&page, line), "no {line} in\n{page}");
    }
}

#[test]
fn receivers_are_told_where_the_feature_asks() {
    let features = Features { receiver_name_in_metrics: true, ..Features::default() };
    let metrics = Metrics::new(&features);
    metrics.notifications.of("webhook", "old").attempted();
    metrics.notifications.reconfigure([("irc", "new")]);
    let page = page(&metrics);
    assert!(has(&page, r#"alertmanager_notifications_total{integration="irc",receiver_name="new"} 0"#), "{page}");
    assert!(!page.contains(r#"receiver_name="old""#));
}

#[test]
fn a_group_key_is_escaped() {
    let group = GroupAlerts { group_key: Some(r#"{}:{a="b"}"#.into()), ..GroupAlerts::default() };
    let snapshot = Snapshot { alerts: vec![group], ..Snapshot::default() };
    let page = Metrics::new(&Features::default()).render(&snapshot);
    assert!(has(&page, r#"alertmanager_alerts{group_key="{}:{a=\"b\"}",state="active"} 0"#), "{page}");
}

/// Alertmanager 0.34's own metrics, without those of a cluster and those that appear only with their first count.
#[test]
fn every_metric_of_alertmanager_is_on_the_page() {
    let page = page(&Metrics::new(&Features::default()));
    let alerts = "alerts alerts_received_total alerts_invalid_total alerts_per_alert_limit alerts_limited_total \
        alerts_subscriber_channel_writes_total dispatcher_aggregation_groups \
        dispatcher_alert_processing_duration_seconds dispatcher_aggregation_group_limit_reached_total \
        dispatcher_aggregation_group_creation_retries_total dispatcher_aggregation_group_creation_given_up_total";
    let configuration = "build_info config_hash config_last_reload_successful \
        config_last_reload_success_timestamp_seconds receivers integrations inhibition_rules cluster_enabled";
    let notifications = "notifications_total notifications_failed_total notification_requests_total \
        notification_requests_failed_total notification_latency_seconds http_requests_in_flight \
        http_concurrency_limit_exceeded_total";
    let silences = "silences silences_gc_duration_seconds silences_gc_errors_total silences_snapshot_duration_seconds \
        silences_snapshot_size_bytes silences_maintenance_total silences_maintenance_errors_total \
        silences_matcher_compile_errors_total silences_queries_total silences_query_errors_total \
        silences_query_duration_seconds silences_query_silences_scanned_total silences_query_silences_skipped_total \
        silences_gossip_messages_propagated_total silences_state_size silences_matcher_index_size \
        silences_version_index_size";
    let nflog = "nflog_gc_duration_seconds nflog_snapshot_duration_seconds nflog_snapshot_size_bytes \
        nflog_maintenance_total nflog_maintenance_errors_total nflog_queries_total nflog_query_errors_total \
        nflog_query_duration_seconds nflog_gossip_messages_propagated_total";
    for name in
        [alerts, configuration, notifications, silences, nflog].iter().flat_map(|names| names.split_whitespace())
    {
        assert!(page.contains(&format!("\n# TYPE alertmanager_{name} ")), "no {name}");
    }
}
