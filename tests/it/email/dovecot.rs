//! A dovecot of one's own: it checks passwords and tokens for postfix, and keeps mailboxes in which Sieve's `duplicate`
//! drops what has come before.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::PATIENCE;
use super::postfix::{give, served_dir};
use super::reader::{Mail, read_all};
use crate::harness::process::{Process, read_log};
use crate::harness::wait::eventually_within;

/// The one user it knows.
pub(crate) const USER: &str = "watchbell";
pub(crate) const PASSWORD: &str = "correct horse";

/// A running dovecot.
pub(crate) struct Dovecot {
    // Ends before the directory goes, which has its log.
    process: Option<Process>,
    dir: TempDir,
}

impl Dovecot {
    /// A server that asks `introspection`, if there is one, whether a token is good.
    pub(crate) fn start(introspection: Option<SocketAddr>) -> Self {
        let dir = served_dir();
        let place = |text: &str| text.replace("{dir}", &dir.path().display().to_string());
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).expect("a file can be written");
        for name in ["run", "home", "sieve"] {
            fs::create_dir(dir.path().join(name)).expect("a directory can be made");
        }
        write("dovecot.conf", &(place(CONFIG) + &introspection.map_or_else(String::new, |_| place(TOKENS))));
        write(
            "oauth2.conf",
            &introspection.map_or_else(String::new, |at| INTROSPECTION.replace("{at}", &at.to_string())),
        );
        write("sieve/duplicate.sieve", "require \"duplicate\";\nif duplicate { discard; }\n");
        for name in ["home", "sieve", "sieve/duplicate.sieve"] {
            give(&dir.path().join(name), "nobody");
        }
        let mut dovecot = Self { process: None, dir };
        dovecot.write_password(PASSWORD);
        dovecot.launch();
        dovecot
    }

    fn launch(&mut self) {
        let mut command = Command::new("/usr/sbin/dovecot");
        command.arg("-F").arg("-c").arg(self.dir.path().join("dovecot.conf"));
        self.process = Some(Process::start(command, &self.dir.path().join("dovecot.output"), "dovecot-core"));
        let sockets = ["sasl", "lmtp"].map(|name| self.dir.path().join(name));
        eventually_within(PATIENCE, "dovecot has made its sockets", || {
            sockets.iter().all(|socket| socket.exists()).then_some(())
        });
    }

    /// Changes the user's password, and waits until that has been noticed.
    pub(crate) fn change_password(&self, password: &str) {
        self.write_password(password);
        let mut asking = Command::new("/usr/bin/doveadm");
        asking.arg("-c").arg(self.dir.path().join("dovecot.conf")).args(["auth", "test", USER, password]);
        eventually_within(PATIENCE, "dovecot knows of the password", || {
            let output = asking.output().expect("doveadm comes with dovecot");
            output.status.success().then_some(())
        });
    }

    fn write_password(&self, password: &str) {
        let users = self.dir.path().join("users");
        fs::write(&users, format!("{USER}:{{PLAIN}}{password}::::::\n")).expect("the password can be written");
        give(&users, "dovecot");
    }

    /// The lines of `main.cf` with which postfix lets only those in whom this dovecot knows.
    pub(crate) fn sasl(&self) -> String {
        SASL.replace("{dir}", &self.dir.path().display().to_string())
    }

    /// The transport by which postfix delivers here.
    pub(crate) fn transport(&self) -> String {
        format!("lmtp:unix:{}/lmtp", self.dir.path().display())
    }

    /// What lies in the mailbox of `user`@example.org.
    pub(crate) fn mailbox(&self, user: &str) -> Vec<Mail> {
        let folder = self.dir.path().join("home").join(user).join("post/new");
        if folder.exists() { read_all(Path::new(&folder)) } else { Vec::new() }
    }

    /// How many mails Sieve has dropped.
    pub(crate) fn dropped(&self) -> usize {
        self.log().lines().filter(|line| line.contains(": discard action")).count()
    }

    pub(crate) fn log(&self) -> String {
        read_log(&self.dir.path().join("dovecot.output"))
    }
}

const SASL: &str = "
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {dir}/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
";

const CONFIG: &str = "
base_dir = {dir}/run
state_dir = {dir}/run
log_path = /dev/stderr
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 scram-sha-256 xoauth2 oauthbearer
auth_cache_size = 0
auth_failure_delay = 0
mail_location = maildir:~/post
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-256
  args = {dir}/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home={dir}/home/%Ln allow_all_users=yes
}
service auth {
  unix_listener {dir}/sasl {
    mode = 0666
  }
}
service lmtp {
  unix_listener {dir}/lmtp {
    mode = 0666
  }
}
protocol lmtp {
  mail_plugins = sieve
}
plugin {
  sieve = file:~/own.sieve
  sieve_before = {dir}/sieve/duplicate.sieve
}
";

const TOKENS: &str = "
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}
";

const INTROSPECTION: &str = "
introspection_mode = post
introspection_url = http://{at}/introspect
active_attribute = active
active_value = true
username_attribute = username
";
