//! The commands that work without a server, in the manner of amtool's.

mod data;
mod sample;
mod template;

use std::process::ExitCode;

use crate::cli::Tool;
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
}

/// Uses a tool: prints what it finds, or on standard error why it cannot.
pub fn run(tool: &Tool) -> ExitCode {
    let outcome = match tool {
        Tool::RenderTemplate(rendering) => template::render(rendering).map(|text| print!("{text}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: error: {error}", version::PROGRAM);
            ExitCode::FAILURE
        }
    }
}
