//! What a text brings about when GitLab renders it: mentions, references, and HTML that gets through.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::world::Deed;

/// Mentions and references in a description or note: those that do not stand in code and are not escaped.
pub(super) fn in_text(text: &str) -> Vec<Deed> {
    in_plain(&plain(text))
}

/// Mentions and references in a title, where there is no code.
pub(super) fn in_title(title: &str) -> Vec<Deed> {
    in_plain(title)
}

/// The pieces of HTML that a renderer would take for HTML.
pub(crate) fn html_in(text: &str) -> Vec<String> {
    let html = parser(text).filter_map(|event| match event {
        Event::Html(html) | Event::InlineHtml(html) => Some(html.trim().to_owned()),
        _ => None,
    });
    html.filter(|html| !html.is_empty()).collect()
}

fn parser(text: &str) -> Parser<'_> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    Parser::new_ext(text, options)
}

/// The text without code; what is escaped keeps its backslash, and what is joined only by markup stays apart.
fn plain(text: &str) -> String {
    let (mut plain, mut in_code) = (String::new(), false);
    for (event, range) in parser(text).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(piece) if !in_code => {
                if text[..range.start].ends_with('\\') {
                    plain.push('\\');
                }
                plain.push_str(&piece);
            }
            Event::Code(_) => plain.push('`'),
            Event::SoftBreak | Event::HardBreak | Event::End(_) => plain.push('\n'),
            _ => {}
        }
    }
    plain
}

fn in_plain(text: &str) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for (at, sign) in text.char_indices().filter(|(_, letter)| "@#!".contains(*letter)) {
        let before = text[..at].chars().next_back();
        let after = &text[at + 1..];
        if before.is_some_and(|letter| letter.is_alphanumeric() || "_`\\@".contains(letter)) {
            continue;
        }
        let word = |takes: fn(char) -> bool| after.chars().take_while(|letter| takes(*letter)).collect::<String>();
        let deed = match sign {
            '@' => word(|letter| letter.is_ascii_alphanumeric() || "_.-".contains(letter)),
            _ => word(|letter| letter.is_ascii_digit()),
        };
        match (sign, deed.is_empty()) {
            (_, true) => {}
            ('@', _) => deeds.push(Deed::Mention(deed)),
            _ => deeds.push(Deed::Reference(format!("{sign}{deed}"))),
        }
    }
    deeds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<String> {
        let word = |deed| match deed {
            Deed::Mention(name) => format!("@{name}"),
            Deed::Reference(text) => text,
            Deed::Command { name, .. } => name,
        };
        in_text(text).into_iter().map(word).collect()
    }

    #[test]
    fn people_and_issues_are_found_outside_of_code() {
        assert_eq!(
            seen("@all see #1, !2 and **@ann**\n\n| a |\n|---|\n| @bob |"),
            ["@all", "#1", "!2", "@ann", "@bob"]
        );
        assert_eq!(seen("`@all` \\@all a@b.example @\u{200b}all x#1\n\n```\n@all\n```\n"), [""; 0]);
    }

    #[test]
    fn html_is_what_a_renderer_takes_for_it() {
        assert_eq!(html_in("a <img src=x> b\n\n<!-- mark -->\n"), ["<img src=x>", "<!-- mark -->"]);
        assert_eq!(html_in("`<img>` \\<img> &lt;img>\n\n```\n<img>\n```\n"), [""; 0]);
    }
}
