//! Mail addresses as an operator writes them: one or several, with or without display names.

use lettre::Address;
use lettre::message::Mailbox;
use url::Host;

/// Addresses that were written in one place, and what there is no address.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) good: Vec<Mailbox>,
    pub(super) bad: Vec<String>,
}

/// The one address of a sender, which `key` names.
pub(super) fn sender(key: &str, text: &str) -> Result<Mailbox, String> {
    let mut pieces = pieces(text);
    match (pieces.len(), pieces.pop()) {
        (1, Some(piece)) => one(piece).ok_or_else(|| format!("parse '{key}' address {piece:?}: not an address")),
        (count, _) => Err(format!("must be exactly one '{key}' address (got: {count})")),
    }
}

/// Addresses separated by commas. One that cannot be read does not spoil the others.
pub(super) fn several(text: &str) -> List {
    let mut list = List::default();
    for piece in pieces(text) {
        match one(piece) {
            Some(mailbox) => list.good.push(mailbox),
            None => list.bad.push(piece.to_owned()),
        }
    }
    list
}

/// What stands between commas that are not in quotes, angle brackets or comments; empty pieces are nothing.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut beginning) = (Vec::new(), 0);
    let (mut in_quotes, mut is_escaped, mut depth) = (false, false, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            '<' | '(' if !in_quotes => depth += 1,
            '>' | ')' if !in_quotes => depth = depth.saturating_sub(1),
            ',' if !in_quotes && depth == 0 => {
                pieces.push(&text[beginning..at]);
                beginning = at + 1;
            }
            _ => {}
        }
    }
    pieces.push(&text[beginning..]);
    pieces.into_iter().map(str::trim).filter(|piece| !piece.is_empty()).collect()
}

/// An address, with its domain as the DNS has it: only before the `@` can there be letters that mail of old cannot
/// carry.
fn one(text: &str) -> Option<Mailbox> {
    if text.contains(char::is_control) {
        return None;
    }
    let mailbox = text.parse().ok().or_else(|| in_brackets(text))?;
    if mailbox.email.domain().is_ascii() {
        return Some(mailbox);
    }
    let Ok(Host::Domain(domain)) = Host::parse(mailbox.email.domain()) else { return None };
    Some(Mailbox::new(mailbox.name, Address::new(mailbox.email.user(), domain).ok()?))
}

/// What the library does not read: an address at a machine's number, in angle brackets.
fn in_brackets(text: &str) -> Option<Mailbox> {
    let (name, address) = text.strip_suffix('>')?.rsplit_once('<')?;
    let name = name.trim().trim_matches('"');
    Some(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, usize) {
        let list = several(text);
        (list.good.iter().map(|mailbox| mailbox.email.to_string()).collect(), list.bad.len())
    }

    #[test]
    fn addresses_come_with_names_or_without() {
        let text = "a@b.example, Jo Do <c@d.example>,\"X, Y\" <e@f.example> , <g@localhost>,Wächter <h@[192.0.2.1]>,";
        let expected = ["a@b.example", "c@d.example", "e@f.example", "g@localhost", "h@[192.0.2.1]"];
        assert_eq!(read(text), (expected.map(str::to_owned).to_vec(), 0));
        assert_eq!(several("\"X, Y\" <e@f.example>").good[0].name.as_deref(), Some("X, Y"));
        assert_eq!(several("=?utf-8?q?=C3=84?= <e@f.example>").good[0].name.as_deref(), Some("=?utf-8?q?=C3=84?="));
    }

    #[test]
    fn one_that_cannot_be_read_does_not_spoil_the_others() {
        assert_eq!(read("root, a@b.example, x y z, <>, @c.example"), (vec!["a@b.example".to_owned()], 4));
        assert_eq!(read(" , ,"), (vec![], 0));
        assert_eq!(read("a@b.example\r\nRCPT TO:<c@d.example>"), (vec![], 1));
        assert_eq!(read("\"a\u{0}\"@b.example"), (vec![], 1));
    }

    #[test]
    fn a_domain_is_written_as_the_dns_has_it() {
        assert_eq!(read("a@bücher.example, ü@b.example").0, ["a@xn--bcher-kva.example", "ü@b.example"]);
    }

    #[test]
    fn there_is_one_sender() {
        assert_eq!(sender("from", "Jo <a@b.example>").unwrap().email.to_string(), "a@b.example");
        assert_eq!(
            sender("from", "a@b.example, c@d.example").unwrap_err(),
            "must be exactly one 'from' address (got: 2)"
        );
        assert_eq!(sender("from", "").unwrap_err(), "must be exactly one 'from' address (got: 0)");
        assert!(sender("from", "root").unwrap_err().contains("'from'"));
    }
}
