//! What a session is to do: a server's settings, checked, with the names of this node filled in and the channels that
//! receivers name. Two equal plans need no change of a session.

use std::net::IpAddr;
use std::time::Duration;

use url::Url;

use super::super::http::read_trimmed;
use super::super::{ReceiverError, tls};
use super::wire::{is_channel, same};
use crate::settings::irc::{IrcConfig, IrcServer};
use crate::settings::receiver::Receiver;
use crate::settings::secret::Secret;

/// The port of IRC over TLS (RFC 7194).
const DEFAULT_PORT: u16 = 6697;

/// Nicks that fit everywhere are no longer (RFC 2812; ngIRCd's default).
pub(super) const SAFE_NICK: usize = 9;

/// Digits that are tried behind a nick that is taken.
const NICK_SUFFIXES: std::ops::RangeInclusive<u8> = 2..=9;

/// How this node is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The host's name, with its domain if it has one.
    pub host: String,
    /// The node's name in the cluster.
    pub node: String,
    /// Where people find us.
    pub external_url: String,
}

/// What a session is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) settings: IrcServer,
    pub(super) addresses: Vec<Address>,
    /// The nick that we want, and those that do as well.
    pub(super) nicks: Vec<String>,
    pub(super) realname: String,
    /// Commands a person may give in a time.
    pub(super) command_rate: (usize, Duration),
    /// Channels to be in, with their keys.
    pub(super) channels: Vec<(String, Key)>,
}

/// A server's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

/// The key of a channel, or where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Key {
    key: Secret,
    file: String,
}

impl Plan {
    /// The plan for `settings`, and for what `receivers` say there.
    pub(super) fn build(settings: &IrcServer, receivers: &[Receiver], names: &Names) -> Result<Self, ReceiverError> {
        let wrong = |text: String| ReceiverError::Setting(format!("irc server {:?}: {text}", settings.name));
        tls::refuse_unsupported(&settings.tls_config).map_err(|error| wrong(error.to_string()))?;
        check_proxy(settings.proxy_url.reveal()).map_err(wrong)?;
        if !settings.source_address.is_empty() {
            settings
                .source_address
                .parse::<IpAddr>()
                .map_err(|_| wrong(format!("source_address {:?} is no IP address", settings.source_address)))?;
        }
        let login = [("Account", "a"), ("Password", "p")];
        fill(&settings.nickserv.identify_command, &login)
            .map_err(|error| wrong(format!("identify_command: {error}")))?;
        fill(&settings.commands.ack_comment, &login[..1]).map_err(|error| wrong(format!("ack_comment: {error}")))?;
        let url = [("ExternalURL", names.external_url.as_str())];
        Ok(Self {
            addresses: addresses(settings).map_err(wrong)?,
            nicks: nicks(settings, names).map_err(wrong)?,
            realname: fill(&settings.realname, &url).map_err(|error| wrong(format!("realname: {error}")))?,
            command_rate: rate(&settings.commands.rate).map_err(wrong)?,
            channels: channels(settings, receivers),
            settings: settings.clone(),
        })
    }

    /// Whether a session for `self` must end before one for `next` can begin.
    pub(super) fn needs_another_session_than(&self, next: &Self) -> bool {
        let connection = |plan: &Self| {
            let IrcServer {
                tls, tls_config, proxy_url, source_address, password, password_file, username, sasl, ..
            } = plan.settings.clone();
            let how = (tls, tls_config, proxy_url, source_address, password, password_file, username, sasl);
            (how, plan.addresses.clone(), plan.realname.clone())
        };
        connection(self) != connection(next)
    }
}

impl Key {
    pub(super) fn of(config: &IrcConfig) -> Self {
        Self { key: config.channel_key.clone(), file: config.channel_key_file.clone() }
    }

    /// The key now; empty if there is none.
    pub(super) async fn read(&self) -> Result<String, String> {
        secret(&self.key, &self.file).await
    }

    fn is_empty(&self) -> bool {
        self.key.is_empty() && self.file.is_empty()
    }
}

/// The secret itself, or what its file holds now.
pub(super) async fn secret(inline: &Secret, path: &str) -> Result<String, String> {
    if path.is_empty() { Ok(inline.reveal().to_owned()) } else { read_trimmed(path).await }
}

/// `text` with `{{ .Name }}` replaced. These texts are no templates of notifications: they know only a few names.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}").ok_or_else(|| format!("{text:?} lacks a \"}}}}\""))?;
        let name = inside.trim().strip_prefix('.').unwrap_or_default();
        let (_, value) = values.iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known: Vec<String> = values.iter().map(|(name, _)| format!("{{{{ .{name} }}}}")).collect();
            format!("{text:?} may hold only {}", known.join(", "))
        })?;
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    Ok(filled + rest)
}

fn check_proxy(url: &str) -> Result<(), String> {
    let scheme = Url::parse(url).map(|url| url.scheme().to_owned()).unwrap_or_default();
    match url.is_empty() || matches!(scheme.as_str(), "http" | "socks5" | "socks5h") {
        true => Ok(()),
        false => Err(format!("unsupported proxy scheme {scheme:?} (there are http, socks5 and socks5h)")),
    }
}

fn addresses(settings: &IrcServer) -> Result<Vec<Address>, String> {
    settings.addresses.iter().map(|text| address(text)).collect()
}

fn address(text: &str) -> Result<Address, String> {
    let wrong = || format!("{text:?} is no address (write host or host:port)");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':'))).ok_or_else(wrong)?,
        None if text.matches(':').count() > 1 => (text, None),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(DEFAULT_PORT), |port| port.parse().map_err(|_| wrong()))?;
    if host.is_empty() || host.contains(char::is_whitespace) {
        Err(wrong())
    } else {
        Ok(Address { host: host.into(), port })
    }
}

