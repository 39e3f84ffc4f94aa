//! What was survived, as rows of a table for people: one file a scenario below `target/pair`.

use std::fs;
use std::path::Path;

use super::sinks::{Line, Sinks};
use crate::email::reader::Mail;
use crate::gitlab::fake::Issue;

/// Writes the row of a scenario: what happened, what IRC, mail and GitLab received, and what else there is to say.
pub(super) fn write(number: usize, what: &str, cells: [String; 3], remarks: &str) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pair");
    fs::create_dir_all(&dir).expect("a directory can be made");
    let [irc, mail, gitlab] = cells;
    let row = format!("| {number}. {what} | {irc} | {mail} | {gitlab} | {remarks} |\n");
    println!("{row}");
    fs::write(dir.join(format!("{number}.md")), row).expect("a row can be written");
}

/// The three cells with everything that was received.
pub(super) fn everything(sinks: &Sinks) -> [String; 3] {
    let lines = ["#ops", "#web"].map(|channel| irc(channel, &sinks.said(channel)));
    let issues = ["ops/alerts", "web/site"].map(|project| issues(project, &sinks.issues(project)));
    [joined(lines.concat()), joined(mails(&sinks.sent())), joined(issues.concat())]
}

fn irc(channel: &str, lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| format!("{channel}: {} `{}`", line.text, line.id)).collect()
}

fn mails(mails: &[Mail]) -> Vec<String> {
    mails.iter().map(|mail| format!("{} `{}`", mail.subject(), short(&mail.id()))).collect()
}

fn issues(project: &str, issues: &[Issue]) -> Vec<String> {
    issues.iter().map(|issue| format!("{project}#{} {}: {}", issue.iid, issue.title, state(issue))).collect()
}

fn state(issue: &Issue) -> &'static str {
    match (issue.open, issue.duplicate_of) {
        (true, _) => "open",
        (false, None) => "closed",
        (false, Some(_)) => "closed as a duplicate",
    }
}

/// The first letters of a mail's name.
fn short(id: &str) -> &str {
    id.trim_start_matches('<').get(..8).unwrap_or(id)
}

fn joined(entries: Vec<String>) -> String {
    if entries.is_empty() { "nothing".to_owned() } else { entries.join("<br>") }
}
