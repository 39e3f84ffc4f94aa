//! Key files for the nodes of a cluster, each key named by a letter.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;

use super::nodes::Cluster;

/// A directory for them.
pub(super) struct Keys(TempDir);

impl Keys {
    pub(super) fn new() -> Self {
        Self(TempDir::new().expect("a temporary directory can be had"))
    }

    /// Writes the keys that are called by `letters` into a file; returns the flag that names it.
    pub(super) fn write(&self, file: &str, letters: &str) -> String {
        let lines: String = letters.bytes().map(|letter| STANDARD.encode([letter; 32]) + "\n").collect();
        fs::write(self.file(file), lines).expect("a key file can be written");
        format!("--cluster.key-file={}", self.file(file).display())
    }

    fn file(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Gives each node a file of its own, called by its index.
    pub(super) fn close(&self, cluster: &mut Cluster, letters: &str) {
        for (index, node) in cluster.nodes.iter_mut().enumerate() {
            node.add_flag(self.write(&index.to_string(), letters));
        }
    }
}
