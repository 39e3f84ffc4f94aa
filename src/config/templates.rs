//! Template files: which files the patterns name, in which order, what they say, and the templates that they make.

use std::path::{Path, PathBuf};

use watchbell_template::{TemplateError, Templates};

use super::check::Check;
use super::yaml::At;

/// A template file is refused beyond this size in bytes; the texts are kept in memory.
const MAX_TEMPLATE_BYTES: u64 = 16 << 20;

/// A template file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFile {
    /// Where it was found.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl TemplateFile {
    /// Reads the files that `pattern` names, sorted; it may name none. A relative pattern starts from `directory`.
    ///
    /// # Errors
    /// Says what is wrong with the pattern, or, for each file, why it cannot be read.
    pub fn matching(pattern: &str, directory: &Path) -> Result<Vec<Result<Self, String>>, String> {
        Ok(matching_paths(pattern, directory)?.into_iter().map(Self::read).collect())
    }

    fn read(path: PathBuf) -> Result<Self, String> {
        match read_text(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => Err(format!("cannot read template {}: {error}", path.display())),
        }
    }
}

/// Parses `files` in their order, each under its base name.
///
/// # Errors
/// The first text that is not a template, with its place.
pub fn parse_templates(files: &[TemplateFile]) -> Result<Templates, TemplateError> {
    let name = |path: &Path| path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let named: Vec<_> = files.iter().map(|file| (name(&file.path), file.text.clone())).collect();
    Templates::parse(&named)
}

/// Reads the files that each pattern names, sorted within a pattern; a pattern may name none. Relative patterns start
/// from `directory`.
pub(super) fn read(patterns: &[At<String>], directory: &Path, check: &mut Check<'_>) -> Vec<TemplateFile> {
    patterns.iter().flat_map(|pattern| read_pattern(pattern, directory, check)).collect()
}

fn read_pattern(pattern: &At<String>, directory: &Path, check: &mut Check<'_>) -> Vec<TemplateFile> {
    let files = TemplateFile::matching(pattern, directory).unwrap_or_else(|message| vec![Err(message)]);
    let readable = |file: Result<_, _>| file.map_err(|message| check.problem(&pattern.place, message)).ok();
    files.into_iter().filter_map(readable).collect()
}

fn matching_paths(pattern: &str, directory: &Path) -> Result<Vec<PathBuf>, String> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: false,
    };
    let invalid = |error: glob::PatternError| format!("syntax error in pattern {pattern:?}: {}", error.msg);
    let paths = glob::glob_with(&absolute(&translated(pattern), directory), options).map_err(invalid)?;
    let mut paths: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| !path.is_dir()).collect();
    paths.sort();
    Ok(paths)
}

/// The pattern under `directory`, whose own name is no pattern.
fn absolute(pattern: &str, directory: &Path) -> String {
    if Path::new(pattern).is_absolute() || directory.as_os_str().is_empty() {
        return pattern.to_owned();
    }
    format!("{}/{pattern}", glob::Pattern::escape(&directory.to_string_lossy()))
}

/// From Go's `filepath.Match` to the spelling of the crate `glob`: `\x` is `[x]`, `[^` is `[!`, `**` is `*`.
fn translated(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => translated.extend(chars.next().map(|escaped| glob::Pattern::escape(&escaped.to_string()))),
            '[' if chars.next_if_eq(&'^').is_some() => translated.push_str("[!"),
            '*' if translated.ends_with('*') => {}
            _ => translated.push(c),
        }
    }
    translated
}

fn read_text(path: &Path) -> Result<String, String> {
    let size = path.metadata().map_err(|error| error.to_string())?.len();
    if size > MAX_TEMPLATE_BYTES {
        return Err(format!("{size} bytes, more than the {MAX_TEMPLATE_BYTES} that a template may have"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_gos() {
        for (go, ours) in [("a/**/b*", "a/*/b*"), ("[^a]x", "[!a]x"), (r"\*\a", "[*]a")] {
            assert_eq!(translated(go), ours);
        }
    }

    #[test]
    fn files_come_in_order_from_the_configurations_directory() {
        let directory = tempfile::tempdir().unwrap();
        let inner = directory.path().join("[x]");
        std::fs::create_dir_all(inner.join("d.tmpl")).unwrap();
        for name in ["b.tmpl", "a.tmpl", ".c.tmpl", "e.txt"] {
            std::fs::write(inner.join(name), name).unwrap();
        }
        let names = |pattern| -> Vec<_> {
            let paths = matching_paths(pattern, &inner).unwrap();
            paths.iter().map(|path| path.file_name().unwrap().to_owned()).collect()
        };
        assert_eq!(names("*.tmpl"), [".c.tmpl", "a.tmpl", "b.tmpl"]);
        assert_eq!(names("nothing*"), Vec::<std::ffi::OsString>::new());
        assert!(matching_paths("a[", &inner).unwrap_err().starts_with("syntax error in pattern"));
    }
}
