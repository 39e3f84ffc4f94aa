//! The list of all flags: names, defaults and what they are for. The names and defaults are Alertmanager's.

/// One flag.
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// As it would be written; empty means "not given" where that differs from a value.
    pub(super) default: &'static str,
    pub(super) help: &'static str,
}

/// What a flag takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: `--x` or `--no-x`.
    Switch,
    /// One value; the text names it in the help.
    Value(&'static str),
    /// A value each time it is given.
    Repeated(&'static str),
}

/// The flag called `name`, without its dashes.
pub(super) fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

const fn switch(name: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Switch, default: "false", help }
}

const fn text(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Value("TEXT"), default, help }
}

const fn number(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Value("NUMBER"), default, help }
}

const fn duration(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Value("DURATION"), default, help }
}

const fn repeated(name: &'static str, default: &'static str, help: &'static str) -> Flag {
    Flag { name, kind: Kind::Repeated("ADDRESS"), default, help }
}

/// All flags, in the order of the help.
pub(super) const FLAGS: &[Flag] = &[
    switch("help", "Show this help (also -h and --help-long)."),
    switch("version", "Show the version."),
    text(
        "config.file",
        super::DEFAULT_CONFIG_FILE,
        "The configuration file. If the flag is not given and there is no such file, the built-in configuration is used.",
    ),
    text("storage.path", "data/", "The directory in which state is kept."),
    duration("data.retention", "120h", "How long notification log entries and ended silences are kept."),
    duration(
        "data.maintenance-interval",
        "15m",
        "Accepted and without effect: log entries and silences are forgotten when their time is over.",
    ),
    number("silences.max-silences", "0", "How many silences may exist, expired ones included. 0 means no limit."),
    number("silences.max-silence-size-bytes", "0", "How large a silence may be. 0 means no limit."),
    switch("log.silences", "Log every change of a silence."),
    duration("alerts.gc-interval", "30m", "Time between two clean-ups of resolved alerts."),
    number("alerts.per-alertname-limit", "0", "How many alerts of one alertname are taken. 0 means no limit."),
    duration(
        "dispatch.maintenance-interval",
        "30s",
        "Accepted and without effect: a group ends when its last alert leaves.",
    ),
    duration(
        "dispatch.start-delay",
        "0s",
        "Time after the start before anything is sent. Best set to Prometheus' --rules.alert.resend-delay.",
    ),
    switch("web.systemd-socket", "Use the sockets that systemd passes instead of listen addresses."),
    repeated("web.listen-address", ":9093", "Where the API and the pages are served. Repeatable."),
    text("web.config.file", "", "A file that turns on TLS or authentication."),
    text(
        "web.external-url",
        "",
        "The URL under which others reach this node; used in links. Its path is the default route prefix.",
    ),
    text("web.route-prefix", "", "The path under which everything is served."),
    number(
        "web.get-concurrency",
        "0",
        "How many GET requests may run at once. 0 means the number of processors, at least 8.",
    ),
    duration("web.timeout", "0", "How long a request may take. 0 means no limit."),
    number("auto-gomemlimit.ratio", "0.9", "Accepted and without effect."),
    text("cluster.listen-address", "0.0.0.0:9094", "Where peers are listened to. Empty turns clustering off."),
    text("cluster.advertise-address", "", "The address that peers are told."),
    text("cluster.peer-name", "", "This node's name in the cluster; random if empty."),
    repeated("cluster.peer", "", "A peer to join. Repeatable."),
    duration("cluster.peer-timeout", "15s", "How long each position waits for the peers before it to notify."),
    duration("cluster.peers-resolve-timeout", "15s", "How long the names of peers may take to resolve at the start."),
    duration("cluster.gossip-interval", "200ms", "Time between two rounds of gossip."),
    duration("cluster.pushpull-interval", "1m", "Time between two full exchanges of state."),
    duration("cluster.tcp-timeout", "10s", "How long a connection to a peer may take."),
    duration("cluster.probe-timeout", "500ms", "How long a peer may take to answer a probe."),
    duration("cluster.probe-interval", "1s", "Time between two probes."),
    duration("cluster.settle-timeout", "1m", "How long to wait at most for the cluster to settle before notifying."),
    duration("cluster.reconnect-interval", "10s", "Time between two attempts to reach a lost peer."),
    duration("cluster.reconnect-timeout", "6h", "How long a lost peer is tried."),
    text("cluster.key-file", "", "A file of keys that close the cluster to everybody else; the first encrypts."),
    text("cluster.tls-config", "", "A file that turns on mutual TLS between peers."),
    switch("cluster.allow-insecure-public-advertise-address-discovery", "Let a public address be advertised."),
    text(
        "cluster.label",
        "",
        "A label that every message between peers carries; peers with another label are ignored.",
    ),
    text("enable-feature", "", "Features to enable, separated by commas."),
    text("log.level", "info", "The least level that is logged: debug, info, warn or error."),
    text("log.format", "logfmt", "The form of the log: logfmt or json."),
];
