//! The names of mails, and which earlier ones a mail answers, so that mail programs show them as one thread
//! (RFC 5322 3.6.4).

use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use uuid::Uuid;
use watchbell_engine::nflog::{NflogEntry, ReceiverData, ReceiverDatum};
use watchbell_engine::notification::Notification;
use watchbell_template::Now;

use crate::settings::email::{EmailConfig, RANDOM_MESSAGE_IDS, ThreadBy};

/// Under which names the log keeps the mail that an incident began with, and the last one about it.
const ROOT: &str = "thread_root";
const LAST: &str = "message_id";

/// How mails are named and threaded.
pub(super) struct Threads {
    domain: String,
    rule: Option<ThreadBy>,
}

/// The names that a mail says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) message_id: String,
    /// The mail that it answers.
    pub(super) in_reply_to: Option<String>,
    /// The thread, the first mail first.
    pub(super) references: Vec<String>,
}

impl Threads {
    pub(super) fn of(config: &EmailConfig) -> Self {
        Self { domain: config.message_id_domain.clone(), rule: config.threading.rule() }
    }

    /// Names the mail that tells `notification`, which is called `identity`, from somebody at `domain`.
    pub(super) fn names(&self, notification: &Notification, identity: &str, domain: &str, now: &Now) -> Names {
        let message_id = match self.domain.as_str() {
            "" => format!("<{identity}@{domain}>"),
            RANDOM_MESSAGE_IDS => format!("<{}@{domain}>", Uuid::new_v4().simple()),
            domain => format!("<{identity}@{domain}>"),
        };
        let (in_reply_to, references) = match self.rule {
            None => (None, Vec::new()),
            Some(ThreadBy::Incident) => incident(notification),
            Some(ThreadBy::Daily | ThreadBy::Group) => {
                let root = self.never_sent(notification, now);
                (Some(root.clone()), vec![root])
            }
        };
        Names { message_id, in_reply_to, references }
    }

    /// What the log keeps for the next mail of the thread.
    pub(super) fn kept(&self, names: &Names) -> ReceiverData {
        if self.rule != Some(ThreadBy::Incident) {
            return ReceiverData::new();
        }
        let root = names.references.first().unwrap_or(&names.message_id);
        let kept = |name: &str, id: &str| (name.into(), ReceiverDatum::Text(SmolStr::new(id)));
        ReceiverData::from([kept(ROOT, root), kept(LAST, &names.message_id)])
    }

    /// Alertmanager's root: all mails about a group, or about a group and day, answer one that never was.
    fn never_sent(&self, notification: &Notification, now: &Now) -> String {
        let group = Sha256::digest(notification.key.group_key.as_bytes());
        let group: String = group.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let local = now.instant.to_zoned_datetime(now.local.clone());
        let day = if self.rule == Some(ThreadBy::Daily) { local.date().to_string() } else { String::new() };
        format!("<alert-{group}-{day}@alertmanager>")
    }
}

/// The last mail of the incident that goes on, and the thread: its first mail and its last. One that begins has none.
fn incident(notification: &Notification) -> (Option<String>, Vec<String>) {
    let goes_on = notification.previous.as_deref().filter(|previous| previous.tells_any_firing());
    let Some((root, last)) = goes_on.and_then(|previous| Some((text(previous, ROOT)?, text(previous, LAST)?))) else {
        return (None, Vec::new());
    };
    let mut references = vec![root.to_owned()];
    if last != root {
        references.push(last.to_owned());
    }
    (Some(last.to_owned()), references)
}

fn text<'a>(previous: &'a NflogEntry, name: &str) -> Option<&'a str> {
    match previous.receiver_data.get(name) {
        Some(ReceiverDatum::Text(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use watchbell_engine::time::Timestamp;
    use watchbell_engine::version::Version;

    use super::super::super::data::template_clock;
    use super::super::super::tests::{NOW, alert, notification};
    use super::*;

    fn threads(threading: &str, domain: &str) -> Threads {
        let yaml = format!("{{to: a@b, threading: {{{threading}}}, message_id_domain: '{domain}'}}");
        Threads::of(&serde_saphyr::from_str(&yaml).unwrap())
    }

    /// A notification after one that left `kept`, whose alerts fire or not.
    fn after(kept: ReceiverData, fires: bool) -> Notification {
        let told = notification("email", vec![alert("a", true)]);
        let entry = NflogEntry {
            key: told.key.clone(),
            timestamp: NOW,
            firing: if fires { vec![1] } else { vec![] },
            resolved: vec![],
            receiver_data: kept,
            expires_at: Timestamp::MAX,
            version: Version::default(),
            carried: vec![],
            ended: vec![],
            past: vec![],
        };
        Notification { previous: Some(Arc::new(entry)), ..told }
    }

    fn names(threads: &Threads, notification: &Notification, identity: &str) -> Names {
        threads.names(notification, identity, "example.org", &template_clock(NOW))
    }

    #[test]
    fn all_mails_of_an_incident_hang_on_its_first_and_the_next_incident_does_not() {
        let threads = threads("enabled: true", "");
        let first = names(&threads, &notification("email", vec![alert("a", true)]), "1");
        assert_eq!((first.in_reply_to.clone(), first.references.len()), (None, 0));
        let second = names(&threads, &after(threads.kept(&first), true), "2");
        assert_eq!((second.in_reply_to.as_deref(), second.references.len()), (Some("<1@example.org>"), 1));
        let third = names(&threads, &after(threads.kept(&second), true), "3");
        assert_eq!(third.in_reply_to.as_deref(), Some("<2@example.org>"));
        assert_eq!(third.references, ["<1@example.org>", "<2@example.org>"]);
        let next_incident = names(&threads, &after(threads.kept(&third), false), "4");
        assert_eq!((next_incident.in_reply_to, next_incident.references.len()), (None, 0));
    }

    #[test]
    fn a_name_is_the_same_again_unless_it_is_to_be_random() {
        let told = notification("email", vec![alert("a", true)]);
        assert_eq!(names(&threads("", ""), &told, "1").message_id, "<1@example.org>");
        assert_eq!(names(&threads("", "alerts.example"), &told, "1").message_id, "<1@alerts.example>");
        let random = threads("", "random");
        assert_ne!(names(&random, &told, "1").message_id, names(&random, &told, "1").message_id);
    }

    #[test]
    fn alertmanagers_threads_have_a_root_that_was_never_sent() {
        let told = notification("email", vec![alert("a", true)]);
        let daily = names(&threads("enabled: true, thread_by_date: daily", ""), &told, "1");
        let group = names(&threads("enabled: true, by: group", ""), &told, "1");
        assert!(group.references[0].starts_with("<alert-") && group.references[0].ends_with("-@alertmanager>"));
        assert_eq!(daily.references[0].len(), group.references[0].len() + "2026-01-02".len());
        assert_eq!(daily.in_reply_to.as_ref(), daily.references.first());
        assert!(threads("enabled: true, by: group", "").kept(&group).is_empty());
    }
}
