//! What names mean: which elements and attributes hold which language, and which `type`s of a script are scripts.

use super::context::{Attribute, Element};

/// Attributes whose value is a URL.
const URLS: [&str; 17] = [
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "poster",
    "profile",
    "src",
    "usemap",
    "xmlns",
];

/// Attributes that change how the page is read or sent, which a template may spell out but a value may not name.
const UNSAFE: [&str; 23] = [
    "accept-charset",
    "async",
    "challenge",
    "charset",
    "content",
    "crossorigin",
    "defer",
    "enctype",
    "form",
    "formenctype",
    "formmethod",
    "formnovalidate",
    "http-equiv",
    "keytype",
    "language",
    "method",
    "novalidate",
    "pattern",
    "rel",
    "sandbox",
    "srcdoc",
    "type",
    "value",
];

/// The MIME types of JavaScript, and of JSON, which is written with the same rules.
const SCRIPT_TYPES: [&str; 12] = [
    "application/ecmascript",
    "application/javascript",
    "application/json",
    "application/ld+json",
    "application/x-ecmascript",
    "application/x-javascript",
    "module",
    "text/ecmascript",
    "text/javascript",
    "text/jscript",
    "text/livescript",
    "text/x-ecmascript",
];

/// The element of a tag's name, which may be in any case.
pub(super) fn element(name: &str) -> Element {
    match name.to_ascii_lowercase().as_str() {
        "script" => Element::Script,
        "style" => Element::Style,
        "textarea" => Element::Textarea,
        "title" => Element::Title,
        "meta" => Element::Meta,
        _ => Element::Other,
    }
}

/// What the attribute `name` of `element` holds.
pub(super) fn attribute(name: &str, element: Element) -> Attribute {
    let name = name.to_ascii_lowercase();
    match (element, name.as_str()) {
        (Element::Script, "type") => Attribute::ScriptType,
        (Element::Meta, "content") => Attribute::MetaContent,
        _ => by_name(&name),
    }
}

/// Whether a value may be the name of an attribute: only of one that holds plain text and has no say over the page.
pub(super) fn may_be_named_by_value(name: &str) -> bool {
    by_name(name) == Attribute::Plain && !UNSAFE.contains(&name)
}

/// Whether the content of a `script` with this `type` is JavaScript or JSON.
pub(super) fn is_script_type(value: &str) -> bool {
    let value = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let numbered =
        value.strip_prefix("text/javascript1.").is_some_and(|n| matches!(n, "0" | "1" | "2" | "3" | "4" | "5"));
    value.is_empty() || numbered || value == "text/x-javascript" || SCRIPT_TYPES.contains(&value.as_str())
}

/// A `data-` or a namespace in front of a name does not change what it holds; other names that speak of a source, a
/// URI or a URL are taken to hold one.
fn by_name(name: &str) -> Attribute {
    let bare = match (name.strip_prefix("data-"), name.split_once(':')) {
        (Some(bare), _) => bare,
        (None, Some(("xmlns", _))) => return Attribute::Url,
        (None, Some((_, bare))) => bare,
        (None, None) => name,
    };
    match bare {
        "style" => Attribute::Style,
        "srcset" => Attribute::Srcset,
        _ if URLS.contains(&bare) => Attribute::Url,
        "srclang" => Attribute::Plain,
        _ if UNSAFE.contains(&bare) => Attribute::Plain,
        _ if bare.starts_with("on") => Attribute::Script,
        _ if ["src", "uri", "url"].iter().any(|part| bare.contains(part)) => Attribute::Url,
        _ => Attribute::Plain,
    }
}
