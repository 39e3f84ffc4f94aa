//! Inhibition: which alert keeps which other one quiet, and for how long.

use super::grouping::TEAM;
use super::script::History;

pub(super) fn histories() -> Vec<History> {
    [pairs(), rules_at_work()].into_iter().flatten().collect()
}

/// A source and its target.
fn pairs() -> Vec<History> {
    vec![
        History::new("a source keeps its target quiet until it resolves", &rules(&[SITE]))
            .fire("alertname=Outage site=harbour severity=critical")
            .told("team", 1)
            .fire("alertname=Slow site=harbour severity=warning")
            .quiet()
            .get("/api/v2/alerts")
            .get("/api/v2/alerts/groups")
            .resolve("alertname=Outage site=harbour severity=critical")
            .told("team", 3)
            .get("/api/v2/alerts"),
        History::new("a source elsewhere keeps nothing quiet", &rules(&[SITE]))
            .fire("alertname=Outage site=dock severity=critical")
            .told("team", 1)
            .fire("alertname=Slow site=harbour severity=warning")
            .told("team", 2),
        History::new("labels that both lack are equal", &rules(&[SITE]))
            .fire("alertname=Outage severity=critical")
            .told("team", 1)
            .fire("alertname=Slow severity=warning")
            .quiet(),
        History::new("a target that was told before its source came", &rules(&[SITE]))
            .fire("alertname=Slow site=harbour severity=warning")
            .told("team", 1)
            .fire("alertname=Outage site=harbour severity=critical")
            .told("team", 2)
            .get("/api/v2/alerts")
            .resolve("alertname=Outage site=harbour severity=critical")
            .told("team", 3)
            .quiet()
            .resolve("alertname=Slow site=harbour severity=warning")
            .told("team", 4),
        History::new("what resolved while it was inhibited", &rules(&[SITE]))
            .fire("alertname=Slow site=harbour severity=warning")
            .told("team", 1)
            .fire("alertname=Outage site=harbour severity=critical")
            .told("team", 2)
            .resolve("alertname=Slow site=harbour severity=warning")
            .quiet()
            .resolve("alertname=Outage site=harbour severity=critical")
            .told("team", 3)
            .told_by_watchbell("team", 4),
        History::new(
            "an alert does not inhibit itself",
            &rules(&["{source_matchers: ['alertname=~\"A|B\"'], target_matchers: ['alertname=~\"A|B\"']}"]),
        )
        .fire("alertname=A")
        .told("team", 1)
        .get("/api/v2/alerts"),
        History::new(
            "a rule without equal labels",
            &rules(&["{source_matchers: [alertname=Outage], target_matchers: [severity=warning]}"]),
        )
        .fire("alertname=Outage site=dock")
        .told("team", 1)
        .fire("alertname=Slow site=harbour severity=warning")
        .quiet()
        .get("/api/v2/alerts"),
        History::new(
            "the old keys for inhibition",
            &rules(&["{source_match: {severity: critical}, target_match_re: {severity: 'w.*'}, equal: [site]}"]),
        )
        .fire("alertname=Outage site=harbour severity=critical")
        .told("team", 1)
        .fire("alertname=Slow site=harbour severity=warning")
        .quiet(),
    ]
}

/// Rules of several kinds, and rules that meet other things.
fn rules_at_work() -> Vec<History> {
    vec![
        History::new("a silenced source still inhibits", &rules(&[SITE]))
            .silence("hush", "alertname=Outage")
            .fire("alertname=Outage site=harbour severity=critical")
            .fire("alertname=Slow site=harbour severity=warning")
            .quiet()
            .get("/api/v2/alerts"),
        History::new("an alert inhibited and silenced", &rules(&[SITE]))
            .silence("hush", "alertname=Slow")
            .fire("alertname=Outage site=harbour severity=critical")
            .told("team", 1)
            .fire("alertname=Slow site=harbour severity=warning")
            .get("/api/v2/alerts")
            .get("/api/v2/alerts?inhibited=false")
            .get("/api/v2/alerts?silenced=false"),
        History::new(
            "two rules, one after the other",
            &rules(&[SITE, "{source_matchers: [severity=warning], target_matchers: [severity=info], equal: [site]}"]),
        )
        .fire("alertname=Outage site=harbour severity=critical")
        .told("team", 1)
        .fire_all(&["alertname=Slow site=harbour severity=warning", "alertname=Note site=harbour severity=info"])
        .quiet()
        .get("/api/v2/alerts"),
    ]
}

const SITE: &str = "{source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [site]}";

fn rules(rules: &[&str]) -> String {
    format!("inhibit_rules: [{}]{TEAM}", rules.join(", "))
}
