//! ircd-hybrid, which OFTC's server comes from: it drops what comes too fast without a word.

use std::process::Command;

use super::network::Network;

pub(super) fn command(network: &Network) -> Command {
    let certificate = network.certificate();
    let spoof = network.options.host.as_ref().map(|host| format!("spoof = \"{host}\";"));
    let config = CONFIG
        .replace("{name}", &network.options.name)
        .replace("{ip}", &network.plain.ip().to_string())
        .replace("{plain}", &network.plain.port().to_string())
        .replace("{tls}", &network.tls.port().to_string())
        .replace("{cert}", &certificate.cert.display().to_string())
        .replace("{key}", &certificate.key.display().to_string())
        .replace("{spoof}", &spoof.unwrap_or_default());
    let mut command = Command::new("/usr/sbin/ircd-hybrid");
    command.arg("-foreground").arg("-configfile").arg(network.write("hybrid.conf", &config));
    // It looks for all of these in its own directories otherwise.
    for file in ["log", "pid", "kline", "dline", "xline", "resv"] {
        command.arg(format!("-{file}file")).arg(network.dir().join(format!("hybrid.{file}")));
    }
    command
}

const CONFIG: &str = r#"
serverinfo {
  name = "{name}"; description = "test"; network_name = "Test"; network_description = "test"; hub = yes;
  default_max_clients = 512; max_nick_length = 30; max_topic_length = 300;
  rsa_private_key_file = "{key}"; tls_certificate_file = "{cert}";
};
admin { name = "test"; description = "test"; email = "admin@irc.test"; };
class {
  name = "users"; ping_time = 90 seconds; number_per_ip_local = 200; number_per_ip_global = 200; max_number = 400;
  sendq = 100 kbytes; recvq = 2560 bytes;
};
listen { host = "{ip}"; port = {plain}; };
listen { host = "{ip}"; flags = tls; port = {tls}; };
auth { user = "*@*"; class = "users"; {spoof} };
operator { name = "oper"; user = "*@*"; password = "operpass"; encrypted = no; class = "users"; flags = admin, kill, kline; };
channel {
  disable_fake_channels = yes; invite_delay_channel = 5 seconds; max_channels = 25; max_bans = 100;
  default_join_flood_count = 18; default_join_flood_time = 6 seconds;
};
general {
  disable_auth = yes; throttle_count = 100; throttle_time = 2 seconds;
  default_floodcount = 10; default_floodtime = 1 second; anti_nick_flood = yes; max_nick_changes = 5;
  max_nick_time = 20 seconds; pace_wait_simple = 1 second; pace_wait = 10 seconds; no_oper_flood = yes; max_targets = 4;
};
modules { path = "/usr/lib/ircd-hybrid/modules"; path = "/usr/lib/ircd-hybrid/modules/autoload"; };
log { use_logging = yes; };
"#;
