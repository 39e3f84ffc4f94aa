//! The bodies that clients are answered with, written straight from what the engine knows. The order of the keys is
//! Alertmanager's.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, Serializer};
use smol_str::SmolStr;
use watchbell_engine::label::{Fingerprint, Labels};
use watchbell_engine::silence::SilenceId;

use super::time::ZonedTime;

/// An alert.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ShownAlert<'a> {
    pub(in crate::api) annotations: Object<'a>,
    pub(in crate::api) ends_at: ZonedTime,
    pub(in crate::api) fingerprint: Text<Fingerprint>,
    pub(in crate::api) receivers: Vec<Named<'a>>,
    pub(in crate::api) starts_at: ZonedTime,
    pub(in crate::api) status: AlertStatus<'a>,
    pub(in crate::api) updated_at: ZonedTime,
    #[serde(rename = "generatorURL", skip_serializing_if = "str::is_empty")]
    pub(in crate::api) generator_url: &'a str,
    pub(in crate::api) labels: Object<'a>,
}

/// What mutes an alert.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct AlertStatus<'a> {
    pub(in crate::api) inhibited_by: Texts<'a, Fingerprint>,
    pub(in crate::api) muted_by: &'a [SmolStr],
    pub(in crate::api) silenced_by: Texts<'a, SilenceId>,
    pub(in crate::api) state: &'static str,
}

/// A receiver where only its name is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(in crate::api) struct Named<'a> {
    pub(in crate::api) name: &'a str,
}

/// A receiver.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct ShownReceiver<'a> {
    pub(in crate::api) labels: Object<'a>,
    pub(in crate::api) name: &'a str,
}

/// A silence.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ShownSilence<'a> {
    pub(in crate::api) id: Text<SilenceId>,
    pub(in crate::api) status: SilenceStatus,
    pub(in crate::api) updated_at: ZonedTime,
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub(in crate::api) annotations: Object<'a>,
    pub(in crate::api) comment: &'a str,
    pub(in crate::api) created_by: &'a str,
    pub(in crate::api) ends_at: ZonedTime,
    pub(in crate::api) matchers: Vec<ShownMatcher<'a>>,
    pub(in crate::api) starts_at: ZonedTime,
}

/// Where a silence stands.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct SilenceStatus {
    pub(in crate::api) state: &'static str,
}

/// A matcher of a silence.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ShownMatcher<'a> {
    pub(in crate::api) is_equal: bool,
    pub(in crate::api) is_regex: bool,
    pub(in crate::api) name: &'a str,
    pub(in crate::api) value: &'a str,
}

/// The answer to a silence that was set.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct SilenceSet {
    #[serde(rename = "silenceID")]
    pub(in crate::api) silence_id: Text<SilenceId>,
}

/// The node.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct ShownStatus<'a> {
    pub(in crate::api) cluster: ClusterStatus<'a>,
    pub(in crate::api) config: ConfigText<'a>,
    pub(in crate::api) uptime: ZonedTime,
    pub(in crate::api) version_info: VersionInfo,
}

/// The node's cluster.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct ClusterStatus<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) name: Option<&'a str>,
    pub(in crate::api) peers: Vec<PeerStatus<'a>>,
    pub(in crate::api) status: &'static str,
}

/// A node of the cluster.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct PeerStatus<'a> {
    pub(in crate::api) address: String,
    pub(in crate::api) name: &'a str,
}

/// The configuration that runs, without its secrets.
#[derive(Debug, serde::Serialize)]
pub(in crate::api) struct ConfigText<'a> {
    pub(in crate::api) original: &'a str,
}

/// What was built.
#[derive(Debug, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::api) struct VersionInfo {
    pub(in crate::api) branch: &'static str,
    pub(in crate::api) build_date: &'static str,
    pub(in crate::api) build_user: &'static str,
    pub(in crate::api) go_version: &'static str,
    pub(in crate::api) revision: &'static str,
    pub(in crate::api) version: &'static str,
}

/// Labels as an object; never null.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Object<'a>(pub(in crate::api) &'a Labels);

impl Object<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What is told as a text.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Text<T>(pub(in crate::api) T);

impl<T: Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A list of what is told as texts.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Texts<'a, T>(pub(in crate::api) &'a [T]);

impl<T: Display> Serialize for Texts<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Text))
    }
}
