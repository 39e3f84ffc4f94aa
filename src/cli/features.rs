//! `--enable-feature`: Alertmanager's feature flags, and which of them can be followed.

use super::UsageError;

/// The features that are enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// `alertmanager_alerts_limited_total` tells the alert's name.
    pub alert_names_in_metrics: bool,
    /// The metrics of notifications tell the receiver.
    pub receiver_name_in_metrics: bool,
    /// `alertmanager_alerts` is told by group.
    pub group_key_in_metrics: bool,
    /// Matchers and label names are read as before Alertmanager 0.27.
    pub classic_mode: bool,
    /// Matchers are read by the UTF-8 syntax only.
    pub utf8_strict_mode: bool,
    /// The names that were given, to be logged.
    pub names: Vec<String>,
}

impl Features {
    /// Reads a comma-separated list.
    pub(super) fn parse(list: &str) -> Result<Self, UsageError> {
        let mut features = Self::default();
        for name in list.split(',').filter(|name| !name.is_empty()) {
            features.enable(name)?;
            features.names.push(name.to_owned());
        }
        if features.classic_mode && features.utf8_strict_mode {
            return Err(UsageError("cannot have both classic and UTF-8 modes enabled".to_owned()));
        }
        Ok(features)
    }

    fn enable(&mut self, name: &str) -> Result<(), UsageError> {
        match name {
            "alert-names-in-metrics" => self.alert_names_in_metrics = true,
            "receiver-name-in-metrics" => self.receiver_name_in_metrics = true,
            "group-key-in-metrics" => self.group_key_in_metrics = true,
            "classic-mode" => self.classic_mode = true,
            "utf8-strict-mode" => self.utf8_strict_mode = true,
            // A limit for Go's garbage collector; there is none here.
            "auto-gomemlimit" => {}
            "event-recorder" => {
                return Err(UsageError("--enable-feature: 'event-recorder' is not built yet".to_owned()));
            }
            _ => return Err(UsageError(format!("unknown option '{name}' for --enable-feature"))),
        }
        Ok(())
    }
}
