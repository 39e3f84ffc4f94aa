//! Who is told: an IRC server with somebody in its channels, a mail server with mailboxes, and GitLab. They are in the
//! test's own network, where no cut between the machines reaches them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::email::dovecot::Dovecot;
use crate::email::postfix::Postfix;
use crate::email::reader::Mail;
use crate::gitlab::fake::{Gitlab, Issue, Level, World};
use crate::gitlab::lab::issues;
use crate::harness::sink::Sink;
use crate::irc::lab::network::{Kind, Network, Options};
use crate::irc::lab::observer::Observer;

/// The channels of `watchbell.yml`.
pub(super) const CHANNELS: [&str; 3] = ["#ops", "#web", "#watchdog"];

/// Whom mails are for, by `watchbell.yml`.
const ON_CALL: [&str; 2] = ["ops-oncall", "web-oncall"];

/// All of them.
pub(super) struct Sinks {
    pub(super) observer: Observer,
    pub(super) gitlab: Gitlab,
    pub(super) postfix: Postfix,
    pub(super) dovecot: Dovecot,
    /// Hears everything of the alerts of a storm, if the routers' configuration names it.
    pub(super) counter: Sink,
    irc: Network,
}

/// A line on IRC.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    /// What is said, without the link and the id at its end.
    pub(super) text: String,
    pub(super) id: String,
    pub(super) nick: String,
}

impl Sinks {
    /// At the ports that `watchbell.yml` names, but for GitLab.
    pub(super) fn start(address: IpAddr) -> Self {
        let plain = Some(SocketAddr::new(address, 5697));
        let options = Options { plain, certified: "irc.example.org".to_owned(), ..Options::default() };
        let irc = Network::start_with(Kind::Inspircd, options);
        let observer = Observer::connect(&irc, "observer");
        CHANNELS.iter().for_each(|channel| observer.join(channel));
        let dovecot = Dovecot::start(None);
        let certificate = irc.authority().issue("mail", "mail.example.org");
        let main = MAIN
            .replace("{ip}", &address.to_string())
            .replace("{cert}", &certificate.cert.display().to_string())
            .replace("{key}", &certificate.key.display().to_string())
            .replace("{lmtp}", &dovecot.transport());
        let door = (SocketAddr::new(address, 587), "-o smtpd_tls_security_level=encrypt");
        let postfix = Postfix::start_at(&(main + &dovecot.sasl()), &[door]);
        let counter = Sink::start_at(SocketAddr::new(address, 0));
        Self { observer, gitlab: Gitlab::start_at(address, prepare), postfix, dovecot, counter, irc }
    }

    /// The authority that has signed all certificates.
    pub(super) fn authority(&self) -> PathBuf {
        self.irc.authority().file()
    }

    /// A certificate for this host.
    pub(super) fn certificate(&self, name: &str, host: &str) -> crate::irc::lab::certificates::Certificate {
        self.irc.authority().issue(name, host)
    }

    /// What the routers have said in a channel, in order.
    pub(super) fn said(&self, channel: &str) -> Vec<Line> {
        self.observer.heard(channel).iter().map(|line| parsed(&line.last_text(), line.nick())).collect()
    }

    /// Every mail that was sent, in order, whether or not a mailbox has dropped it as one that it has.
    pub(super) fn sent(&self) -> Vec<Mail> {
        self.postfix.mails()
    }

    /// The mails in a mailbox, as their reader sees them.
    pub(super) fn mailbox(&self, user: &str) -> Vec<Mail> {
        assert!(ON_CALL.contains(&user), "{user} is nobody");
        self.dovecot.mailbox(user)
    }

    /// Fails if the same news came twice: a line or a mail of the same name, or two open issues of one title.
    pub(super) fn nothing_twice(&self) {
        let lines = CHANNELS.iter().flat_map(|channel| self.said(channel)).map(|line| line.id);
        let mails = self.sent();
        let mails = mails.iter().map(|mail| format!("{} {}", mail.recipient(), mail.id()));
        let open = ["ops/alerts", "web/site"].iter().flat_map(|project| self.issues(project));
        let open = open.filter(|issue| issue.open).map(|issue| format!("{} {}", issue.project, issue.title));
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = lines.chain(mails).chain(open).filter(|name| !seen.insert(name.clone())).collect();
        assert!(twice.is_empty(), "{twice:#?}\n{:#?}", super::report::everything(self));
    }

    /// The issues of a project, by number.
    pub(super) fn issues(&self, project: &str) -> Vec<Issue> {
        self.gitlab.look(|world| issues(world, project))
    }
}

/// Takes a line apart. Colours and the like are left out.
fn parsed(line: &str, nick: String) -> Line {
    let plain = without_format(line);
    let (text, id) = plain.rsplit_once('⟨').unwrap_or((&plain, ""));
    let text = text.split(" — http").next().unwrap_or_default().trim();
    Line { text: text.to_owned(), id: id.trim_end_matches('⟩').to_owned(), nick }
}

/// Text without control characters, and without the digits that follow the one for a colour.
fn without_format(line: &str) -> String {
    let mut plain = String::new();
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{3}' {
            for _ in 0..2 {
                letters.next_if(char::is_ascii_digit);
            }
        } else if !letter.is_control() {
            plain.push(letter);
        }
    }
    plain
}

fn prepare(world: &mut World) {
    world.add_user("watchbell");
    for project in ["ops/alerts", "web/site"] {
        world.add_project(project, &[("watchbell", Level::Reporter)]);
    }
}

/// Everybody's mail goes to a mailbox that drops what it has, and a copy to one that keeps all.
const MAIN: &str = "
inet_interfaces = {ip}
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_auth_only = yes
transport_maps = inline:{ { ops-oncall@example.org = {lmtp} }, { web-oncall@example.org = {lmtp} } }
recipient_bcc_maps = inline:{ { ops-oncall@example.org = all@example.org }, { web-oncall@example.org = all@example.org } }
";
