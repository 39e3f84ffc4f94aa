//! The form of a mail (RFC 5322, RFC 2047, RFC 2045), whatever an alert or an operator puts into it.

use std::collections::BTreeSet;

use serde_json::json;

use super::postfix::Postfix;
use super::{alert, config, post, router, told};
use crate::harness::server::{Program, Server};

/// As long as the text of a label may be in practice, and longer than a line may be (998).
const LONG: usize = 5000;

/// How many hostile alerts are told.
const HOSTILE: u64 = 150;

#[test]
fn f2_09_names_beyond_ascii_and_their_addresses_arrive_as_they_are() {
    let email = r#"{from: '"Wächter, Hafen" <watch@example.org>',
        to: 'Jörg Straße <joerg@example.org>, "O''Neil, Zoë" <zoe@example.org>, plain@example.org',
        cc: '東京の当直担当者とその同僚たちとその上司と部長と課長と係長 <tokyo@example.org>', bcc: hidden@example.org,
        headers: {reply-to: 'Ärger <trouble@example.org>'}}"#;
    let mails = told(&Postfix::start(), email, 5);
    let expected = |people: &[(&str, &str)]| {
        people.iter().map(|(name, address)| ((*name).to_owned(), (*address).to_owned())).collect::<Vec<_>>()
    };
    for mail in &mails {
        assert_eq!(mail.people("From"), expected(&[("Wächter, Hafen", "watch@example.org")]));
        let to = [("Jörg Straße", "joerg@example.org"), ("O'Neil, Zoë", "zoe@example.org"), ("", "plain@example.org")];
        assert_eq!(mail.people("To"), expected(&to));
        let tokyo = "東京の当直担当者とその同僚たちとその上司と部長と課長と係長";
        assert_eq!(mail.people("Cc"), expected(&[(tokyo, "tokyo@example.org")]));
        assert_eq!(mail.people("Reply-To"), expected(&[("Ärger", "trouble@example.org")]));
        assert!(!mail.original().contains("hidden"), "a blind copy is not blind:\n{}", mail.original());
        assert!(mail.original().is_ascii());
        assert_eq!((mail.defects(), mail.unfolded()), (vec![], vec![]));
    }
    let recipients: BTreeSet<_> = mails.iter().map(|mail| mail.recipient()).collect();
    let names = ["hidden", "joerg", "plain", "tokyo", "zoe"];
    assert_eq!(recipients, names.map(|name| format!("{name}@example.org")).into());
}

#[test]
fn f2_10_long_values_keep_to_the_lengths_of_lines_and_arrive_whole() {
    let postfix = Postfix::start();
    let router = router(
        postfix.address(),
        "{to: ops@example.org, headers: {Subject: '{{ .CommonLabels.long }}', x-long: '{{ .CommonLabels.long }}'}, \
         text: '{{ .CommonLabels.long }}', html: '<p>{{ .CommonLabels.long }}</p>'}",
    );
    let values = ["word and ", "solid", "größe", "größe und ", "😀", "\"quoted\\ "].map(fill);
    for (number, value) in values.iter().enumerate() {
        post(&router, &[alert(&format!("Long{number}"), &[("long", value)])]);
        let mail = postfix.wait_for(number + 1).remove(number);
        assert!(mail.longest_line() <= 998, "{value}: a line of {} bytes", mail.longest_line());
        assert_eq!(mail.unfolded(), [""; 0], "{value}");
        assert_eq!(mail.defects(), [""; 0], "{value}");
        assert_eq!((&mail.subject(), &mail.header("X-Long")), (value, value));
        assert_eq!(mail.text().trim_end(), value);
        let escaped = value.replace('"', "&#34;");
        assert_eq!(mail.html().trim_end(), format!("<p>{escaped}</p>"));
    }
}

/// `word` over and over, ending in no space.
fn fill(word: &str) -> String {
    word.repeat(LONG / word.len()).trim_end().to_owned()
}

#[test]
fn f2_11_no_label_adds_a_header_a_part_or_a_mail() {
    let postfix = Postfix::start();
    let email = "{to: ops@example.org, headers: {Subject: '{{ .CommonLabels.evil }}', \
        x-label: '{{ .CommonLabels.evil }}', x-note: 'about {{ .CommonAnnotations.evil }} again'}, \
        list_id: '{{ .CommonLabels.evil }} <ops.example.org>'}";
    // Who is not told within a group interval is told again.
    let config = config(postfix.address(), email).replace("group_interval: 1s", "group_interval: 2m");
    let router = Server::start(Program::Watchbell, &config);
    let mut random = Random(2026);
    let alerts: Vec<_> = (0..HOSTILE)
        .map(|number| {
            let evil = random.evil();
            let mut alert = alert(&format!("Evil{number}"), &[("evil", &evil)]);
            alert["annotations"] = json!({"evil": evil});
            alert
        })
        .collect();
    post(&router, &alerts);
    let mails = postfix.wait_for(alerts.len());
    let shapes: BTreeSet<_> = mails.iter().map(|mail| (mail.header_names(), mail.part_types())).collect();
    assert_eq!(shapes.len(), 1, "{shapes:#?}");
    let (_, parts) = shapes.first().expect("there is one");
    assert_eq!(parts, &["text/plain", "text/html"]);
    for mail in &mails {
        assert_eq!(mail.defects(), [""; 0], "{}", mail.original());
    }
    assert_eq!(postfix.settled().len(), alerts.len());
}

/// Numbers that look random and are the same each time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("it is below the end")
    }

    /// A text of some of the pieces with which mails are made.
    fn evil(&mut self) -> String {
        (0..2 + self.below(12)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }
}

const PIECES: [&str; 24] = [
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\t",
    "\u{b}",
    "\u{85}",
    "\u{2028}",
    "\r\n.\r\n",
    "\r\n\r\n",
    "X-Evil: 1",
    "Bcc: thief@example.org",
    "MAIL FROM:<thief@example.org>",
    "Content-Type: text/html",
    "--",
    "=?utf-8?q?=0D=0AX-Evil:_1?=",
    "=?utf-8?b?DQpYLUV2aWw6IDE=?=",
    "=0D=0A",
    "<thief@example.org>",
    "\"",
    "é",
    "<b>",
    " ",
    "x",
];
