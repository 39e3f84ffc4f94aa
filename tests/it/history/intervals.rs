//! Time intervals: routes that are muted, or only awake, at certain times. The intervals are such that it does not matter
//! when the test runs.

use super::script::History;

pub(super) fn histories() -> Vec<History> {
    vec![
        History::new("a route muted all day", &muted("mute_time_intervals: [always]"))
            .fire("alertname=Fire site=harbour")
            .quiet()
            .get("/api/v2/alerts")
            .get("/api/v2/alerts/groups"),
        History::new("a route muted in another year", &muted("mute_time_intervals: [long-ago]"))
            .fire("alertname=Fire site=harbour")
            .told("team", 1)
            .get("/api/v2/alerts/groups"),
        History::new("a route awake all day", &muted("active_time_intervals: [always]"))
            .fire("alertname=Fire site=harbour")
            .told("team", 1),
        History::new("a route awake in another year", &muted("active_time_intervals: [long-ago]"))
            .fire("alertname=Fire site=harbour")
            .quiet()
            .get("/api/v2/alerts/groups"),
        History::new("muted by one of two intervals", &muted("mute_time_intervals: [long-ago, every-day]"))
            .fire("alertname=Fire site=harbour")
            .quiet()
            .get("/api/v2/alerts/groups"),
        History::new(
            "days counted from the end of the month, elsewhere",
            &muted("mute_time_intervals: [from-the-end]"),
        )
        .fire("alertname=Fire site=harbour")
        .quiet(),
        History::new(
            "a muted route does not mute its children",
            &muted("mute_time_intervals: [always], routes: [{matchers: [deck=1]}]"),
        )
        .fire_all(&["alertname=Fire site=harbour deck=1", "alertname=Fire site=harbour"])
        .told("team", 1)
        .quiet(),
        History::new("awake again after a reload", &muted("mute_time_intervals: [always]"))
            .fire("alertname=Fire site=harbour")
            .quiet()
            .reload(&muted("mute_time_intervals: [long-ago]"))
            .told("team", 1)
            .quiet(),
        History::new("what resolved while its route was muted", &muted("mute_time_intervals: [long-ago]"))
            .fire("alertname=Fire site=harbour")
            .told("team", 1)
            .reload(&muted("mute_time_intervals: [always]"))
            .resolve("alertname=Fire site=harbour")
            .quiet(),
    ]
}

fn muted(options: &str) -> String {
    INTERVALS.replace("{options}", options)
}

const INTERVALS: &str = "
route:
  receiver: fallback
  group_by: [alertname]
  group_wait: 500ms
  group_interval: 1s
  routes: [{receiver: team, matchers: [site=harbour], {options}}]
time_intervals:
  - name: always
    time_intervals: [{times: [{start_time: '00:00', end_time: '24:00'}]}]
  - name: every-day
    time_intervals: [{weekdays: ['monday:friday']}, {weekdays: [saturday, sunday]}]
  - name: from-the-end
    time_intervals: [{days_of_month: ['-31:-1'], location: Europe/Berlin}]
mute_time_intervals:
  - name: long-ago
    time_intervals: [{years: ['1999:2000'], months: ['january:march', 12]}]
receivers:
  - name: fallback
    webhook_configs: [{url: '{sink}/fallback'}]
  - name: team
    webhook_configs: [{url: '{sink}/team'}]
";
