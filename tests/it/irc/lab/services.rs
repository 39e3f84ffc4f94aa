//! Atheme: accounts (NickServ, SASL) and channel protection (ChanServ) for InspIRCd and ngIRCd.

use std::process::Command;

use super::network::{Kind, LINK_PASSWORD, Network};
use super::observer::Observer;
use crate::harness::process::Process;

/// The password of every account that `register` makes.
pub(crate) const PASSWORD: &str = "Tr0ub4dor-and-3";

/// Starts services for this network. They are linked a moment later.
pub(super) fn start(network: &Network) -> Process {
    let protocol = match network.kind {
        Kind::Ngircd => "ngircd",
        Kind::Inspircd => "inspircd",
        Kind::Hybrid => panic!("Debian's Atheme does not know ircd-hybrid"),
    };
    let modules = MODULES.split_whitespace().filter(|name| network.kind == Kind::Inspircd || !name.contains("sasl"));
    let modules: Vec<_> = modules.map(|name| format!("loadmodule \"modules/{name}\";")).collect();
    let config = CONFIG
        .replace("{ip}", &network.link.ip().to_string())
        .replace("{port}", &network.link.port().to_string())
        .replace("{uplink}", &network.options.name)
        .replace("{link}", LINK_PASSWORD);
    let config = format!("loadmodule \"modules/protocol/{protocol}\";\n{}\n{config}", modules.join("\n"));
    let mut command = Command::new("/usr/bin/atheme-services");
    command.arg("-n").arg("-c").arg(network.write("atheme.conf", &config)).arg("-D").arg(network.dir());
    command.arg("-l").arg(network.dir().join("atheme.log")).arg("-p").arg(network.dir().join("atheme.pid"));
    network.run(command, "services")
}

/// Makes an account; returns its owner, who is logged in.
pub(crate) fn register(network: &Network, account: &str) -> Observer {
    let owner = Observer::connect(network, account);
    owner.send(&format!("PRIVMSG NickServ :REGISTER {PASSWORD} {account}@irc.test"));
    owner.wait_for("the account is registered", |line| {
        (line.nick() == "NickServ" && line.last_text().contains("is now registered")).then_some(())
    });
    owner
}

/// From now on this certificate logs in to the account of `owner`.
pub(crate) fn add_certificate(owner: &Observer, fingerprint: &str) {
    owner.send(&format!("PRIVMSG NickServ :CERT ADD {fingerprint}"));
    owner.wait_for("the certificate is known", |line| {
        (line.nick() == "NickServ" && line.last_text().contains("Added fingerprint")).then_some(())
    });
}

const MODULES: &str = "
backend/opensex crypto/posix
nickserv/main nickserv/cert nickserv/ghost nickserv/group nickserv/identify nickserv/info nickserv/logout
nickserv/register
chanserv/main chanserv/ban chanserv/flags chanserv/invite chanserv/register chanserv/unban_self
saslserv/main saslserv/plain saslserv/external";

const CONFIG: &str = r#"
serverinfo {
  name = "services.test"; desc = "services"; numeric = "00A"; recontime = 1; netname = "Test";
  adminname = "test"; adminemail = "admin@irc.test"; registeremail = "services@irc.test"; mta = "/bin/true";
  hidehostsuffix = "users.test"; loglevel = { error; info; admin; network; wallops; };
  maxlogins = 20; maxusers = 0; mdlimit = 30; emaillimit = 100; emailtime = 300; auth = none; casemapping = rfc1459;
};
uplink "{uplink}" { host = "{ip}"; port = {port}; send_password = "{link}"; receive_password = "{link}"; };
nickserv { nick = "NickServ"; user = "NickServ"; host = "services.test"; real = "Nickname Services"; maxnicks = 20; };
chanserv { nick = "ChanServ"; user = "ChanServ"; host = "services.test"; real = "Channel Services"; maxchans = 50; };
saslserv { nick = "SaslServ"; user = "SaslServ"; host = "services.test"; real = "SASL Authentication Agent"; };
general {
  flood_msgs = 0; ratelimit_uses = 0; commit_interval = 5; default_clone_allowed = 500; default_clone_warn = 500;
  uplink_sendq_limit = 1048576; language = "en";
};
"#;
