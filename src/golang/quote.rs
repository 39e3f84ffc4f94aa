//! Quoted strings as Go's `strconv` writes and reads them.

/// Quotes `text` as Go's `strconv.Quote` does.
pub fn quote(text: &str) -> String {
    format!("{text:?}")
}
