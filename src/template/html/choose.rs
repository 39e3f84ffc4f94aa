//! Which escapers make a value safe at its place.

use super::context::{Context, Css, Js, Quote, Slash, State, UrlPart};
use super::escape::Escaper;

/// The escapers for a value that is written at `context`, in order, after which `context` is what follows the value.
/// `None` if the value is part of a URL and the branches before disagree on which.
pub(super) fn escapers(context: &mut Context) -> Option<Vec<Escaper>> {
    *context = context.nudged();
    let mut escapers = by_state(context)?;
    match context.quote {
        Quote::None => {}
        Quote::Double | Quote::Single => escapers.push(Escaper::Attribute),
        Quote::Space => escapers.push(Escaper::Unquoted),
    }
    if context.state == State::Js(Js::Code) {
        context.slash = Slash::Division;
    }
    Some(escapers)
}

fn by_state(context: &Context) -> Option<Vec<Escaper>> {
    Some(match context.state {
        _ if context.is_comment() => vec![Escaper::Drop],
        State::Text | State::Dead => vec![Escaper::Html],
        State::Rcdata => vec![Escaper::Rcdata],
        State::Tag | State::AttributeName | State::AfterName | State::BeforeValue => vec![Escaper::AttributeName],
        State::Attribute | State::MetaContent | State::Comment => vec![],
        State::MetaUrl => vec![Escaper::UrlFilter],
        State::Url => return url(context.url, Escaper::UrlNormalizer),
        State::Srcset => vec![Escaper::Srcset],
        State::Js(js) => vec![by_js(js)],
        State::Css(css) => return by_css(css, context.url),
    })
}

fn by_js(js: Js) -> Escaper {
    match js {
        Js::Code => Escaper::JsValue,
        Js::DoubleQuoted | Js::SingleQuoted => Escaper::JsString,
        Js::Template => Escaper::JsTemplate,
        Js::Regexp => Escaper::JsRegexp,
        Js::BlockComment | Js::LineComment | Js::OpenComment | Js::CloseComment => Escaper::Drop,
    }
}

fn by_css(css: Css, part: UrlPart) -> Option<Vec<Escaper>> {
    match css {
        Css::Code => Some(vec![Escaper::CssValue]),
        Css::DoubleQuoted | Css::SingleQuoted => url(part, Escaper::CssString),
        Css::DoubleQuotedUrl | Css::SingleQuotedUrl | Css::Url => url(part, Escaper::UrlNormalizer),
        Css::BlockComment | Css::LineComment => Some(vec![Escaper::Drop]),
    }
}

/// The escapers for a part of a URL, of which `plain` writes what is neither scheme nor query.
fn url(part: UrlPart, plain: Escaper) -> Option<Vec<Escaper>> {
    match part {
        UrlPart::Start => Some(vec![Escaper::UrlFilter, plain]),
        UrlPart::PreQuery => Some(vec![plain]),
        UrlPart::QueryOrFragment => Some(vec![Escaper::Url]),
        UrlPart::Unknown => None,
    }
}
