//! A postfix of one's own: queue, configuration and mailbox in a directory that goes with it, listening at as many doors
//! as a test asks for. What it accepts for example.org is written into a maildir, one file a recipient.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::PATIENCE;
use super::reader::{Mail, read_all};
use crate::harness::address;
use crate::harness::process::{Process, cannot_start, read_log};
use crate::harness::wait::eventually_within;

/// A mailbox looks for a copy and files the mail in two steps, so copies of the same moment could both pass: one at a time,
/// and what a mailbox puts off is brought again soon.
pub(super) const ONE_COPY_AT_A_TIME: &str =
    "lmtp_destination_concurrency_limit = 1\nminimal_backoff_time = 1s\nqueue_run_delay = 1s\n";

/// A running mail server.
pub(crate) struct Postfix {
    // Ends before the directory goes, which has its log.
    process: Option<Process>,
    dir: TempDir,
    doors: Vec<SocketAddr>,
}

impl Postfix {
    /// A server that relays for everybody on this machine, without TLS.
    pub(crate) fn start() -> Self {
        Self::start_with("", &[""])
    }

    /// A server with further lines of `main.cf`, and one door for each entry of `doors`, which says how it differs:
    /// options as in `master.cf`.
    pub(crate) fn start_with(main: &str, doors: &[&str]) -> Self {
        let doors: Vec<_> = doors.iter().map(|options| (address::reserve(), *options)).collect();
        Self::start_at(main, &doors)
    }

    /// The same with doors at addresses of the test's choice.
    pub(crate) fn start_at(main: &str, doors: &[(SocketAddr, &str)]) -> Self {
        let dir = served_dir();
        for (name, owner) in [("etc", None), ("queue", None), ("data", Some("postfix")), ("mail", Some("nobody"))] {
            let path = dir.path().join(name);
            fs::create_dir(&path).expect("a directory can be made");
            owner.into_iter().for_each(|owner| give(&path, owner));
        }
        let entrances = doors.iter().map(|(address, options)| entrance(*address, options));
        let master = entrances.collect::<String>() + SERVICES;
        fs::write(dir.path().join("etc/main.cf"), main_cf(dir.path()) + main).expect("main.cf can be written");
        fs::write(dir.path().join("etc/master.cf"), master).expect("master.cf can be written");
        let doors = doors.iter().map(|(address, _)| *address).collect();
        let mut postfix = Self { process: None, dir, doors };
        postfix.launch();
        postfix
    }

    fn launch(&mut self) {
        let etc = self.dir.path().join("etc");
        let mut check = Command::new("/usr/sbin/postfix");
        check.arg("-c").arg(&etc).arg("check").stdin(Stdio::null());
        let output = check.output().unwrap_or_else(|error| panic!("{}", cannot_start(&check, "postfix", &error)));
        assert!(output.status.success(), "postfix check: {}", String::from_utf8_lossy(&output.stderr));
        let mut master = Command::new("/usr/lib/postfix/sbin/master");
        master.args(["-s", "-c"]).arg(&etc).env("MAIL_CONFIG", &etc);
        self.process = Some(Process::start(master, &self.log_file(), "postfix"));
        for door in &self.doors {
            wait_until_it_listens(*door);
        }
    }

    /// The address of the first door.
    pub(crate) fn address(&self) -> SocketAddr {
        self.doors[0]
    }

    pub(crate) fn door(&self, number: usize) -> SocketAddr {
        self.doors[number]
    }

    /// What postfix has logged.
    pub(crate) fn log(&self) -> String {
        read_log(&self.log_file())
    }

    /// The lines of the log that contain `what`.
    pub(crate) fn logged(&self, what: &str) -> Vec<String> {
        self.log().lines().filter(|line| line.contains(what)).map(str::to_owned).collect()
    }

