//! Which mails mail programs show as one thread: all of an incident, and no others.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::postfix::Postfix;
use super::reader::Mail;
use super::{PATIENCE, STARTED, config, post};
use crate::harness::process::cannot_start;
use crate::harness::server::{Program, Server};
use crate::harness::wait::eventually_within;

const LATER: &str = "2026-01-02T04:04:05Z";

#[test]
fn f2_08_an_incident_is_one_thread_and_the_next_is_another() {
    let postfix = Postfix::start();
    let (first, second) = two_incidents(&postfix);
    assert!(first.len() > 3 && !second.is_empty(), "{first:?} {second:?}");
    let expected = BTreeSet::from([first, second]);
    assert_eq!(notmuch_threads(&postfix), expected);
    assert_eq!(mutt_threads(&postfix), expected);
}

/// An incident that begins, grows, is repeated and ends, and then begins again: the names of each one's mails.
fn two_incidents(postfix: &Postfix) -> (BTreeSet<String>, BTreeSet<String>) {
    let email = "{to: ops@example.org, send_resolved: true, threading: {enabled: true}}";
    let config = config(postfix.address(), email).replace("repeat_interval: 1h", "repeat_interval: 3s");
    let mut router = Server::start(Program::Watchbell, &config);
    post(&router, &[fires("a", STARTED)]);
    wait_until(postfix, |mails| mails.iter().any(|mail| mail.text().contains("host-a")));
    post(&router, &[fires("b", STARTED)]);
    let grown = wait_until(postfix, |mails| mails.iter().any(|mail| mail.text().contains("host-b"))).len();
    wait_until(postfix, |mails| mails.len() > grown);
    post(&router, &[ended("a"), ended("b")]);
    let is_end = |mail: &Mail| mail.subject().starts_with("[RESOLVED]");
    wait_until(postfix, |mails| mails.iter().any(is_end));
    post(&router, &[fires("a", LATER)]);
    wait_until(postfix, |mails| mails.iter().skip_while(|mail| !is_end(mail)).count() > 1);
    // From now on the mailbox stays as it is, and no mail is cut off.
    assert!(router.stop().success());
    let mails = postfix.settled();
    let (mut first, mut second, mut over) = (BTreeSet::new(), BTreeSet::new(), false);
    for mail in &mails {
        (if over { &mut second } else { &mut first }).insert(mail.id());
        over |= is_end(mail);
    }
    (first, second)
}

fn fires(host: &str, since: &str) -> Value {
    json!({"labels": {"alertname": "Fire", "instance": format!("host-{host}")}, "startsAt": since})
}

fn ended(host: &str) -> Value {
    json!({"labels": {"alertname": "Fire", "instance": format!("host-{host}")}, "startsAt": STARTED, "endsAt": LATER})
}

fn wait_until(postfix: &Postfix, done: impl Fn(&[Mail]) -> bool) -> Vec<Mail> {
    eventually_within(PATIENCE, "the mail has come", || Some(postfix.mails()).filter(|mails| done(mails)))
}

/// The threads that notmuch sees, each as the names of its mails.
fn notmuch_threads(postfix: &Postfix) -> BTreeSet<BTreeSet<String>> {
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let settings = dir.path().join("notmuch.conf");
    fs::write(&settings, format!("[database]\npath={}\n", postfix.maildir().display())).expect("it can be written");
    let notmuch = |arguments: &[&str]| {
        let mut command = Command::new("/usr/bin/notmuch");
        command.args(arguments).env("NOTMUCH_CONFIG", &settings).env("HOME", dir.path());
        lines(&output(&mut command, "notmuch"))
    };
    notmuch(&["new"]);
    let threads = notmuch(&["search", "--output=threads", "*"]);
    let names = |thread: &String| notmuch(&["search", "--output=messages", thread]);
    let named = |message: String| message.replacen("id:", "<", 1) + ">";
    threads.iter().map(|thread| names(thread).into_iter().map(named).collect()).collect()
}

/// The first two threads that mutt sees, each as the names of its mails.
fn mutt_threads(postfix: &Postfix) -> BTreeSet<BTreeSet<String>> {
    let dir = tempfile::tempdir().expect("a temporary directory can be had");
    let path = |name: &str| dir.path().join(name);
    fs::write(path("muttrc"), MUTTRC.replace("{dir}", &dir.path().display().to_string())).expect("it can be written");
    // It wants a terminal.
    let mutt = format!("mutt -n -F {} -R -f {}", path("muttrc").display(), postfix.maildir().display());
    let mut command = Command::new("/usr/bin/script");
    command.args(["-qec", &mutt, "/dev/null"]).env("HOME", dir.path()).env("TERM", "xterm").env("MAIL", "/dev/null");
    output(&mut command, "bsdutils");
    ["first", "second"].map(|thread| message_ids(&path(thread))).into()
}

/// Gives the mails of the first thread, then those of the next, to a command each.
const MUTTRC: &str = r#"
set folder={dir} sort=threads strict_threads=yes collapse_unread=no wait_key=no pipe_split=no pipe_decode=no
set header_cache="" certificate_file="" history=0 quit=yes mark_old=no sleep_time=0
push "<first-entry><tag-thread><tag-prefix><pipe-message>cat >{dir}/first<enter><untag-pattern>~A<enter><next-thread><tag-thread><tag-prefix><pipe-message>cat >{dir}/second<enter><exit>"
"#;

fn message_ids(mails: &Path) -> BTreeSet<String> {
    let mails = fs::read_to_string(mails).unwrap_or_default();
    let ids = mails.lines().filter_map(|line| line.strip_prefix("Message-ID: "));
    ids.map(str::to_owned).collect()
}

fn output(command: &mut Command, package: &str) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{}", cannot_start(command, package, &error)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
