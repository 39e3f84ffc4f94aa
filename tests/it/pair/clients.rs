//! The dashboards of the pair, played: what Karma and Grafana ask a router, and what must be in the answers so that they
//! show them. Karma refuses more than it says: null for labels, double keys, a missing member, a time that is no RFC 3339.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::stage::{Stage, until};
use crate::harness::http::{Client, Request, Response};

/// What Karma decodes of a group; all that is named must be there for its older versions.
#[derive(Deserialize)]
struct Group {
    labels: BTreeMap<String, String>,
    receiver: Receiver,
    alerts: Vec<Alert>,
}

#[derive(Deserialize)]
struct Receiver {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    #[serde(rename = "annotations")]
    _annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    _starts_at: Time,
    fingerprint: String,
    /// Absent in alerts that no Prometheus has raised.
    #[serde(default, rename = "generatorURL")]
    _generator_url: Option<String>,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    silenced_by: Vec<String>,
    #[serde(rename = "inhibitedBy")]
    _inhibited_by: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Silence {
    id: String,
    #[serde(rename = "startsAt")]
    _starts_at: Time,
    ends_at: Time,
    #[serde(rename = "createdBy")]
    _created_by: String,
    #[serde(rename = "comment")]
    _comment: String,
    matchers: Vec<Matcher>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Matcher {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "value")]
    _value: String,
    #[serde(rename = "isRegex")]
    _is_regex: bool,
    #[serde(rename = "isEqual")]
    _is_equal: bool,
}

/// A time as Go's strict parser wants it: with T and Z, or with an offset with a colon, and never null.
struct Time(Timestamp);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let zone = text.get(19..).and_then(|rest| rest.find(['Z', '+', '-']).map(|at| &rest[at..]));
        let strict = text.get(10..11) == Some("T") && zone.is_some_and(|zone| zone == "Z" || zone.contains(':'));
        let time = text.parse().ok().filter(|_| strict);
        time.map(Self).ok_or_else(|| serde::de::Error::custom(format!("{text} is no RFC 3339")))
    }
}

/// What Karma shows of one router: each alert as receiver, group and labels, and what mutes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// Alerts that are active, but for the Watchdogs.
    pub(super) active: BTreeSet<String>,
    /// How many Watchdogs fire, one for each Prometheus.
    watchdogs: usize,
    /// The silences that are not over.
    pub(super) silences: BTreeSet<String>,
    /// How many alerts some silence mutes.
    pub(super) silenced: usize,
}

/// Waits until Karma shows so many active alerts, the same from both routers, and Grafana is content with both.
pub(super) fn check(stage: &Stage, active: usize) {
    until("Karma shows the same of both routers", || {
        let [first, second] = stage.machines.each_ref().map(|machine| karma(&machine.router.client()));
        (first == second && first.active.len() == active && first.watchdogs == 2).then_some(())
    });
    stage.machines.iter().for_each(|machine| grafana(&machine.router.client()));
}

/// Waits until Karma shows the same of both routers, whatever that is.
pub(super) fn agree(stage: &Stage) {
    until("Karma shows the same of both routers", || {
        let [first, second] = stage.machines.each_ref().map(|machine| karma(&machine.router.client()));
        (first == second).then_some(())
    });
}

/// Karma's three requests, in its order, decoded by its rules.
pub(super) fn karma(router: &Client) -> Shown {
    let metrics = ask_as_karma(router, "/metrics");
    assert!(version(&metrics.text()) >= [0, 22, 0], "Karma would refuse the router");
    let silences: Vec<Silence> = decoded(&ask_as_karma(router, "/api/v2/silences"));
    let groups: Vec<Group> = decoded(&ask_as_karma(router, "/api/v2/alerts/groups"));
    let now = Timestamp::now();
    assert!(silences.iter().all(|silence| !silence.matchers.is_empty()));
    let mut shown = Shown {
        active: BTreeSet::new(),
        watchdogs: 0,
        silences: silences.into_iter().filter(|silence| silence.ends_at.0 > now).map(|silence| silence.id).collect(),
        silenced: 0,
    };
    for group in groups {
        for alert in group.alerts {
            assert!(alert.fingerprint.len() == 16, "{}", alert.fingerprint);
            assert!(["active", "suppressed", "unprocessed"].contains(&alert.status.state.as_str()));
            shown.silenced += usize::from(!alert.status.silenced_by.is_empty());
            if alert.labels["alertname"] == "Watchdog" {
                shown.watchdogs += 1;
            } else if alert.status.state == "active" {
                shown.active.insert(format!("{} {:?} {:?}", group.receiver.name, group.labels, alert.labels));
            }
        }
    }
    shown
}

