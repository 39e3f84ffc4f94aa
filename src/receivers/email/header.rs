//! Headers of a mail as they go over the wire: folded at 78 characters (RFC 5322 2.1.1, 2.2.3), with encoded words for
//! what is not plain (RFC 2047), and one of each name. It must not know what they mean.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use lettre::message::Mailbox;

/// Where lines are folded.
const FOLD_AT: usize = 78;

/// The longest word that stays as it is; a longer one cannot be folded, and is encoded instead.
const MAX_WORD: usize = 60;

/// The longest word of a header that must not be encoded. A line ends at 998 for good (RFC 5322 2.1.1).
const MAX_RAW_WORD: usize = 900;

/// Bytes in one encoded word, so that it has at most 75 characters (RFC 2047 2).
const ENCODED_BYTES: usize = 45;

/// Headers whose words mean something to programs: they are never encoded.
const FOR_PROGRAMS: [&str; 11] = [
    "Message-Id",
    "References",
    "In-Reply-To",
    "Date",
    "List-Id",
    "List-Unsubscribe",
    "Auto-Submitted",
    "Precedence",
    "Importance",
    "Priority",
    "X-Priority",
];

/// Headers in order, one of each name.
#[derive(Clone, Default)]
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    /// Sets a header that people read.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let value = one_line(value);
        let for_programs = FOR_PROGRAMS.iter().any(|known| known.eq_ignore_ascii_case(name));
        if for_programs && value.is_ascii() && value.split(' ').all(|word| word.len() <= MAX_RAW_WORD) {
            return self.words(name, &value);
        }
        let is_plain =
            |word: &str| (1..=MAX_WORD).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
        let room = FOLD_AT.saturating_sub(name.len() + ": ".len());
        match value.split(' ').all(is_plain) && !value.contains("=?") {
            true => self.set(name, folded(name, value.split(' '))),
            false => self.set(name, folded(name, encoded_words(&value, room).iter().map(String::as_str))),
        }
    }

    /// Sets a header of words that programs read; they are separated by single spaces and need no encoding.
    pub(super) fn words(&mut self, name: &str, value: &str) {
        self.set(name, folded(name, value.split_whitespace()));
    }

    /// Sets a header of addresses. Only names are encoded, never what stands in angle brackets.
    pub(super) fn addresses<'a>(&mut self, name: &str, addresses: impl IntoIterator<Item = &'a Mailbox>) {
        let mut words = Vec::new();
        for address in addresses {
            if let Some(last) = words.last_mut() {
                *last = format!("{last},");
            }
            words.extend(mailbox_words(address));
        }
        self.set(name, folded(name, words.iter().map(String::as_str)));
    }

    /// All of them as text; the empty line after them is not part of it.
    pub(super) fn to_text(&self) -> String {
        self.0.iter().map(|(_, line)| line.as_str()).collect()
    }

    fn set(&mut self, name: &str, line: String) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, held)) => *held = line,
            None => self.0.push((name.to_owned(), line)),
        }
    }
}

/// A value cannot begin another header, nor hide what it says.
pub(super) fn one_line(value: &str) -> String {
    value.replace(char::is_control, " ").trim().to_owned()
}

/// `name: words`, with line ends where they do not fit.
fn folded<'a>(name: &str, words: impl Iterator<Item = &'a str>) -> String {
    let mut text = format!("{name}:");
    let mut length = text.len();
    for word in words {
        if length + 1 + word.len() > FOLD_AT {
            text.push_str("\r\n");
            length = 0;
        }
        text.push(' ');
        text.push_str(word);
        length += 1 + word.len();
    }
    text + "\r\n"
}

/// `value` in encoded words; the space between two of them says nothing. The first has `room` characters at most.
fn encoded_words(value: &str, room: usize) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = value;
    let mut bytes = (room.saturating_sub("=?utf-8?b??=".len()) / 4 * 3).min(ENCODED_BYTES);
    if bytes < char::MAX_LEN_UTF8 {
        bytes = ENCODED_BYTES;
    }
    while !rest.is_empty() {
        let (word, tail) = rest.split_at(rest.floor_char_boundary(bytes));
        words.push(format!("=?utf-8?b?{}?=", BASE64_STANDARD.encode(word)));
        (rest, bytes) = (tail, ENCODED_BYTES);
    }
    words
}

/// The name, if there is one, and the address.
fn mailbox_words(mailbox: &Mailbox) -> Vec<String> {
    let name = mailbox.name.as_deref().map(one_line).unwrap_or_default();
    if name.is_empty() {
        return vec![mailbox.email.to_string()];
    }
    let mut words = name_words(&name);
    words.push(format!("<{}>", mailbox.email));
    words
}

