//! A line of IRC as it was on the wire, taken apart without believing that it is text.

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Everything before the line feed; a well-behaved line ends in a carriage return.
    pub(crate) raw: Vec<u8>,
    prefix: Vec<u8>,
    command: String,
    params: Vec<Vec<u8>>,
}

impl Line {
    pub(crate) fn parse(raw: &[u8]) -> Self {
        let mut rest = raw.strip_suffix(b"\r").unwrap_or(raw);
        if rest.starts_with(b"@") {
            rest = word(rest).1;
        }
        let mut prefix = Vec::new();
        if let Some(named) = rest.strip_prefix(b":") {
            let (first, after) = word(named);
            (prefix, rest) = (first.to_vec(), after);
        }
        let (command, mut rest) = word(rest);
        let mut params = Vec::new();
        while !rest.is_empty() {
            if let Some(last) = rest.strip_prefix(b":") {
                params.push(last.to_vec());
                break;
            }
            let (param, after) = word(rest);
            params.push(param.to_vec());
            rest = after;
        }
        let command = String::from_utf8_lossy(command).into_owned();
        Self { raw: raw.to_vec(), prefix, command, params }
    }

    pub(crate) fn command(&self) -> &str {
        &self.command
    }

    /// Who said it: `nick!user@host` or a server.
    pub(crate) fn prefix(&self) -> String {
        String::from_utf8_lossy(&self.prefix).into_owned()
    }

    pub(crate) fn nick(&self) -> String {
        self.prefix().split('!').next().unwrap_or_default().to_owned()
    }

    /// A parameter as text; empty if there is none.
    pub(crate) fn param(&self, index: usize) -> String {
        self.params.get(index).map(|param| String::from_utf8_lossy(param).into_owned()).unwrap_or_default()
    }

    /// The bytes of the last parameter.
    pub(crate) fn last(&self) -> &[u8] {
        self.params.last().map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn last_text(&self) -> String {
        String::from_utf8_lossy(self.last()).into_owned()
    }

    /// The whole line as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.raw.strip_suffix(b"\r").unwrap_or(&self.raw)).into_owned()
    }

    /// Whether somebody says this to `target`, in whichever way.
    pub(crate) fn says_to(&self, target: &str) -> bool {
        matches!(self.command(), "PRIVMSG" | "NOTICE") && self.param(0).eq_ignore_ascii_case(target)
    }
}

/// The bytes up to the next space, and what follows the spaces.
fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    let rest = &bytes[end..];
    let skip = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    (&bytes[..end], &rest[skip..])
}
