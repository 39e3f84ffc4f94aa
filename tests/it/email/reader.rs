//! Mails as an independent reader sees them: Python's `email` with its strict policy, which knows nothing of us.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::process::cannot_start;

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/email/read.py");

/// One mail, parsed.
#[derive(Clone, Debug)]
pub(crate) struct Mail(Value);

/// An address and the name shown with it.
pub(crate) type Person = (String, String);

/// All mails in a folder, in the order of their coming.
pub(crate) fn read_all(folder: &Path) -> Vec<Mail> {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(READER).arg(folder);
    let output = command.output().unwrap_or_else(|error| panic!("{}", cannot_start(&command, "python3", &error)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mails: Vec<Value> = serde_json::from_slice(&output.stdout).expect("the reader writes JSON");
    mails.into_iter().map(Mail).collect()
}

impl Mail {
    /// The recipient whose copy this is.
    pub(crate) fn recipient(&self) -> String {
        self.header("X-Original-To")
    }

    /// The envelope's sender.
    pub(crate) fn return_path(&self) -> String {
        self.header("Return-Path").trim_matches(['<', '>']).to_owned()
    }

    pub(crate) fn id(&self) -> String {
        self.header("Message-ID")
    }

    pub(crate) fn subject(&self) -> String {
        self.header("Subject")
    }

    /// The one header of this name, decoded; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> String {
        let mut values = self.headers(name);
        assert!(values.len() < 2, "{name}: {values:?}");
        values.pop().unwrap_or_default()
    }

    /// All headers of this name, decoded.
    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        let named = |header: &&Value| header[0].as_str().is_some_and(|given| given.eq_ignore_ascii_case(name));
        self.list("headers").iter().filter(named).map(|header| text(&header[1])).collect()
    }

    /// The names of all headers, in their order.
    pub(crate) fn header_names(&self) -> Vec<String> {
        self.list("headers").iter().map(|header| text(&header[0])).collect()
    }

    /// The people in `From`, `To` or `Cc`.
    pub(crate) fn people(&self, header: &str) -> Vec<Person> {
        let people = self.0["people"][header].as_array().cloned().unwrap_or_default();
        people.iter().map(|person| (text(&person[0]), text(&person[1]))).collect()
    }

    /// The decoded text of the part of this type; fails the test unless there is exactly one.
    pub(crate) fn part(&self, content_type: &str) -> String {
        let of_type = |part: &&Value| part["type"] == content_type;
        let parts: Vec<_> = self.list("parts").iter().filter(of_type).collect();
        assert_eq!(parts.len(), 1, "{content_type}: {parts:#?}");
        text(&parts[0]["text"])
    }

    pub(crate) fn html(&self) -> String {
        self.part("text/html")
    }

    pub(crate) fn text(&self) -> String {
        self.part("text/plain")
    }

    /// The types of all parts that are not made of parts.
    pub(crate) fn part_types(&self) -> Vec<String> {
        self.list("parts").iter().map(|part| text(&part["type"])).collect()
    }

    /// Everything that the reader finds wrong.
    pub(crate) fn defects(&self) -> Vec<String> {
        self.list("defects").iter().map(text).collect()
    }

    /// The length of the longest line, in bytes, without its end.
    pub(crate) fn longest_line(&self) -> u64 {
        self.0["longest_line"].as_u64().expect("the reader counts")
    }

    /// Lines of the header that are longer than 78 bytes and could have been folded.
    pub(crate) fn unfolded(&self) -> Vec<String> {
        self.list("unfolded").iter().map(text).collect()
    }

    /// The date, in seconds since 1970; `None` if it cannot be read.
    pub(crate) fn date(&self) -> Option<i64> {
        self.0["date"].as_i64()
    }

    /// The bytes as they lie in the mailbox, without what the servers on the way put on top.
    pub(crate) fn original(&self) -> String {
        text(&self.0["original"])
    }

    fn list(&self, key: &str) -> &[Value] {
        self.0[key].as_array().map_or(&[], Vec::as_slice)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