/// A name as RFC 5322 has it: words, a quoted text, or encoded words. One that is encoded already stays as it is.
fn name_words(name: &str) -> Vec<String> {
    let is_encoded = |word: &str| word.starts_with("=?") && word.ends_with("?=") && word.len() <= 75 && word.is_ascii();
    let is_atom = |word: &str| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    let is_short = name.is_ascii() && name.len() <= MAX_WORD && !name.contains("=?");
    if name.split(' ').all(is_encoded) || (is_short && name.split(' ').all(is_atom)) {
        return name.split(' ').map(str::to_owned).collect();
    }
    if is_short {
        return vec![format!("\"{}\"", name.replace('\\', r"\\").replace('"', r#"\""#))];
    }
    encoded_words(name, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(name: &str, value: &str) -> String {
        let mut headers = Headers::default();
        headers.text(name, value);
        headers.to_text()
    }

    fn to(addresses: &[(&str, &str)]) -> String {
        let mailbox = |(name, email): &(&str, &str)| {
            Mailbox::new((!name.is_empty()).then(|| (*name).to_owned()), email.parse().unwrap())
        };
        let mut headers = Headers::default();
        headers.addresses("To", &addresses.iter().map(mailbox).collect::<Vec<_>>());
        headers.to_text()
    }

    /// What a reader makes of a header of [`text`].
    fn decoded(line: &str) -> String {
        let value = line.split_once(':').unwrap().1.replace("\r\n", "");
        let words: Vec<&str> = value.trim().split(' ').collect();
        if !words.iter().all(|word| word.starts_with("=?")) {
            return value.trim().to_owned();
        }
        let encoded = words.iter().map(|word| word.trim_start_matches("=?utf-8?b?").trim_end_matches("?="));
        encoded.map(|word| String::from_utf8(BASE64_STANDARD.decode(word).unwrap()).unwrap()).collect()
    }

    #[test]
    fn plain_text_is_folded_and_nothing_else() {
        assert_eq!(text("Subject", "[FIRING:1] Disk (a)"), "Subject: [FIRING:1] Disk (a)\r\n");
        let long = ["word"; 40].join(" ");
        let line = text("Subject", &long);
        assert!(line.lines().all(|line| line.len() <= 78) && line.lines().skip(1).all(|line| line.starts_with(' ')));
        assert_eq!(decoded(&line), long);
    }

    #[test]
    fn names_are_encoded_and_addresses_are_not() {
        assert_eq!(to(&[("Jo Do", "a@b.example"), ("", "c@d.example")]), "To: Jo Do <a@b.example>, c@d.example\r\n");
        assert_eq!(to(&[("Do, \"Jo\"", "a@b.example")]), "To: \"Do, \\\"Jo\\\"\" <a@b.example>\r\n");
        assert_eq!(to(&[("Wächter", "a@b.example")]), "To: =?utf-8?b?V8OkY2h0ZXI=?= <a@b.example>\r\n");
        assert_eq!(
            to(&[("=?utf-8?q?W=C3=A4chter?=", "a@b.example")]),
            "To: =?utf-8?q?W=C3=A4chter?= <a@b.example>\r\n"
        );
        let many: Vec<_> = (0..100).map(|_| ("Größe", "somebody@department.example.org")).collect();
        assert!(to(&many).lines().all(|line| line.len() <= 78));
    }

    #[test]
    fn there_is_one_of_each() {
        let mut headers = Headers::default();
        headers.text("Subject", "a");
        headers.text("subject", "b");
        assert_eq!(headers.to_text(), "subject: b\r\n");
    }

    #[test]
    fn what_programs_read_is_not_encoded() {
        let id = format!("<{}@example.org>", "a".repeat(100));
        assert!(text("Message-Id", &id).ends_with(&format!(" {id}\r\n")));
    }

    proptest! {
        #[test]
        fn any_text_is_one_header_with_short_lines_that_reads_the_same(value in any::<String>(), many in 1..40_usize) {
            let value = value.repeat(many);
            for name in ["Subject", "X-A-Name-That-Is-Very-Long-And-Leaves-Hardly-Any-Room-For-What-It-Says"] {
                let line = text(name, &value);
                prop_assert!(line.is_ascii() && line.ends_with("\r\n"));
                prop_assert!(line.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n'])), "{}", line);
                prop_assert!(line.split("\r\n").skip(1).all(|line| line.is_empty() || line.starts_with(' ')));
                prop_assert_eq!(decoded(&line), one_line(&value));
            }
        }
    }
}
