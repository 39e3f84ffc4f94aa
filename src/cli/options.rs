//! The options as plain values, checked: what is out of range or not built is refused here.

use std::path::PathBuf;
use std::time::Duration;

use watchbell_golang::duration;

use super::arguments::Given;
use super::{Features, UsageError, flags};

/// What the operator chose on the command line.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The configuration file, if one was named; else [`DEFAULT_CONFIG_FILE`](super::DEFAULT_CONFIG_FILE) where it
    /// exists, else the built-in configuration.
    pub config_file: Option<PathBuf>,
    /// The directory of the state.
    pub storage_path: PathBuf,
    /// How long notification log entries and ended silences are kept.
    pub data_retention: Duration,
    /// How many silences may exist.
    pub max_silences: Option<usize>,
    /// How large a silence may be, in bytes.
    pub max_silence_size_bytes: Option<usize>,
    /// Whether changes of silences are logged.
    pub log_silences: bool,
    /// Time between two clean-ups of resolved alerts.
    pub alerts_gc_interval: Duration,
    /// How many alerts of one alertname are taken.
    pub per_alertname_limit: Option<usize>,
    /// Time after the start before anything is sent.
    pub dispatch_start_delay: Duration,
    /// `host:port` each, where an empty host means all addresses, or `vsock://:port`. Never empty.
    pub listen_addresses: Vec<String>,
    /// Whether the sockets are used that systemd passes, instead of the addresses.
    pub systemd_socket: bool,
    /// As given; empty means that the host's name is used.
    pub external_url: String,
    /// As given; `None` means the path of the external URL.
    pub route_prefix: Option<String>,
    /// How many GET requests may run at once.
    pub get_concurrency: usize,
    /// How long a request may take.
    pub web_timeout: Option<Duration>,
    /// Clustering, unless it is turned off.
    pub cluster: Option<Cluster>,
    /// The features enabled.
    pub features: Features,
    /// The least level that is logged.
    pub log_level: LogLevel,
    /// The form of the log.
    pub log_format: LogFormat,
}

/// The `--cluster.*` flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// `host:port`.
    pub listen_address: String,
    /// `host:port`, or empty.
    pub advertise_address: String,
    /// Empty means that a name is made up.
    pub peer_name: String,
    /// `host:port` each.
    pub peers: Vec<String>,
    /// How long each position waits for the peers before it.
    pub peer_timeout: Duration,
    /// How long the names of peers may take to resolve.
    pub peers_resolve_timeout: Duration,
    /// Time between two rounds of gossip.
    pub gossip_interval: Duration,
    /// Time between two full exchanges.
    pub pushpull_interval: Duration,
    /// How long a connection may take.
    pub tcp_timeout: Duration,
    /// How long an answer to a probe may take.
    pub probe_timeout: Duration,
    /// Time between two probes.
    pub probe_interval: Duration,
    /// How long to wait for the cluster to settle; may be zero.
    pub settle_timeout: Duration,
    /// Time between two attempts to reach a lost peer.
    pub reconnect_interval: Duration,
    /// How long a lost peer is tried.
    pub reconnect_timeout: Duration,
    /// Whether a public address may be advertised.
    pub allow_public_advertise_address: bool,
    /// The file of the cluster's keys.
    pub key_file: Option<PathBuf>,
    /// The file that turns on mutual TLS.
    pub tls_config: Option<PathBuf>,
    /// What every message carries; may be empty.
    pub label: String,
}

/// The least level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What went wrong.
    Error,
}

/// The form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// Fills in the defaults and checks everything.
pub(super) fn from_flags(given: &Given) -> Result<Options, UsageError> {
    let flags = Values(given);
    flags.refuse_unbuilt()?;
    flags.check_without_effect()?;
    Ok(Options {
        config_file: given.get("config.file").map(|values| PathBuf::from(&values[0])),
        storage_path: PathBuf::from(flags.text("storage.path")),
        data_retention: flags.positive("data.retention")?,
        max_silences: flags.limit("silences.max-silences")?,
        max_silence_size_bytes: flags.limit("silences.max-silence-size-bytes")?,
        log_silences: flags.is_on("log.silences"),
        alerts_gc_interval: flags.positive("alerts.gc-interval")?,
        per_alertname_limit: flags.limit("alerts.per-alertname-limit")?,
        dispatch_start_delay: flags.duration("dispatch.start-delay")?,
        listen_addresses: flags.listen_addresses()?,
        systemd_socket: flags.is_on("web.systemd-socket"),
        external_url: flags.text("web.external-url").to_owned(),
        route_prefix: Some(flags.text("web.route-prefix")).filter(|prefix| !prefix.is_empty()).map(str::to_owned),
        get_concurrency: flags.limit("web.get-concurrency")?.unwrap_or_else(default_get_concurrency),
        web_timeout: Some(flags.duration("web.timeout")?).filter(|timeout| !timeout.is_zero()),
        cluster: flags.cluster()?,
        features: Features::parse(flags.text("enable-feature"))?,
        log_level: flags.log_level()?,
        log_format: flags.log_format()?,
    })
}

/// Alertmanager's `max(GOMAXPROCS, 8)`.
fn default_get_concurrency() -> usize {
    std::thread::available_parallelism().map_or(8, usize::from).max(8)
}

/// What was given, with the defaults behind it.
struct Values<'a>(&'a Given);

