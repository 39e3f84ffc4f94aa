//! ngIRCd: no capabilities worth speaking of, nicks of nine characters, and no patience with long lines.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::network::{LINK_PASSWORD, Network};

/// The package conflicts with ircd-hybrid's, so `tests/run` unpacks it.
pub(super) fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/debian/ngircd/usr/sbin/ngircd")
}

pub(super) fn command(network: &Network) -> Command {
    let certificate = network.certificate();
    let mut config = CONFIG
        .replace("{name}", &network.options.name)
        .replace("{ip}", &network.plain.ip().to_string())
        .replace("{plain}", &network.plain.port().to_string())
        .replace("{tls}", &network.tls.port().to_string())
        .replace("{cert}", &certificate.cert.display().to_string())
        .replace("{key}", &certificate.key.display().to_string())
        .replace("{link}", LINK_PASSWORD);
    if let Some(host) = &network.options.host {
        config = config.replace("[Options]", &format!("[Options]\nCloakHost = {host}"));
    }
    if let Some(length) = network.options.nick_length {
        config = config.replace("[Limits]", &format!("[Limits]\nMaxNickLength = {length}"));
    }
    let mut command = Command::new(program());
    command.arg("-n").arg("-f").arg(network.write("ngircd.conf", &config));
    command
}

const CONFIG: &str = "
[Global]
Name = {name}
Info = test
AdminInfo1 = test
AdminEMail = admin@irc.test
Listen = {ip}
Ports = {plain}
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
[Options]
DNS = no
Ident = no
PAM = no
[SSL]
CertFile = {cert}
KeyFile = {key}
Ports = {tls}
[Operator]
Name = oper
Password = operpass
[Server]
Name = services.test
MyPassword = {link}
PeerPassword = {link}
ServiceMask = *Serv
";