    /// Waits until the log has `count` lines with `what`.
    pub(crate) fn wait_logged(&self, what: &str, count: usize) -> Vec<String> {
        eventually_within(PATIENCE, &format!("postfix has logged {count} times {what:?}"), || {
            let lines = self.logged(what);
            (lines.len() >= count).then_some(lines)
        })
    }

    /// How many mails have come.
    pub(crate) fn count(&self) -> usize {
        fs::read_dir(self.mailbox()).map_or(0, Iterator::count)
    }

    /// Waits until at least `count` mails have come, and reads them in the order of their coming.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Mail> {
        eventually_within(PATIENCE, &format!("{count} mails have come"), || (self.count() >= count).then_some(()));
        self.mails()
    }

    /// The mails that have come so far, in the order of their coming.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        if self.count() == 0 { Vec::new() } else { read_all(&self.mailbox()) }
    }

    /// All mails, once the server has delivered what it has accepted.
    pub(crate) fn settled(&self) -> Vec<Mail> {
        eventually_within(PATIENCE, "postfix has delivered everything", || {
            let log = self.log();
            (log.matches("client=").count() == log.matches(": removed").count()).then_some(())
        });
        self.mails()
    }

    /// The maildir to which everything goes.
    pub(crate) fn maildir(&self) -> PathBuf {
        self.dir.path().join("mail/post")
    }

    fn mailbox(&self) -> PathBuf {
        self.maildir().join("new")
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("postfix.log")
    }
}

/// A temporary directory that a server's unprivileged processes may enter.
pub(crate) fn served_dir() -> TempDir {
    let dir = tempfile::Builder::new().prefix("watchbell-mail-").tempdir().expect("a temporary directory can be had");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("it can be opened to others");
    dir
}

/// Makes the user `owner` the owner of `path`.
pub(crate) fn give(path: &Path, owner: &str) {
    let users = fs::read_to_string("/etc/passwd").expect("users are listed");
    let user = users.lines().find(|line| line.starts_with(&format!("{owner}:"))).expect("the package made its user");
    let mut numbers = user.split(':').skip(2).map(|number| number.parse().ok());
    chown(path, numbers.next().flatten(), numbers.next().flatten()).expect("these tests run as root");
}

/// Waits until somebody accepts connections at `address`.
pub(crate) fn wait_until_it_listens(address: SocketAddr) {
    // A connection would be a client of the server's, so the kernel's table is read instead.
    const LISTENS: &str = " 00000000:0000 0A ";
    let local = format!(" {}{LISTENS}", in_hex(address));
    eventually_within(PATIENCE, &format!("somebody listens at {address}"), || {
        let sockets = fs::read_to_string("/proc/net/tcp").expect("the kernel lists sockets");
        sockets.contains(&local).then_some(())
    });
}

/// An address as the kernel writes it in its table of sockets.
pub(crate) fn in_hex(address: SocketAddr) -> String {
    let SocketAddr::V4(v4) = address else { unreachable!("the tests' addresses are of IPv4") };
    format!("{:08X}:{:04X}", u32::from_le_bytes(v4.ip().octets()), v4.port())
}

fn entrance(address: SocketAddr, options: &str) -> String {
    format!("{address} inet n - n - - smtpd {options}\n")
}

fn main_cf(dir: &Path) -> String {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tls");
    MAIN.replace("{dir}", &dir.display().to_string()).replace("{tls}", &tls.display().to_string())
}

/// Local delivery, address books and the rest of the machine's mail play no part.
const MAIN: &str = "
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/postfix.log
maillog_file_prefixes = /
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
myhostname = mail.example.org
mydestination =
local_recipient_maps =
alias_maps =
mynetworks = 127.0.0.0/8
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtp_host_lookup = native
virtual_mailbox_domains = example.org
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:post/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_tls_cert_file = {tls}/server.pem
smtpd_tls_key_file = {tls}/server.key
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
smtpd_policy_service_default_action = DUNNO
";

const SERVICES: &str = "
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
tlsmgr unix - - n 1000? 1 tlsmgr
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";
