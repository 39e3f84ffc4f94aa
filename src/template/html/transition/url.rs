//! URLs in a template's own text: how far into a URL it has come.

use crate::html::context::{Context, State, UrlPart};
use crate::html::transition::SPACE;

/// Reads all of `text` as a part of a URL.
pub(super) fn url(context: &mut Context, text: &str) -> usize {
    if text.contains(['#', '?']) {
        context.url = UrlPart::QueryOrFragment;
    } else if context.url == UrlPart::Start && !text.trim_start_matches(SPACE).is_empty() {
        context.url = UrlPart::PreQuery;
    }
    text.len()
}

/// Reads the content of a `meta`: a URL follows `url=`.
pub(super) fn meta_content(context: &mut Context, text: &str) -> usize {
    let lower = text.to_ascii_lowercase();
    for (at, word) in lower.match_indices("url") {
        let rest = lower[at + word.len()..].trim_start_matches(SPACE);
        if rest.starts_with('=') {
            context.state = State::MetaUrl;
            return lower.len() - rest.len() + 1;
        }
    }
    text.len()
}
