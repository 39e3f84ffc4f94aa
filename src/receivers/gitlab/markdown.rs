//! Alert data inside GitLab's Markdown: shown as it is, and nothing else. It runs no quick action, mentions nobody,
//! refers to nothing, is no HTML and opens no block. It must not know where the data come from.
//!
//! GitLab looks for quick actions line by line in the raw text, also inside what Markdown takes for code, and for
//! mentions and references in the rendered text, where an entity or a backslash is gone again. So the first get a
//! backslash, the second an invisible character (U+200B) behind their sigil, and all other markup a backslash or an
//! entity.

use watchbell_template::{Alert, Data, Kv};

/// Ends a reference before it begins, and shows as nothing.
const NOTHING: char = '\u{200b}';

/// The characters that are taken for markup wherever they stand, apart from `<`, `>` and `&`.
const MARKUP: &str = "\\`*[]|$~";

/// The characters that begin something if they are the first of a line.
const LEADERS: &str = "/#-+=:";

/// The characters behind which a name or number makes a reference to an issue, a milestone, a label and so on.
const SIGILS: &str = "#!~%$&";

/// What may stand in a link that is not spelled differently; the rest of ASCII ends it.
const LINK: &str = "-._~:/?#@!$&'()*+,;=%[]";

/// What of it is percent-encoded, lest Markdown ends the link or finds a mention in it.
const LINK_ENCODED: &str = "@~!$'()*;[]";

/// `data` as templates may put it anywhere into Markdown. What comes from the operator stays as it is.
pub(super) fn neutral_data(data: &Data) -> Data {
    Data {
        alerts: data.alerts.iter().map(neutral_alert).collect(),
        group_labels: neutral_pairs(&data.group_labels),
        common_labels: neutral_pairs(&data.common_labels),
        common_annotations: neutral_pairs(&data.common_annotations),
        route_labels: neutral_pairs(&data.route_labels),
        ..data.clone()
    }
}

fn neutral_alert(alert: &Alert) -> Alert {
    let url = &alert.generator_url;
    Alert {
        labels: neutral_pairs(&alert.labels),
        annotations: neutral_pairs(&alert.annotations),
        generator_url: if link(url) == Some(url) { encoded_link(url) } else { neutral(url) },
        ..alert.clone()
    }
}

fn neutral_pairs(pairs: &Kv) -> Kv {
    pairs.iter().map(|(name, value)| (neutral_name(name), neutral(value))).collect()
}

/// A name of the usual kind is harmless, and templates look values up by it.
fn neutral_name(name: &str) -> String {
    let usual = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if usual { name.to_owned() } else { neutral(name) }
}

/// `text` as Markdown that shows it.
pub(super) fn neutral(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.retain(|c| !c.is_control() || c == '\n' || c == '\t');
    text.split('\n').map(neutral_line).collect::<Vec<_>>().join("\n")
}

/// `text` on one line, for a place without markup that still knows mentions and references: a title.
pub(super) fn neutral_title(text: &str) -> String {
    let mut title = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !title.is_empty() {
            title.push(' ');
        }
        let mut before = None;
        let mut rest = word.chars();
        while let Some(c) = rest.next() {
            title.push(c);
            if refers(c, before, rest.as_str()) {
                title.push(NOTHING);
            }
            before = Some(c);
        }
    }
    title
}

fn neutral_line(line: &str) -> String {
    let line = line.trim_start();
    let mut shown = String::with_capacity(line.len() + 8);
    if leads(line) {
        shown.push('\\');
    }
    let (mut before, mut rest) = (None, line);
    while let Some(c) = rest.chars().next() {
        let link = if before.is_none_or(|before: char| !before.is_alphanumeric()) { link_length(rest) } else { 0 };
        if link > 0 {
            shown.push_str(&encoded_link(&rest[..link]));
            (before, rest) = (rest[..link].chars().next_back(), &rest[link..]);
            continue;
        }
        rest = &rest[c.len_utf8()..];
        push(&mut shown, c, before, rest);
        before = Some(c);
    }
    numbered(shown)
}

/// Whether a line with this beginning needs a backslash before it.
fn leads(line: &str) -> bool {
    line.starts_with(|c| LEADERS.contains(c))
}

/// `1. x` and `1) x` would be the first item of a list.
fn numbered(mut line: String) -> String {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[digits..].starts_with(['.', ')']) {
        line.insert(digits, '\\');
    }
    line
}

/// Adds `c`, which stands between `before` and `rest`.
fn push(shown: &mut String, c: char, before: Option<char>, rest: &str) {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '<' => shown.push_str("&lt;"),
        '>' => shown.push_str("&gt;"),
        '&' => shown.push_str("&amp;"),
        '_' if word(before) && word(rest.chars().next()) => shown.push('_'),
        '_' => shown.push_str("\\_"),
        c if MARKUP.contains(c) => shown.extend(['\\', c]),
        c => shown.push(c),
    }
    if refers(c, before, rest) {
        shown.push(NOTHING);
    }
}

/// Whether `c` begins a mention or a reference, as it stands between `before` and `rest`. At the end of a text nobody
/// knows what follows.
fn refers(c: char, before: Option<char>, rest: &str) -> bool {
    let next = rest.chars().next();
    match c {
        // Inside an address for mail it mentions nobody.
        '@' => !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_'),
        '[' => names_kind(rest),
        c if SIGILS.contains(c) => next.is_none_or(|next| next.is_alphanumeric() || "_\"{:".contains(next)),
        _ => false,
    }
}

