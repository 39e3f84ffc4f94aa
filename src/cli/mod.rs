//! The command line: Alertmanager's flags, name by name, read into plain [`Options`]; or, if it begins with the name
//! of a tool, amtool's. It knows nothing of what they do.

mod arguments;
mod features;
mod flags;
mod options;
#[cfg(test)]
mod tests;
mod tool;

use crate::version;

pub use features::Features;
pub use options::{Cluster, LogFormat, LogLevel, Options};
pub use tool::{TemplateRendering, Tool};

/// The configuration file that is read if none is named.
pub const DEFAULT_CONFIG_FILE: &str = "alertmanager.yml";

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// To serve.
    Serve(Box<Options>),
    /// To use a tool.
    Use(Tool),
    /// To print this on standard output and to end with success.
    Print(String),
}

/// A command line that cannot be followed, in words for who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub(crate) String);

impl UsageError {
    /// The line for standard error; the program ends with status 1 after it.
    pub fn report(&self) -> String {
        format!("{}: error: {self}, try --help", version::PROGRAM)
    }
}

/// Reads the arguments that follow the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().peekable();
    if let Some(name) = arguments.next_if(|argument| tool::NAMES.contains(&argument.as_str())) {
        return tool::parse(&name, arguments);
    }
    let given = arguments::read(flags::FLAGS, arguments)?;
    if asked(&given, "help") {
        return Ok(Command::Print(help("", "An Alertmanager-compatible alert router.", flags::FLAGS)));
    }
    if asked(&given, "version") {
        return Ok(Command::Print(version_text()));
    }
    options::from_flags(&given).map(|options| Command::Serve(Box::new(options)))
}

/// Whether the switch `name` was given.
fn asked(given: &arguments::Given, name: &str) -> bool {
    given.get(name).is_some_and(|values| values[0] == "true")
}

/// The explanation of `command`, which is empty for the server.
fn help(command: &str, purpose: &str, flags: &[flags::Flag]) -> String {
    let program = version::PROGRAM;
    let mut text = format!(
        "usage: {program}{command} [<flags>]\n\n{purpose}\n\n\
         Flags (one without a value is turned off by --no-<flag>):\n"
    );
    for flag in flags {
        let (head, default) = match flag.kind {
            flags::Kind::Switch => (format!("--{}", flag.name), String::new()),
            flags::Kind::Value(what) => (format!("--{}={what}", flag.name), format!(" Default: {:?}.", flag.default)),
            flags::Kind::Repeated(what) => {
                (format!("--{}={what} ...", flag.name), format!(" Default: {:?}.", flag.default))
            }
        };
        text.push_str(&format!("  {head}\n      {}{default}\n", flag.help));
    }
    text
}

fn version_text() -> String {
    format!(
        "{}, version {} (branch: {}, revision: {})\n  build user:       {}\n  build date:       {}\n  \
         go version:       {}\n  platform:         {}/{}\n  tags:             {}\n  alertmanager:     {}\n",
        version::PROGRAM,
        version::VERSION,
        version::BRANCH,
        version::REVISION,
        version::BUILD_USER,
        version::BUILD_DATE,
        version::TOOLCHAIN,
        version::GOOS,
        version::goarch(),
        "unknown",
        version::ALERTMANAGER_VERSION,
    )
}
