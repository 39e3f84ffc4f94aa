//! The server's command line: Alertmanager's flags, name by name, read into plain [`Options`]. It knows nothing of
//! what the options do.

mod arguments;
mod features;
mod flags;
mod options;
#[cfg(test)]
mod tests;

use crate::version;

pub use features::Features;
pub use options::{Cluster, LogFormat, LogLevel, Options};

/// The configuration file that is read if none is named.
pub const DEFAULT_CONFIG_FILE: &str = "alertmanager.yml";

/// What a command line asks for.
#[derive(Debug)]
pub enum Command {
    /// To serve.
    Serve(Box<Options>),
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
    let given = arguments::read(arguments)?;
    let asked = |name| given.get(name).is_some_and(|values| values[0] == "true");
    if asked("help") {
        return Ok(Command::Print(help()));
    }
    if asked("version") {
        return Ok(Command::Print(version_text()));
    }
    options::from_flags(&given).map(|options| Command::Serve(Box::new(options)))
}

fn help() -> String {
    let program = version::PROGRAM;
    let mut text = format!(
        "usage: {program} [<flags>]\n\nAn Alertmanager-compatible alert router.\n\n\
         Flags (one without a value is turned off by --no-<flag>):\n"
    );
    for flag in flags::FLAGS {
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