/// Whether `[` before `rest` makes a reference like `[issue:1]`.
fn names_kind(rest: &str) -> bool {
    rest.split_once(':').is_some_and(|(kind, _)| kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// How long the link is that `text` begins with, without what follows a link in a sentence; 0 if it begins with none.
fn link_length(text: &str) -> usize {
    link(text).map_or(0, |link| link.trim_end_matches(|c| ".,;:!?'*_~()[]".contains(c)).len())
}

/// The characters of a link that `text` begins with.
fn link(text: &str) -> Option<&str> {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || LINK.contains(c));
    let link = &text[..text.find(ends).unwrap_or(text.len())];
    let host = link.strip_prefix("https://").or(link.strip_prefix("http://"))?;
    host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[').then_some(link)
}

fn encoded_link(link: &str) -> String {
    let mut encoded = String::with_capacity(link.len());
    for c in link.chars() {
        match c {
            c if LINK_ENCODED.contains(c) => encoded.push_str(&format!("%{:02X}", u32::from(c))),
            c => encoded.push(c),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_no_markup_stays_as_it_is() {
        for text in
            ["", "db1.example.org:9100", "97 % full", "node_exporter", "me@example.org", "Größe 🎉 שלום", "a-b c/d"]
        {
            assert_eq!(neutral(text), text);
        }
        let link = "see https://wiki.example/a_b?x=1&y=2#top.";
        assert_eq!(neutral(link), link);
    }

    #[test]
    fn commands_mentions_references_and_markup_are_only_shown() {
        for (text, shown) in [
            ("/close", "\\/close"),
            ("a\r/close", "a\n\\/close"),
            ("\0/close", "\\/close"),
            ("\n  /assign @all", "\n\\/assign @\u{200b}all"),
            ("ask @all", "ask @\u{200b}all"),
            (
                "#1 !2 ~bug %\"m\" $3 &4",
                "\\#\u{200b}1 !\u{200b}2 \\~\u{200b}bug %\u{200b}\"m\" \\$\u{200b}3 &amp;\u{200b}4",
            ),
            ("-->", "\\--&gt;"),
            ("<img src=x>", "&lt;img src=x&gt;"),
            ("</details>", "&lt;/details&gt;"),
            ("```", "\\`\\`\\`"),
            ("a\\*b*", "a\\\\\\*b\\*"),
            ("1. one", "1\\. one"),
            ("[issue:1](x)", "\\[\u{200b}issue:1\\](x)"),
            ("http://a/(b)@c x", "http://a/%28b%29%40c x"),
        ] {
            assert_eq!(neutral(text), shown, "{text:?}");
        }
    }

    #[test]
    fn a_title_is_one_line_that_mentions_nobody() {
        assert_eq!(neutral_title(" a\n/b\t@all #1 <x> é "), "a /b @\u{200b}all #\u{200b}1 <x> é");
    }

    #[test]
    fn a_source_that_is_no_link_becomes_text() {
        let alert = |url: &str| Alert { generator_url: url.to_owned(), ..Alert::default() };
        assert_eq!(neutral_alert(&alert("http://p/g?a=1&b=(2)")).generator_url, "http://p/g?a=1&b=%282%29");
        assert_eq!(neutral_alert(&alert("x)\n/close")).generator_url, "x)\n\\/close");
    }

    /// Texts of what is dangerous, in any order.
    fn nasty() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            "/close",
            "/",
            "\r",
            "\n",
            " ",
            "\t",
            "@",
            "@all",
            "all",
            "#",
            "1",
            "!",
            "~",
            "%",
            "<",
            ">",
            "<!--",
            "-->",
            "```",
            "`",
            "~~~",
            "</details>",
            "<img src=x>",
            "[",
            "]",
            "(",
            ")",
            ":",
            "issue",
            "http://",
            "https://a/",
            "\\",
            "*",
            "_",
            "|",
            "$",
            "&",
            "&lt;",
            ";",
            "é",
            "🎉",
            "\u{200b}",
            "\0",
            "\u{85}",
            "\u{2028}",
            ">>>",
            "watchbell:end",
        ]);
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_of_any_text_is_ever_more_than_shown(one in nasty(), two in nasty()) {
            // Two values side by side: what one ends with must not make something of what the other begins with.
            let text = format!("{}{}", neutral(&one), neutral(&two));
            prop_assert!(!text.contains(['<', '>', '\r']), "{text:?}");
            prop_assert!(!text.contains("```") && !text.contains("~~~"), "{text:?}");
            for line in text.lines() {
                prop_assert!(!line.trim_start().starts_with(['/', '#', '>']), "{text:?}");
            }
            let characters: Vec<char> = text.chars().collect();
            for (at, _) in characters.iter().enumerate().filter(|(_, c)| **c == '@') {
                let outside_word = at == 0 || !(characters[at - 1].is_ascii_alphanumeric() || characters[at - 1] == '_');
                let names = characters.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric());
                prop_assert!(!(outside_word && names), "{text:?}");
            }
        }
    }
}
