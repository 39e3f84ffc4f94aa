//! The commands, in the manner of amtool's: those that work without a server, and the one that asks whether it is well.

mod config;
mod data;
mod health;
mod sample;
mod template;

use std::io::Write;
use std::process::ExitCode;

use crate::cli::Tool;
use crate::config::ConfigError;
use crate::receivers::ReceiverError;
use crate::version;

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// A pattern of template files, or one of the files.
    #[error("{0}")]
    Files(String),
    /// A text that is no template, or one that does not fit the data.
    #[error(transparent)]
    Template(#[from] watchbell_template::TemplateError),
    /// A data file that cannot be read.
    #[error("open {path}: {error}")]
    Open {
        /// The file.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A data file that says something else.
    #[error(transparent)]
    Data(#[from] data::DataError),
    /// A configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A receiver of a configuration.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
    /// A server that does not say that it is well.
    #[error("{url}: {why}")]
    Unhealthy {
        /// What was asked.
        url: String,
        /// What came of it.
        why: String,
    },
    /// Standard output is gone.
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    /// So many configuration files that cannot be followed.
    #[error("failed to validate {0} file(s)")]
    Invalid(usize),
}

/// Uses a tool: prints what it finds, or on standard error why it cannot.
pub fn run(tool: &Tool) -> ExitCode {
    let outcome = match tool {
        Tool::RenderTemplate(rendering) => template::render(rendering).and_then(|text| print(&text)),
        Tool::CheckConfig(files) => config::check(files),
        Tool::Health(url) => health::ask(url),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: error: {error}", version::PROGRAM);
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<(), ToolError> {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(ToolError::Output)
}
