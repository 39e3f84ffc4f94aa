//! The tools' command lines: amtool's commands, with amtool's flags; and `health`, which is ours.

use std::path::PathBuf;

use watchbell_golang::quote::quote;

use super::flags::{Flag, Kind};
use super::{Command, UsageError, arguments, asked, help};

/// The first arguments that ask for a tool and not for the server.
pub(super) const NAMES: [&str; 3] = ["template", "check-config", "health"];

/// A tool, and what it is to work on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `template render`.
    RenderTemplate(TemplateRendering),
    /// `check-config`: of these files; of standard input if there are none.
    CheckConfig(Vec<PathBuf>),
    /// `health`: of the server that answers at this URL.
    Health(String),
}

/// A text to be rendered on top of template files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRendering {
    /// Patterns of file names.
    pub globs: Vec<String>,
    /// The template.
    pub text: String,
    /// Whether it is rendered with Go's `html/template`, and not with `text/template`.
    pub html: bool,
    /// The file with the data, as JSON; if there is none, sample data are used.
    pub data: Option<PathBuf>,
}

/// The flag that every tool has, first.
const HELP: Flag =
    Flag { name: "help", kind: Kind::Switch, default: "false", help: "Show this help (also -h and --help-long)." };

/// The flags of `template render`.
const RENDER_FLAGS: &[Flag] = &[
    HELP,
    Flag {
        name: "template.glob",
        kind: Kind::Repeated("GLOB"),
        default: "",
        help: "Template files to load on top of the built-in ones. Required, repeatable.",
    },
    Flag { name: "template.text", kind: Kind::Value("TEXT"), default: "", help: "The text to render. Required." },
    Flag {
        name: "template.type",
        kind: Kind::Value("TYPE"),
        default: "text",
        help: "How it is rendered: text, or html, which escapes what is inserted.",
    },
    Flag {
        name: "template.data",
        kind: Kind::Value("FILE"),
        default: "",
        help: "The data to render it with, as JSON: what a webhook is sent will do. Sample data if not given.",
    },
];

/// The flags of `health`.
const HEALTH_FLAGS: &[Flag] = &[
    HELP,
    Flag {
        name: "url",
        kind: Kind::Value("URL"),
        default: "http://127.0.0.1:9093/-/healthy",
        help: "What to ask. With --web.route-prefix, or on another port, it is another one; /-/ready asks for more.",
    },
];

/// Reads the arguments that follow the tool's name.
pub(super) fn parse(name: &str, arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    match name {
        "check-config" => check_config(arguments),
        "health" => health(arguments),
        _ => template(arguments),
    }
}

fn health(arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    let mut given = arguments::read(HEALTH_FLAGS, arguments)?;
    if asked(&given, "help") {
        let purpose = "Asks a server whether it is well; ends with status 0 if it says so, and with 1 if not.";
        return Ok(Command::Print(help(" health", purpose, HEALTH_FLAGS)));
    }
    let url = given.remove("url").and_then(|mut values| values.pop());
    Ok(Command::Use(Tool::Health(url.unwrap_or_else(|| HEALTH_FLAGS[1].default.to_owned()))))
}

fn check_config(arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    let (flags, files): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.starts_with('-'));
    if asked(&arguments::read(&[HELP], flags)?, "help") {
        return Ok(Command::Print(help(
            " check-config [FILE ...]",
            "Checks configuration files and their templates.",
            &[HELP],
        )));
    }
    Ok(Command::Use(Tool::CheckConfig(files.into_iter().map(PathBuf::from).collect())))
}

fn template(mut arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    match arguments.next().as_deref() {
        Some("render") => template_render(arguments),
        Some("--help" | "--help-long" | "-h") => Ok(Command::Print(render_help())),
        Some(other) => Err(UsageError(format!("expected command but got {}", quote(other)))),
        None => Err(UsageError("must select a subcommand of 'template'".to_owned())),
    }
}

fn template_render(arguments: impl Iterator<Item = String>) -> Result<Command, UsageError> {
    let mut given = arguments::read(RENDER_FLAGS, arguments)?;
    if asked(&given, "help") {
        return Ok(Command::Print(render_help()));
    }
    let mut values = |name| given.remove(name).unwrap_or_default();
    let missing = |name| UsageError(format!("required flag --{name} not provided"));
    let globs = Some(values("template.glob")).filter(|globs| !globs.is_empty());
    let rendering = TemplateRendering {
        globs: globs.ok_or_else(|| missing("template.glob"))?,
        text: values("template.text").pop().ok_or_else(|| missing("template.text"))?,
        html: is_html(values("template.type").pop().as_deref())?,
        data: values("template.data").pop().map(PathBuf::from),
    };
    Ok(Command::Use(Tool::RenderTemplate(rendering)))
}

fn render_help() -> String {
    help(" template render", "Renders a text with template files, and prints it.", RENDER_FLAGS)
}

fn is_html(kind: Option<&str>) -> Result<bool, UsageError> {
    match kind {
        None | Some("text") => Ok(false),
        Some("html") => Ok(true),
        Some(other) => Err(UsageError(format!("enum value must be one of html,text, got '{other}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn reading(arguments: &[&str]) -> Result<TemplateRendering, String> {
        let all = ["template", "render"].iter().chain(arguments).map(ToString::to_string);
        match parse(all).map_err(|error| error.to_string())? {
            Command::Use(Tool::RenderTemplate(rendering)) => Ok(rendering),
            other => panic!("does not render: {other:?}"),
        }
    }

    #[test]
    fn a_rendering_has_its_flags() {
        let flags = ["--template.glob=a", "--template.glob", "b", "--template.text=x"];
        let plain =
            TemplateRendering { globs: vec!["a".into(), "b".into()], text: "x".into(), html: false, data: None };
        assert_eq!(reading(&flags), Ok(plain.clone()));
        let html = [&flags[..], &["--template.type=html", "--template.data=d.json"]].concat();
        assert_eq!(reading(&html), Ok(TemplateRendering { html: true, data: Some("d.json".into()), ..plain }));
    }

    #[test]
    fn a_mistake_is_named() {
        let error = |arguments| reading(arguments).unwrap_err();
        assert_eq!(error(&["--template.text=x"]), "required flag --template.glob not provided");
        assert_eq!(error(&["--template.glob=x"]), "required flag --template.text not provided");
        assert_eq!(error(&["--config.file=x"]), "unknown long flag '--config.file'");
        let both = ["--template.glob=x", "--template.text=x"];
        let kind = [&both[..], &["--template.type=pdf"]].concat();
        assert_eq!(error(&kind), "enum value must be one of html,text, got 'pdf'");
        let error = |arguments: &[&str]| parse(arguments.iter().map(ToString::to_string)).unwrap_err().to_string();
        assert_eq!(error(&["template"]), "must select a subcommand of 'template'");
        assert_eq!(error(&["template", "draw"]), "expected command but got \"draw\"");
        assert_eq!(error(&["check-config", "a.yml", "--nope"]), "unknown long flag '--nope'");
    }
}
