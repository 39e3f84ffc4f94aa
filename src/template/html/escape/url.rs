//! URLs: which schemes are harmless, and how characters are written in each part.

use std::fmt::Write;

use super::{FAILSAFE, Trust};

/// The schemes that cannot run a script.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The start of a URL, unless its scheme could run a script.
pub(super) fn filter(text: &str, trust: Trust) -> String {
    if trust == Trust::Url || is_safe(text) { text.into() } else { format!("#{FAILSAFE}") }
}

/// A URL or a part of one: what has a meaning in URLs stays.
pub(super) fn normalize(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, byte) in text.bytes().enumerate() {
        let stays = match byte {
            b'%' => text.as_bytes().get(at + 1..at + 3).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)),
            _ => b"!#$&*+,/:;=?@[]".contains(&byte),
        };
        push(&mut escaped, byte, stays);
    }
    escaped
}

/// A value within a query or fragment: nothing of it has a meaning there.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        push(&mut escaped, byte, false);
    }
    escaped
}

/// What the function `urlquery` writes.
pub(super) fn query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            _ if is_unreserved(byte) => escaped.push(char::from(byte)),
            _ => write!(escaped, "%{byte:02X}").expect("a string takes whatever is written to it"),
        }
    }
    escaped
}

/// One or more images of a `srcset`: `url [size]`, separated by commas.
pub(super) fn srcset(text: &str, trust: Trust) -> String {
    if trust == Trust::Url {
        return normalize(text).replace(',', "%2c");
    }
    let images: Vec<String> = text.split(',').map(image).collect();
    images.join(",")
}

fn image(text: &str) -> String {
    let start = text.len() - text.trim_start_matches(is_space).len();
    let end = text[start..].find(is_space).map_or(text.len(), |length| start + length);
    let (url, size) = (&text[start..end], &text[end..]);
    if is_safe(url) && size.chars().all(|c| is_space(c) || c.is_ascii_alphanumeric()) {
        format!("{}{}{size}", &text[..start], normalize(url))
    } else {
        format!("#{FAILSAFE}")
    }
}

/// Whether a URL names no scheme or one of the harmless ones.
fn is_safe(url: &str) -> bool {
    match url.split_once(':') {
        Some((scheme, _)) if !scheme.contains('/') => SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)),
        _ => true,
    }
}

fn push(escaped: &mut String, byte: u8, stays: bool) {
    if stays || is_unreserved(byte) {
        escaped.push(char::from(byte));
    } else {
        write!(escaped, "%{byte:02x}").expect("a string takes whatever is written to it");
    }
}

/// RFC 3986, 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}