/// The configured nicks, then the first one with something behind it.
fn nicks(settings: &IrcServer, names: &Names) -> Result<Vec<String>, String> {
    let short = names.host.split('.').next().unwrap_or_default();
    let values = [("ShortHostname", short), ("Hostname", names.host.as_str()), ("NodeName", names.node.as_str())];
    let configured = std::iter::once(&settings.nick).chain(&settings.nick_fallbacks);
    let filled = configured.map(|nick| fill(nick, &values).map(|nick| nick_from(&nick)));
    let mut nicks = filled.collect::<Result<Vec<_>, _>>().map_err(|error| format!("nick: {error}"))?;
    if nicks.iter().any(String::is_empty) {
        return Err(format!("nick {:?} has no letter in it", settings.nick));
    }
    let first = nicks[0].clone();
    nicks.push(format!("{first}_"));
    nicks.extend(NICK_SUFFIXES.map(|digit| format!("{first}_{digit}")));
    Ok(nicks)
}

/// `text` as a nick: what no nick may hold becomes a hyphen, and a letter or one of its kin comes first.
fn nick_from(text: &str) -> String {
    const ALSO_FIRST: &str = r"[]\`_^{|}";
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || ALSO_FIRST.contains(c);
    let nick: String = text.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    nick.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').to_owned()
}

/// `5/m`: so many a second, minute or hour.
fn rate(text: &str) -> Result<(usize, Duration), String> {
    let wrong = || format!("commands: rate {text:?} is not like 5/m");
    let (count, unit) = text.split_once('/').ok_or_else(wrong)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    Ok((count.parse().map_err(|_| wrong())?, Duration::from_secs(seconds)))
}

/// The channels of `autojoin`, and those that receivers name without a template.
fn channels(settings: &IrcServer, receivers: &[Receiver]) -> Vec<(String, Key)> {
    let configs = receivers.iter().flat_map(|receiver| &receiver.irc_configs);
    let here = configs.filter(|config| config.server == settings.name);
    let named = here.flat_map(|config| config.to.iter().map(|to| (to.clone(), Key::of(config))));
    let joined = settings.autojoin.iter().map(|channel| (channel.clone(), Key::default()));
    let mut channels: Vec<(String, Key)> = Vec::new();
    for (name, key) in named.chain(joined).filter(|(name, _)| is_channel(name) && !name.contains("{{")) {
        match channels.iter_mut().find(|(known, _)| same(known, &name)) {
            Some((_, known)) if known.is_empty() => *known = key,
            Some(_) => {}
            None => channels.push((name, key)),
        }
    }
    channels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(server: &str, receivers: &str) -> Result<Plan, String> {
        let settings = serde_saphyr::from_str(&format!("{{name: oftc, {server}}}")).unwrap();
        let receivers: Vec<Receiver> = serde_saphyr::from_str(receivers).unwrap();
        let names = Names { host: "pager-02.example".into(), node: "b".into(), external_url: "http://am".into() };
        Plan::build(&settings, &receivers, &names).map_err(|error| error.to_string())
    }

    #[test]
    fn the_nodes_names_are_filled_in() {
        let plan = plan("addresses: [irc.oftc.net, 'a:6667', '[::1]:7000', '::1']", "[]").unwrap();
        let ports: Vec<_> = plan.addresses.iter().map(|address| (address.host.as_str(), address.port)).collect();
        assert_eq!(ports, [("irc.oftc.net", 6697), ("a", 6667), ("::1", 7000), ("::1", 6697)]);
        assert_eq!(plan.nicks[..3], ["alerts-pager-02", "alerts-pager-02_", "alerts-pager-02_2"]);
        assert_eq!(plan.realname, "Alert router http://am");
        assert_eq!(plan.command_rate, (5, Duration::from_secs(60)));
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        for (server, text) in [
            ("addresses: ['a:b']", "is no address"),
            ("addresses: [a], nick: '{{ .Nope }}'", "may hold only {{ .ShortHostname }}"),
            ("addresses: [a], nick: '123'", "no letter"),
            ("addresses: [a], proxy_url: 'ftp://x'", "proxy scheme \"ftp\""),
            ("addresses: [a], source_address: x", "no IP address"),
            ("addresses: [a], commands: {rate: often}", "not like 5/m"),
            ("addresses: [a], nickserv: {identify_command: '{{ .A'}", "lacks a"),
        ] {
            let error = plan(server, "[]").unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn channels_come_from_receivers_with_the_first_key() {
        let receivers = "[{name: a, irc_configs: [{server: oftc, to: ['#a', nick, '#{{ .Status }}']},
            {server: oftc, to: ['#A', '#b'], channel_key: k}, {server: other, to: ['#c']}]}]";
        let plan = plan("addresses: [a], autojoin: ['#d', '#b']", receivers).unwrap();
        let names: Vec<_> = plan.channels.iter().map(|(name, key)| (name.as_str(), key.key.reveal())).collect();
        assert_eq!(names, [("#a", "k"), ("#b", "k"), ("#d", "")]);
    }

    #[test]
    fn only_another_connection_needs_another_session() {
        let one = plan("addresses: [a]", "[]").unwrap();
        let same = plan("addresses: [a], nick: other, autojoin: ['#x'], flood: {burst: 2}", "[]").unwrap();
        assert!(one != same && !one.needs_another_session_than(&same));
        let other = plan("addresses: [b]", "[]").unwrap();
        assert!(one.needs_another_session_than(&other));
    }
}