fn ask_as_karma(router: &Client, path: &str) -> Response {
    router.must(&Request::new("GET", path).header("User-Agent", "Go-http-client/1.1")).ok()
}

/// The version in `alertmanager_build_info`.
fn version(metrics: &str) -> [u32; 3] {
    let line = metrics.lines().find(|line| line.starts_with("alertmanager_build_info{")).expect("a build_info");
    let version = line.split("version=\"").last().and_then(|rest| rest.split('"').next()).expect("a version");
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    parts.try_into().expect("three numbers")
}

fn decoded<T: DeserializeOwned>(answer: &Response) -> T {
    if let Err(error) = serde_json::from_slice::<Unique>(&answer.body) {
        panic!("Karma would refuse this ({error}): {}", answer.text());
    }
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("({error}): {}", answer.text()))
}

/// Any JSON in which no object has a key twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON without double keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, Self)) = map.next_entry::<String, Self>()? {
            if !keys.insert(key.clone()) {
                return Err(serde::de::Error::custom(format!("{key} twice")));
            }
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while let Some(Self) = list.next_element()? {}
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}

/// Grafana's look whether the data source works, and what its pages ask for.
fn grafana(router: &Client) {
    let get = |path: &str| router.must(&Request::new("GET", path));
    assert_eq!(get("/api/v1/status/buildinfo").status, 404);
    assert_ne!(get("/alertmanager/api/v2/status").status, 200, "it would be taken for Mimir");
    let status = json_of(get("/api/v2/status"));
    let original = status["config"]["original"].as_str().expect("the configuration is shown");
    let config: BTreeMap<String, Value> = serde_saphyr::from_str(original).expect("it is YAML");
    assert!(config["route"]["receiver"].is_string() && config["receivers"].is_array());
    let all = json_of(get("/api/v2/alerts"));
    let query = "filter=alertname%3D%22Watchdog%22&silenced=false&inhibited=false&active=true&ruleMetadata=true&accesscontrol=true";
    let watchdogs = json_of(get(&format!("/api/v2/alerts?{query}")));
    assert_eq!(watchdogs.as_array().map(Vec::len), Some(2), "{watchdogs}");
    for alert in all.as_array().expect("a list") {
        for member in ["labels", "annotations", "status"] {
            assert!(alert[member].is_object(), "{alert}");
        }
        for member in ["startsAt", "endsAt", "updatedAt", "fingerprint"] {
            assert!(alert[member].is_string(), "{alert}");
        }
        assert!(alert["receivers"].is_array(), "{alert}");
    }
    for path in ["/api/v2/alerts/groups", "/api/v2/silences"] {
        assert!(json_of(get(path)).is_array());
    }
}

/// Grafana's backend refuses a body whose type is not JSON.
fn json_of(answer: Response) -> Value {
    let answer = answer.ok();
    assert!(answer.header("Content-Type").is_some_and(|kind| kind.contains("json")));
    answer.json()
}

#[test]
fn double_keys_are_noticed() {
    assert!(serde_json::from_str::<Unique>(r#"[{"a": 1, "b": {"a": null}}]"#).is_ok());
    assert!(serde_json::from_str::<Unique>(r#"[{"b": {"a": 1, "a": 2}}]"#).is_err());
}
