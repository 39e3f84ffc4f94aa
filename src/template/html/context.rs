//! Where in an HTML page a piece of output lands: what a browser's parsers would make of the next byte.

use std::fmt;

/// The state of the HTML parser and of the language embedded at this point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Context {
    pub(super) state: State,
    /// How the attribute value ends that we are in.
    pub(super) quote: Quote,
    pub(super) url: UrlPart,
    pub(super) slash: Slash,
    /// For each `${` of a JavaScript template literal that is open: how many braces are open within it.
    pub(super) braces: Vec<u32>,
    /// What the attribute holds whose name or value we are in.
    pub(super) attribute: Attribute,
    /// The element whose tag or raw content we are in.
    pub(super) element: Element,
}

/// What the parser is reading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum State {
    #[default]
    Text,
    /// Inside a tag, before an attribute or the tag's end.
    Tag,
    AttributeName,
    AfterName,
    /// After the `=` of an attribute.
    BeforeValue,
    Comment,
    /// The content of `title` or `textarea`: character references but no tags.
    Rcdata,
    /// The value of an attribute that holds no language of its own.
    Attribute,
    Url,
    Srcset,
    /// `<meta content="…">`, and the same after `url=`.
    MetaContent,
    MetaUrl,
    Js(Js),
    Css(Css),
    /// After `break` or `continue`: nothing is written here.
    Dead,
}

/// What the JavaScript lexer is reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Js {
    Code,
    DoubleQuoted,
    SingleQuoted,
    Template,
    Regexp,
    BlockComment,
    LineComment,
    /// `<!--` and `-->` begin line comments in scripts.
    OpenComment,
    CloseComment,
}

/// What the CSS lexer is reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Css {
    Code,
    DoubleQuoted,
    SingleQuoted,
    DoubleQuotedUrl,
    SingleQuotedUrl,
    Url,
    BlockComment,
    LineComment,
}

/// How an attribute value ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Quote {
    /// Not in an attribute value.
    #[default]
    None,
    Double,
    Single,
    /// Unquoted: at white space or the tag's end.
    Space,
}

/// The part of a URL reached so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum UrlPart {
    /// Nothing yet: what comes next may be a scheme.
    #[default]
    Start,
    /// Scheme, authority or path.
    PreQuery,
    QueryOrFragment,
    /// The branches before disagree.
    Unknown,
}

/// What a `/` in JavaScript code would begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Slash {
    #[default]
    Regexp,
    Division,
    /// The branches before disagree.
    Unknown,
}

/// What the value of an attribute is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Attribute {
    #[default]
    Plain,
    Script,
    /// `type` of a `script`, which decides how its content is read.
    ScriptType,
    Style,
    Url,
    Srcset,
    MetaContent,
}

/// The elements whose tag or content is read in a way of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Element {
    #[default]
    Other,
    Script,
    Style,
    Textarea,
    Title,
    Meta,
}

impl Context {
    /// Inside a tag of `element`, between attributes.
    pub(super) fn tag(element: Element) -> Self {
        Self { state: State::Tag, element, ..Self::default() }
    }

    /// After the `>` of the start tag of `element`.
    pub(super) fn content(element: Element) -> Self {
        let state = match element {
            Element::Other | Element::Meta => return Self::default(),
            Element::Script => State::Js(Js::Code),
            Element::Style => State::Css(Css::Code),
            Element::Textarea | Element::Title => State::Rcdata,
        };
        Self { state, element, ..Self::default() }
    }

    /// At the first byte of the value of the attribute that was named last.
    pub(super) fn value(&self, quote: Quote) -> Self {
        let state = match self.attribute {
            Attribute::Plain | Attribute::ScriptType => State::Attribute,
            Attribute::Script => State::Js(Js::Code),
            Attribute::Style => State::Css(Css::Code),
            Attribute::Url => State::Url,
            Attribute::Srcset => State::Srcset,
            Attribute::MetaContent => State::MetaContent,
        };
        Self { state, quote, attribute: self.attribute, element: self.element, ..Self::default() }
    }

    /// The context after `break` or `continue`.
    pub(super) fn dead() -> Self {
        Self { state: State::Dead, ..Self::default() }
    }

    /// Where output lands if it is written here: after `name=` it begins an unquoted value, between attributes a name.
    pub(super) fn nudged(&self) -> Self {
        match self.state {
            State::Tag => Self { state: State::AttributeName, ..self.clone() },
            State::BeforeValue => Self { attribute: Attribute::Plain, ..self.value(Quote::Space) },
            State::AfterName => Self { state: State::AttributeName, attribute: Attribute::Plain, ..self.clone() },
            _ => self.clone(),
        }
    }

    /// The one context that stands for both ends of a branch, if there is one.
    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self.state == State::Dead || self == other {
            return Some(other.clone());
        }
        if other.state == State::Dead {
            return Some(self.clone());
        }
        let undecided_url = Self { url: UrlPart::Unknown, ..self.clone() };
        if undecided_url == (Self { url: UrlPart::Unknown, ..other.clone() }) {
            return Some(undecided_url);
        }
        let undecided_slash = Self { slash: Slash::Unknown, ..self.clone() };
        if undecided_slash == (Self { slash: Slash::Unknown, ..other.clone() }) {
            return Some(undecided_slash);
        }
        let (left, right) = (self.nudged(), other.nudged());
        if (&left, &right) == (self, other) { None } else { left.join(&right) }
    }

    /// Whether we are in a comment, of HTML or of an embedded language.
    pub(super) fn is_comment(&self) -> bool {
        match self.state {
            State::Comment => true,
            State::Js(js) => matches!(js, Js::BlockComment | Js::LineComment | Js::OpenComment | Js::CloseComment),
            State::Css(css) => matches!(css, Css::BlockComment | Css::LineComment),
            _ => false,
        }
    }

    /// Whether we are in a literal of a script, where `</script` would end the element but must not.
    pub(super) fn is_script_literal(&self) -> bool {
        matches!(self.state, State::Js(Js::DoubleQuoted | Js::SingleQuoted | Js::Template | Js::Regexp))
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::Text => "text",
            State::Tag => "a tag",
            State::AttributeName | State::AfterName => "an attribute's name",
            State::BeforeValue => "an attribute before its value",
            State::Comment => "an HTML comment",
            State::Rcdata => "the text of a title or textarea",
            State::Attribute | State::MetaContent => "an attribute's value",
            State::Url | State::MetaUrl => "a URL",
            State::Srcset => "a srcset",
            State::Js(js) => js.name(),
            State::Css(css) => css.name(),
            State::Dead => "the end of a loop",
        })?;
        match self.quote {
            Quote::None => Ok(()),
            Quote::Double => f.write_str(" in double quotes"),
            Quote::Single => f.write_str(" in single quotes"),
            Quote::Space => f.write_str(" without quotes"),
        }
    }
}

impl Js {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "a script",
            Self::DoubleQuoted | Self::SingleQuoted => "a string of a script",
            Self::Template => "a template literal of a script",
            Self::Regexp => "a regular expression of a script",
            Self::BlockComment | Self::LineComment | Self::OpenComment | Self::CloseComment => "a comment of a script",
        }
    }
}

impl Css {
    fn name(self) -> &'static str {
        match self {
            Self::Code => "a style",
            Self::DoubleQuoted | Self::SingleQuoted => "a string of a style",
            Self::DoubleQuotedUrl | Self::SingleQuotedUrl | Self::Url => "a URL of a style",
            Self::BlockComment | Self::LineComment => "a comment of a style",
        }
    }
}
