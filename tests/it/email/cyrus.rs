//! A cyrus of one's own, which keeps one of the mails with the same Message-ID as it does everywhere.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use super::PATIENCE;
use super::postfix::{give, served_dir, wait_until_it_listens};
use crate::harness::address;
use crate::harness::process::Process;
use crate::harness::wait::seen_within;

/// A running cyrus that takes mail by LMTP.
pub(super) struct Cyrus {
    // Ends before the directory goes, which has its log.
    process: Process,
    dir: TempDir,
    address: SocketAddr,
}

impl Cyrus {
    pub(super) fn start() -> Self {
        let (dir, address) = (served_dir(), address::reserve());
        let place = |text: &str| {
            text.replace("{dir}", &dir.path().display().to_string()).replace("{address}", &address.to_string())
        };
        for name in ["", "conf", "conf/socket", "conf/db", "conf/proc", "spool"] {
            let path = dir.path().join(name);
            fs::create_dir_all(&path).expect("a directory can be made");
            give(&path, "cyrus");
        }
        fs::write(dir.path().join("imapd.conf"), place(IMAPD)).expect("a file can be written");
        fs::write(dir.path().join("cyrus.conf"), place(SERVICES)).expect("a file can be written");
        let mut command = Command::new("/usr/sbin/cyrmaster");
        command.arg("-D").arg("-C").arg(dir.path().join("imapd.conf")).arg("-M").arg(dir.path().join("cyrus.conf"));
        command.arg("-p").arg(dir.path().join("master.pid"));
        let process = Process::start(command, &dir.path().join("output.log"), "cyrus-common");
        wait_until_it_listens(address);
        Self { process, dir, address }
    }

    /// The transport by which postfix delivers here.
    pub(super) fn transport(&self) -> String {
        format!("lmtp:inet:{}", self.address)
    }

    /// How many mails lie in all mailboxes.
    pub(super) fn count(&self) -> usize {
        let files = files_below(&self.dir.path().join("spool"));
        // A mail's file is its number and a dot.
        let is_mail = |file: &&PathBuf| {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            name.strip_suffix('.').is_some_and(|number| number.parse::<u32>().is_ok())
        };
        files.iter().filter(is_mail).count()
    }
}

impl Drop for Cyrus {
    /// Killed, it would leave its servers behind, who go on listening.
    fn drop(&mut self) {
        if self.process.ended().is_none() {
            self.process.signal(Signal::TERM);
            seen_within(PATIENCE, || self.process.ended());
        }
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

const IMAPD: &str = "
configdirectory: {dir}/conf
partition-default: {dir}/spool
defaultpartition: default
admins: cyrus
virtdomains: userid
defaultdomain: example.org
unixhierarchysep: yes
autocreate_post: yes
autocreate_quota: 0
lmtpsocket: {dir}/conf/socket/lmtp
idlesocket: {dir}/conf/socket/idle
notifysocket: {dir}/conf/socket/notify
lmtp_downcase_rcpt: yes
conversations: no
";

const SERVICES: &str = "
START {
}
SERVICES {
  lmtp cmd=\"/usr/lib/cyrus/bin/lmtpd -C {dir}/imapd.conf -a\" listen=\"{address}\" prefork=0
}
EVENTS {
}
";
