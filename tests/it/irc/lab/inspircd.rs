//! InspIRCd with the modules of a modern network: capabilities, accounts, SASL. The connect class is the documented one.

use std::process::Command;

use super::network::{LINK_PASSWORD, Network};

pub(super) fn command(network: &Network) -> Command {
    let certificate = network.certificate();
    let modules: Vec<_> = MODULES.split_whitespace().map(|name| format!("<module name=\"{name}\">")).collect();
    let mut config = CONFIG
        .replace("{name}", &network.options.name)
        .replace("{ip}", &network.plain.ip().to_string())
        .replace("{plain}", &network.plain.port().to_string())
        .replace("{tls}", &network.tls.port().to_string())
        .replace("{linkport}", &network.link.port().to_string())
        .replace("{cert}", &certificate.cert.display().to_string())
        .replace("{key}", &certificate.key.display().to_string())
        .replace("{dir}", &network.dir().display().to_string())
        .replace("{link}", LINK_PASSWORD);
    config += &modules.join("\n");
    if let Some((name, address)) = &network.options.uplink {
        config += &UPLINK
            .replace("{name}", name)
            .replace("{ip}", &address.ip().to_string())
            .replace("{port}", &address.port().to_string())
            .replace("{link}", LINK_PASSWORD);
    }
    if network.options.record {
        config += RECORD;
    }
    let mut command = Command::new("/usr/sbin/inspircd");
    let path = network.write("inspircd.conf", &config);
    command.arg("--nofork").arg(format!("--config={}", path.display()));
    command
}

/// The last lines are what the services insist on.
const MODULES: &str = "
cap ircv3 ircv3_accounttag ircv3_batch ircv3_capnotify ircv3_ctctags ircv3_echomessage ircv3_labeledresponse
ircv3_msgid ircv3_servertime services_account sasl spanningtree ssl_gnutls sslinfo sslmodes botmode blockcolor nonotice
monitor redirect samode sapart md5 sha256
chghost cban deaf globops hideoper mlock servprotect svshold topiclock";

const CONFIG: &str = r#"
<server name="{name}" description="test" network="Test">
<admin name="test" nick="test" email="admin@irc.test">
<bind address="{ip}" port="{plain}" type="clients">
<bind address="{ip}" port="{tls}" type="clients" sslprofile="tls">
<bind address="{ip}" port="{linkport}" type="servers">
<sslprofile name="tls" provider="gnutls" certfile="{cert}" keyfile="{key}" requestclientcert="yes" hash="sha256">
<connect name="main" allow="*" maxchans="20" timeout="20" pingfreq="2m" hardsendq="1M" softsendq="10240" recvq="10K"
         threshold="10" commandrate="1000" fakelag="yes" localmax="200" globalmax="200" useident="no"
         resolvehostnames="no">
<class name="All" commands="*" usermodes="*" chanmodes="*" privs="*">
<type name="NetAdmin" classes="All">
<oper name="oper" password="operpass" host="*@*" type="NetAdmin">
<path configdir="{dir}" datadir="{dir}" logdir="{dir}" runtimedir="{dir}">
<pid file="inspircd.pid">
<options prefixquit="Quit: ">
<performance softlimit="12800" somaxconn="128" netbuffersize="10240">
<security userstats="Pu">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="inspircd.log">
<uline server="services.test" silent="yes">
<link name="services.test" ipaddr="*" port="{linkport}" allowmask="*" sendpass="{link}" recvpass="{link}">
<link name="leaf.test" ipaddr="*" port="{linkport}" allowmask="*" sendpass="{link}" recvpass="{link}">
<sasl target="services.test" requiressl="no">
"#;

const RECORD: &str = r#"
<log method="file" type="USERINPUT USEROUTPUT" level="rawio" target="record.log" flush="1">
"#;

const UPLINK: &str = r#"
<link name="{name}" ipaddr="{ip}" port="{port}" allowmask="*" sendpass="{link}" recvpass="{link}">
<autoconnect period="3" server="{name}">
"#;
