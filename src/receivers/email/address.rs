//! Mail addresses as an operator writes them: one or several, with or without display names.

use lettre::message::{Mailbox, Mailboxes};

/// The one address of the sender.
pub(super) fn sender(text: &str) -> Result<Mailbox, String> {
    let all = several("from", text)?;
    match all.iter().count() {
        1 => all.into_single().ok_or_else(|| "no 'from' address".to_owned()),
        count => Err(format!("must be exactly one 'from' address (got: {count})")),
    }
}

/// At least one address, separated by commas.
pub(super) fn several(key: &str, text: &str) -> Result<Mailboxes, String> {
    let text = text.trim().trim_end_matches(',');
    if text.is_empty() {
        return Err(format!("the '{key}' address is empty after templating"));
    }
    text.parse().map_err(|error| format!("parse '{key}' addresses {text:?}: {error}"))
}
