//! `irc_servers`: the networks, and how a session with each is held.

use serde::{Deserialize, Serialize};

use super::super::duration::PrometheusDuration;
use super::super::lenient::{empty, nullable};
use super::super::secret::Secret;
use super::super::tls::TlsConfig;
use super::super::url::ProxyUrl;
use super::super::{Invalid, at_most_one, one_of};
use super::commands::IrcCommands;
use super::login::{IrcChanserv, IrcNickserv, IrcSasl};
use super::seconds;

/// A network; each node holds one session with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcServer {
    /// What `irc_configs` call it.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Servers as `host` or `host:port` (6697 if left out), tried in order.
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<String>,
    /// Whether TLS is spoken. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub tls: bool,
    /// How TLS is spoken; a certificate of ours identifies us to services.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub tls_config: TlsConfig,
    /// The proxy to go through; `socks5h` leaves the names to it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub proxy_url: ProxyUrl,
    /// The address to connect from.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub source_address: String,
    /// The server's password.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password: Secret,
    /// The same in a file.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub password_file: String,
    /// Our nick; a template over `ShortHostname`, `Hostname` and `NodeName`.
    #[serde(deserialize_with = "nullable")]
    pub nick: String,
    /// Nicks to try if it is taken.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub nick_fallbacks: Vec<String>,
    /// Whether we take our nick back when it becomes free. Always shown.
    #[serde(deserialize_with = "nullable")]
    pub regain_nick: bool,
    /// Our user name (ident).
    #[serde(deserialize_with = "nullable")]
    pub username: String,
    /// Our real name; a template over `ExternalURL`.
    #[serde(deserialize_with = "nullable")]
    pub realname: String,
    /// `auto` marks us as a bot where the server knows how; else a mode string.
    #[serde(deserialize_with = "nullable")]
    pub user_modes: String,
    /// How we log in before we are on the network.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub sasl: IrcSasl,
    /// How we log in otherwise.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub nickserv: IrcNickserv,
    /// Who lets us into channels.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub chanserv: IrcChanserv,
    /// Channels to join besides those that `irc_configs` name.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub autojoin: Vec<String>,
    /// How often we ask whether the server is there.
    #[serde(deserialize_with = "nullable")]
    pub ping_interval: PrometheusDuration,
    /// How long it may take to say so.
    #[serde(deserialize_with = "nullable")]
    pub ping_timeout: PrometheusDuration,
    /// How long connecting may take.
    #[serde(deserialize_with = "nullable")]
    pub connect_timeout: PrometheusDuration,
    /// How long to wait between attempts.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub reconnect: IrcReconnect,
    /// How fast we speak; it can only be lowered.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub flood: IrcFlood,
    /// The nicks of the other nodes; learnt from them unless given.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub peer_nicks: Vec<String>,
    /// The character encoding; `utf-8` is the only one.
    #[serde(deserialize_with = "nullable")]
    pub encoding: String,
    /// What we say when leaving.
    #[serde(deserialize_with = "nullable")]
    pub quit_message: String,
    /// What people may ask of us.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "empty")]
    pub commands: IrcCommands,
}

/// The pauses between attempts to connect; each is random, up to a limit that doubles.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcReconnect {
    /// The first limit.
    #[serde(deserialize_with = "nullable")]
    pub min: PrometheusDuration,
    /// The last limit.
    #[serde(deserialize_with = "nullable")]
    pub max: PrometheusDuration,
    /// How long a session must last for the limit to fall back.
    #[serde(deserialize_with = "nullable")]
    pub reset_after: PrometheusDuration,
}

/// How fast we speak.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IrcFlood {
    /// Lines at once.
    #[serde(deserialize_with = "nullable")]
    pub burst: u32,
    /// The pause between lines after that.
    #[serde(deserialize_with = "nullable")]
    pub interval: PrometheusDuration,
    /// Bytes sent before the server has answered.
    #[serde(deserialize_with = "nullable")]
    pub max_inflight_bytes: u32,
}

impl Default for IrcServer {
    fn default() -> Self {
        Self {
            name: String::new(),
            addresses: Vec::new(),
            tls: true,
            tls_config: TlsConfig::default(),
            proxy_url: ProxyUrl::default(),
            source_address: String::new(),
            password: Secret::default(),
            password_file: String::new(),
            nick: "alerts-{{ .ShortHostname }}".to_owned(),
            nick_fallbacks: Vec::new(),
            regain_nick: true,
            username: "alerts".to_owned(),
            realname: "Alert router {{ .ExternalURL }}".to_owned(),
            user_modes: "auto".to_owned(),
            sasl: IrcSasl::default(),
            nickserv: IrcNickserv::default(),
            chanserv: IrcChanserv::default(),
            autojoin: Vec::new(),
            ping_interval: seconds(60),
            ping_timeout: seconds(30),
            connect_timeout: seconds(30),
            reconnect: IrcReconnect::default(),
            flood: IrcFlood::default(),
            peer_nicks: Vec::new(),
            encoding: "utf-8".to_owned(),
            quit_message: "restarting".to_owned(),
            commands: IrcCommands::default(),
        }
    }
}

impl Default for IrcReconnect {
    fn default() -> Self {
        Self { min: seconds(2), max: seconds(300), reset_after: seconds(600) }
    }
}

impl Default for IrcFlood {
    fn default() -> Self {
        Self { burst: 4, interval: seconds(1), max_inflight_bytes: 2048 }
    }
}

impl IrcServer {
    /// Refuses what contradicts itself or lacks a server.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        Invalid::when(self.name.is_empty(), "missing name in irc server")?;
        Invalid::when(self.addresses.is_empty(), &format!("missing addresses in irc server {:?}", self.name))?;
        let password = !self.password.is_empty();
        at_most_one(&[("password", password), ("password_file", !self.password_file.is_empty())])?;
        one_of("encoding", &self.encoding, &["utf-8"])?;
        self.sasl.validate()?;
        self.nickserv.validate()?;
        self.tls_config.validate()
    }
}