impl Values<'_> {
    fn text(&self, name: &'static str) -> &str {
        let default = || flags::find(name).expect("only flags of the list are asked for").default;
        self.0.get(name).map_or_else(default, |values| &values[0])
    }

    fn path(&self, name: &'static str) -> Option<PathBuf> {
        Some(self.text(name)).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        match self.0.get(name) {
            Some(values) => values.clone(),
            None => Some(self.text(name)).filter(|value| !value.is_empty()).map(str::to_owned).into_iter().collect(),
        }
    }

    fn is_on(&self, name: &'static str) -> bool {
        self.text(name) == "true"
    }

    /// A duration; a negative one counts as zero.
    fn duration(&self, name: &'static str) -> Result<Duration, UsageError> {
        let nanoseconds = duration::parse(self.text(name)).map_err(|error| self.invalid(name, &error))?;
        Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0)))
    }

    fn positive(&self, name: &'static str) -> Result<Duration, UsageError> {
        let duration = self.duration(name)?;
        if duration.is_zero() {
            return Err(self.invalid(name, &"it must be greater than 0"));
        }
        Ok(duration)
    }

    /// A limit; zero and less mean none.
    fn limit(&self, name: &'static str) -> Result<Option<usize>, UsageError> {
        let number: i64 = self.text(name).parse().map_err(|error| self.invalid(name, &error))?;
        Ok(usize::try_from(number).ok().filter(|&number| number > 0))
    }

    fn invalid(&self, name: &'static str, why: &dyn std::fmt::Display) -> UsageError {
        UsageError(format!("invalid value {:?} for flag '--{name}': {why}", self.text(name)))
    }

    /// What has no effect must still be right, as Alertmanager demands it.
    fn check_without_effect(&self) -> Result<(), UsageError> {
        self.positive("data.maintenance-interval")?;
        self.positive("dispatch.maintenance-interval")?;
        const NAME: &str = "auto-gomemlimit.ratio";
        let ratio: f64 = self.text(NAME).parse().map_err(|error| self.invalid(NAME, &error))?;
        if ratio > 0.0 && ratio <= 1.0 {
            return Ok(());
        }
        Err(self.invalid(NAME, &"it must be greater than 0 and at most 1"))
    }

    /// Refuses what would have to be ignored: an operator who asks for it relies on it.
    fn refuse_unbuilt(&self) -> Result<(), UsageError> {
        let unbuilt =
            [("web.config.file", !self.text("web.config.file").is_empty(), "TLS and authentication are not built yet")];
        match unbuilt.into_iter().find(|(_, asked, _)| *asked) {
            Some((name, _, why)) => Err(UsageError(format!("flag '--{name}' cannot be followed: {why}"))),
            None => Ok(()),
        }
    }

    fn listen_addresses(&self) -> Result<Vec<String>, UsageError> {
        const NAME: &str = "web.listen-address";
        let addresses = self.list(NAME);
        let is_known = |address: &&String| match address.strip_prefix("vsock://") {
            Some(rest) => rest.strip_prefix(':').is_some_and(|port| port.parse::<u32>().is_ok()),
            None => address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()),
        };
        match addresses.iter().find(|address| !is_known(address)) {
            Some(address) => Err(UsageError(format!(
                "invalid value {address:?} for flag '--{NAME}': write host:port, :port or vsock://:port"
            ))),
            None => Ok(addresses),
        }
    }

    fn cluster(&self) -> Result<Option<Cluster>, UsageError> {
        let listen_address = self.text("cluster.listen-address").to_owned();
        if listen_address.is_empty() {
            return Ok(None);
        }
        Ok(Some(Cluster {
            listen_address,
            advertise_address: self.text("cluster.advertise-address").to_owned(),
            peer_name: self.text("cluster.peer-name").to_owned(),
            peers: self.list("cluster.peer").into_iter().filter(|peer| !peer.is_empty()).collect(),
            peer_timeout: self.positive("cluster.peer-timeout")?,
            peers_resolve_timeout: self.positive("cluster.peers-resolve-timeout")?,
            gossip_interval: self.positive("cluster.gossip-interval")?,
            pushpull_interval: self.positive("cluster.pushpull-interval")?,
            tcp_timeout: self.positive("cluster.tcp-timeout")?,
            probe_timeout: self.positive("cluster.probe-timeout")?,
            probe_interval: self.positive("cluster.probe-interval")?,
            settle_timeout: self.duration("cluster.settle-timeout")?,
            reconnect_interval: self.positive("cluster.reconnect-interval")?,
            reconnect_timeout: self.positive("cluster.reconnect-timeout")?,
            allow_public_advertise_address: self.is_on("cluster.allow-insecure-public-advertise-address-discovery"),
            key_file: self.path("cluster.key-file"),
            tls_config: self.path("cluster.tls-config"),
            label: self.text("cluster.label").to_owned(),
        }))
    }

    fn log_level(&self) -> Result<LogLevel, UsageError> {
        match self.text("log.level") {
            "debug" => Ok(LogLevel::Debug),
            "info" => Ok(LogLevel::Info),
            "warn" => Ok(LogLevel::Warn),
            "error" => Ok(LogLevel::Error),
            _ => Err(self.invalid("log.level", &"it must be one of debug, info, warn, error")),
        }
    }

    fn log_format(&self) -> Result<LogFormat, UsageError> {
        match self.text("log.format") {
            "logfmt" => Ok(LogFormat::Logfmt),
            "json" => Ok(LogFormat::Json),
            _ => Err(self.invalid("log.format", &"it must be one of logfmt, json")),
        }
    }
}
