//! The oracle: `amtool template render` of Debian's Alertmanager 0.25, which must be installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Our built-in templates. Debian's amtool does not load any by itself.
pub(crate) const OURS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/defaults/*.tmpl");

/// A data file that amtool reads, removed with this value.
pub(crate) struct DataFile(PathBuf);

impl DataFile {
    /// `data` in a file whose name says `name`.
    pub(crate) fn new(name: &str, data: &Value) -> Self {
        let path = std::env::temp_dir().join(format!("watchbell-{}-{name}.json", std::process::id()));
        std::fs::write(&path, data.to_string()).expect("the data file can be written");
        Self(path)
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl AsRef<Path> for DataFile {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// What amtool prints for `text` with the template files that `glob` names, or its error. `engine` is `text` or `html`.
/// Its machine stands in Berlin; bytes that are no characters are replaced.
pub(crate) fn render(engine: &str, glob: &str, data: impl AsRef<Path>, text: &str) -> Result<String, String> {
    let output = Command::new("amtool")
        .args(["template", "render", "--template.type", engine, "--template.glob", glob])
        .arg("--template.data")
        .arg(data.as_ref())
        .arg(format!("--template.text={text}"))
        .env("TZ", "Europe/Berlin")
        .output()
        .expect("amtool of the Debian package prometheus-alertmanager runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}
