//! The escapers: each makes a value harmless at one kind of place.

pub(super) mod css;
mod html;
mod js;
mod url;

use std::borrow::Cow;
use std::fmt;

use super::names;

/// What stands for a value that is not allowed at its place. It is Go's, so that it can be searched for.
const FAILSAFE: &str = "ZgotmplZ";

/// A way to make a value safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escaper {
    /// Between tags.
    Html,
    /// In a title or textarea.
    Rcdata,
    /// In a quoted attribute value.
    Attribute,
    /// In an attribute value without quotes.
    Unquoted,
    /// As the name of an attribute.
    AttributeName,
    /// Where a URL begins: refuses schemes that can run scripts.
    UrlFilter,
    /// In a URL before its query: keeps what has a meaning there.
    UrlNormalizer,
    /// In the query or fragment of a URL.
    Url,
    Srcset,
    /// In a CSS string.
    CssString,
    /// As a word or number of CSS.
    CssValue,
    /// As a value in JavaScript code. Applied to [`Content::json`].
    JsValue,
    JsString,
    JsTemplate,
    JsRegexp,
    /// In a comment, which is not written.
    Drop,
    /// The template's own `html` at the end of a pipeline, which does the work of ours.
    PredefinedHtml,
    /// Likewise `urlquery`.
    PredefinedUrlquery,
}

/// A value as text, and what its author vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content<'v> {
    pub(crate) text: Cow<'v, str>,
    pub(crate) trust: Trust,
}

/// What a value is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Any text.
    None,
    /// HTML, by `safeHtml`.
    Html,
    /// A URL, by `safeUrl`.
    Url,
}

impl Escaper {
    /// Whether the predefined function `name` does the same work, so that it takes this escaper's place.
    pub(crate) fn predefined(self, name: &str) -> Option<Self> {
        match (name, self) {
            ("html", Self::Html | Self::Rcdata | Self::Attribute) => Some(Self::PredefinedHtml),
            ("urlquery", Self::Url | Self::UrlNormalizer) => Some(Self::PredefinedUrlquery),
            _ => None,
        }
    }

    /// The escaped text. What a value is trusted for ends here: the next escaper sees text like any other.
    pub(crate) fn escape(self, content: &Content<'_>) -> String {
        let Content { text, trust } = content;
        match self {
            Self::Html => html::element(text, *trust),
            Self::Rcdata => html::rcdata(text, *trust),
            Self::Attribute => html::attribute(text, *trust),
            Self::Unquoted => html::unquoted(text, *trust),
            Self::AttributeName => attribute_name(text),
            Self::UrlFilter => url::filter(text, *trust),
            Self::UrlNormalizer => url::normalize(text),
            Self::Url if *trust == Trust::Url => url::normalize(text),
            Self::Url => url::escape(text),
            Self::Srcset => url::srcset(text, *trust),
            Self::CssString => css::string(text),
            Self::CssValue => css::value(text),
            Self::JsValue => js::value(text),
            Self::JsString => js::string(text),
            Self::JsTemplate => js::template(text),
            Self::JsRegexp => js::regexp(text),
            Self::Drop => String::new(),
            Self::PredefinedHtml => html::predefined(text),
            Self::PredefinedUrlquery => url::query(text),
        }
    }
}

impl fmt::Display for Escaper {
    /// As Go names its own, which only an error message can show.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_ascii_lowercase())
    }
}

/// `text` with some characters replaced.
fn replace(text: &str, replacement: impl Fn(char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match replacement(c) {
            Some(replaced) => escaped.push_str(replaced),
            None => escaped.push(c),
        }
    }
    escaped
}

/// The name of an attribute, if it is one that a value may choose.
fn attribute_name(text: &str) -> String {
    let name = text.to_lowercase();
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_word && names::may_be_named_by_value(&name) { name } else { FAILSAFE.into() }
}
