//! The data directory around database and journals: whose it is, who has it now, and which node it makes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use watchbell_engine::version::NodeId;

use super::StoreError;
use super::layout::Layout;
use super::lock;

/// Ours inside the data directory, where Alertmanager's files may lie as well.
pub(super) const OWN: &str = "watchbell";

/// What [`set_aside`] makes of it, before a number.
const ASIDE: &str = "watchbell.aside-";

/// A data directory that no other process has.
#[derive(Debug)]
pub(super) struct Directory {
    layout: Layout,
    /// Whether an earlier state was set aside here.
    had_state: bool,
    /// Held for as long as this lives.
    _lock: File,
}

/// Which node a directory makes, and which of its starts this is, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) node: NodeId,
    pub(super) generation: u64,
}

impl Directory {
    /// Takes the directory for this process.
    pub(super) fn claim(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(failed(path, "make it"))?;
        let had_state = inspect(path)?;
        fs::create_dir_all(path.join(OWN)).map_err(failed(path, "write to it"))?;
        Ok(Self { layout: Layout::new(path), had_state, _lock: take(path)? })
    }

    /// Where what lies in it.
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether an earlier state was set aside here, so that Alertmanager's files are not the latest one.
    pub(super) fn had_state(&self) -> bool {
        self.had_state
    }
}

/// Moves the saved state out of the way, so that the next [`Store::open`](super::Store::open) starts without. Returns
/// where it is now.
///
/// Alertmanager's files are not read again then: they are older than what was set aside, and would bring back
/// silences that were deleted since.
pub fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let own = path.join(OWN);
    let _lock = take(path)?;
    let mut places = (1_u64..).map(|number| path.join(format!("{ASIDE}{number}")));
    let aside = places.find(|place| !place.exists()).expect("no directory holds 2^64 entries");
    fs::rename(&own, &aside).map_err(failed(&own, "move it"))?;
    Ok(aside)
}

/// Whether a state was set aside here; an error if it looks like something else's directory.
fn inspect(path: &Path) -> Result<bool, StoreError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(failed(path, "list it"))? {
        names.push(entry.map_err(failed(path, "list it"))?.file_name().to_string_lossy().into_owned());
    }
    let ours = names.iter().any(|name| name == OWN || name.starts_with(ASIDE));
    match names.iter().find(|name| !is_expected(name)) {
        Some(entry) if !ours => Err(StoreError::Foreign { path: path.to_owned(), entry: entry.clone() }),
        _ => Ok(names.iter().any(|name| name.starts_with(ASIDE))),
    }
}

/// Alertmanager's snapshots, finished or not, and what file systems and orchestrators put into a volume.
fn is_expected(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    ["silences", "nflog", "lost+found", ""].contains(&stem)
}

/// Takes the lock that keeps other processes out.
fn take(path: &Path) -> Result<File, StoreError> {
    let file = path.join(OWN).join("lock");
    let held = File::create(&file).map_err(failed(&file, "make it"))?;
    match lock::acquire(&held) {
        Ok(()) => Ok(held),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(&file, "lock it")(error)),
    }
}

/// Makes the system's answer an error that says what was tried on which file.
pub(super) fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Io { path: path.to_owned(), action, error }
}
