//! Why a data directory cannot be used, said to the person who must do something about it.

use std::io;
use std::path::PathBuf;

use super::layout::FORMAT;

/// Why a data directory cannot be used. None of these is ever answered by starting from nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refused.
    #[error("{path}: cannot {action}: {error}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// The system's answer.
        error: io::Error,
    },
    /// Another process has the directory.
    #[error("{path}: another watchbell runs on this directory; stop it, or give this one another --storage.path")]
    Locked {
        /// The data directory.
        path: PathBuf,
    },
    /// The directory belongs to something else.
    #[error(
        "{path}: not a data directory of watchbell or Alertmanager, it holds {entry:?}; point --storage.path at an \
         empty directory, or move what is not Alertmanager's elsewhere"
    )]
    Foreign {
        /// The data directory.
        path: PathBuf,
        /// Something in it that neither program puts there.
        entry: String,
    },
    /// Another version of the program wrote the directory.
    #[error(
        "{path}: data directory has format {found}, this watchbell reads format {}: start the version that wrote it",
        FORMAT
    )]
    Format {
        /// The data directory.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The state is not whole.
    #[error(
        "{path}: the saved state is damaged: {reason}; restore {path}/watchbell from a backup, or rename it to \
         watchbell.aside-1 to start without (silences and notification log are lost unless a peer still has them)"
    )]
    Damaged {
        /// The data directory.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}
