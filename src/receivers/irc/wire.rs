//! Bytes to messages and back. The library knows the protocol; added here are a bound on lines, patience with text that
//! is not UTF-8 or not IRC (anybody in a channel can send either), and names that are compared as servers do.

use irc_proto::{Command, Message, Prefix};

/// Bytes a line of a server may have: 8,191 of tags (IRCv3 message-tags) and 512, or a few more where `LINELEN` says so.
const MAX_LINE: usize = 16 << 10;

/// Bytes a line of ours may have without its end (RFC 1459, 2.3); tags do not count.
pub(super) const MAX_SENT: usize = 510;

/// What has been received and is not a whole line yet.
#[derive(Default)]
pub(super) struct Received {
    pub(super) bytes: Vec<u8>,
}

impl Received {
    /// The next whole message. What is none is passed over.
    ///
    /// # Errors
    /// A line without end.
    pub(super) fn next(&mut self) -> Result<Option<Message>, String> {
        while let Some(end) = self.bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            if let Some(message) = parse(&line) {
                return Ok(Some(message));
            }
        }
        if self.bytes.len() > MAX_LINE { Err(format!("a line of more than {MAX_LINE} bytes")) } else { Ok(None) }
    }
}

fn parse(line: &[u8]) -> Option<Message> {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_matches(['\r', '\n', ' ', '\0']);
    let message: Message = if line.is_empty() { None } else { line.parse().ok() }?;
    let is_nothing = matches!(&message.command, Command::Raw(name, _) if name.is_empty());
    (!is_nothing).then_some(message)
}

/// The bytes of `message`: one line whatever its parts are, and no longer than servers take.
pub(super) fn line(message: &Message) -> String {
    let text: String = message.to_string().chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
    let tags = if text.starts_with('@') { text.find(' ').map_or(0, |end| end + 1) } else { 0 };
    let mut end = text.len().min(tags + MAX_SENT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}\r\n", &text[..end])
}

/// A message of ours with a command that has no type in the library.
pub(super) fn raw(command: &str, parameters: &[&str]) -> Message {
    Command::Raw(command.to_owned(), parameters.iter().map(|text| (*text).to_owned()).collect()).into()
}

/// The number and the parameters of a numeric reply.
pub(super) fn numeric(command: &Command) -> Option<(u16, &[String])> {
    match command {
        Command::Response(response, parameters) => Some((*response as u16, parameters)),
        Command::Raw(name, parameters) if name.len() == 3 => Some((name.parse().ok()?, parameters)),
        _ => None,
    }
}

/// The value of a tag.
pub(super) fn tag<'a>(message: &'a Message, name: &str) -> Option<&'a str> {
    message.tags.as_ref()?.iter().find(|tag| tag.0 == name)?.1.as_deref()
}

/// The nick of who sent `message`; empty if a server did.
pub(super) fn sender(message: &Message) -> &str {
    match &message.prefix {
        Some(Prefix::Nickname(nick, ..)) => nick,
        _ => "",
    }
}

/// `name` as servers compare it (RFC 1459, 2.2: `{}|^` are the small letters of `[]\~`).
pub(super) fn fold(name: &str) -> String {
    let small = |c: char| match c {
        '[' => '{',
        ']' => '}',
        '\\' => '|',
        '~' => '^',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(small).collect()
}

/// Whether two names are the same to a server.
pub(super) fn same(one: &str, other: &str) -> bool {
    fold(one) == fold(other)
}

/// Whether `name` is a channel's and not a nick.
pub(super) fn is_channel(name: &str) -> bool {
    name.starts_with(['#', '&', '+', '!'])
}

/// Whether `target` can be one, in a command: no space, comma, colon at the beginning, wildcard server or control code.
pub(super) fn is_target(target: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, ' ' | ',' | '*' | '?');
    let body = target.trim_start_matches(['#', '&', '+', '!']);
    !body.is_empty() && !target.contains(forbidden) && !target.starts_with([':', '$', '@']) && target.len() <= 64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn received(bytes: &[u8]) -> Vec<Message> {
        let mut received = Received { bytes: bytes.to_vec() };
        std::iter::from_fn(|| received.next().unwrap()).collect()
    }

    #[test]
    fn what_is_no_message_is_passed_over() {
        let messages = received(b":\r\n\r\n@a=b\r\n:x\r\nPING :a b\r\n\xff\xfe\r\nPRIVMSG #c :\xe9t\xe9\nPI");
        let told: Vec<_> = messages.iter().map(|message| message.to_string()).collect();
        assert_eq!(told.first().map(String::as_str), Some("PING :a b\r\n"));
        assert_eq!(told.last().map(String::as_str), Some("PRIVMSG #c \u{fffd}t\u{fffd}\r\n"));
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        assert!(Received { bytes: vec![b'a'; MAX_LINE + 1] }.next().is_err());
    }

    #[test]
    fn names_are_compared_as_servers_do() {
        assert!(same("#Tor[x]~", "#tOR{x}^") && !same("#a", "#b"));
        assert!(is_target("#a") && is_target("nick") && is_target("nick@server"));
        assert!(["", "#", "a b", "#a,#b", "$*", ":x", "#a\r"].iter().all(|target| !is_target(target)));
    }

    #[test]
    fn numbers_are_found_under_either_type() {
        let number = |line: &str| numeric(&line.parse::<Message>().unwrap().command).map(|(number, _)| number);
        assert_eq!(
            (number("001 me :hi"), number("396 me host :x"), number("354 me 1")),
            (Some(1), Some(396), Some(354))
        );
        assert_eq!((number(":s 404 me #c :no"), number("PRIVMSG a :b")), (Some(404), None));
    }

    proptest! {
        #[test]
        fn a_message_is_one_line_of_the_right_size(target in ".{0,80}", text in ".{0,900}") {
            let line = line(&Command::PRIVMSG(target, text).into());
            prop_assert!(line.len() <= MAX_SENT + 2);
            let body = line.strip_suffix("\r\n").unwrap();
            prop_assert!(!body.contains(['\r', '\n', '\0']));
        }

        #[test]
        fn nothing_received_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            received(&bytes);
        }

        #[test]
        fn nothing_like_a_message_makes_the_parser_panic(
            line in "(@[a-z=;\\\\]{0,9} )?(:[a-z!@.]{0,9} )?(CAP|MODE|JOIN|BATCH|NICKSERV|AUTHENTICATE|METADATA|[0-9]{3})( [ -~]{0,6}){0,15}( :.{0,9})?"
        ) {
            received(format!("{line}\r\n").as_bytes());
        }
    }
}
