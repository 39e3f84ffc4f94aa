//! `template render`: what a text becomes with an operator's template files, before it goes to work.

use std::path::Path;

use watchbell_template::{Data, Engine, Now};

use super::{ToolError, data, sample};
use crate::cli::TemplateRendering;
use crate::config::{self, TemplateFile};
use crate::{clock, receivers};

/// The rendered text.
pub(super) fn render(rendering: &TemplateRendering) -> Result<String, ToolError> {
    let now = receivers::template_clock(clock::now());
    let templates = config::parse_templates(&files(&rendering.globs)?)?;
    let data = match &rendering.data {
        Some(path) => read_data(path, &now)?,
        None => sample::data(&now),
    };
    let engine = if rendering.html { Engine::Html } else { Engine::Text };
    Ok(templates.compile(engine, &rendering.text)?.render(&data, now)?)
}

fn files(globs: &[String]) -> Result<Vec<TemplateFile>, ToolError> {
    let mut files = Vec::new();
    for glob in globs {
        let matching = TemplateFile::matching(glob, Path::new(""))
            .and_then(|matching| matching.into_iter().collect::<Result<Vec<_>, _>>());
        files.extend(matching.map_err(ToolError::Files)?);
    }
    Ok(files)
}

fn read_data(path: &Path, now: &Now) -> Result<Data, ToolError> {
    let bytes = std::fs::read(path).map_err(|error| ToolError::Open { path: path.display().to_string(), error })?;
    Ok(data::read(&bytes, &now.local)?)
}
