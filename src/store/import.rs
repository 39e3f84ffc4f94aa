//! Takes over the silences and the notification log of an Alertmanager that ran on the same directory.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use watchbell_engine::effect::Change;

use super::change::{Writes, to_write};
use super::directory::{Directory, failed};
use super::{Damaged, StoreError};
use crate::record::alertmanager::{self, Snapshot};

/// What was taken over from Alertmanager's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many silences.
    pub silences: usize,
    /// How many entries of the notification log.
    pub nflog: usize,
    /// What could not be read, and stays behind.
    pub damaged: Vec<Damaged>,
}

/// What is to be written, and what is to be said about it; empty where there was nothing.
#[derive(Default)]
pub(super) struct Import {
    pub(super) writes: Writes,
    pub(super) imported: Option<Imported>,
}

/// The longest snapshot that is read, in bytes: more than a million silences.
const MAX_SNAPSHOT: u64 = 1 << 30;

/// Reads Alertmanager's files, unless an earlier state was set aside: that was the later one, and the files would bring
/// back silences that were deleted since.
pub(super) fn read(directory: &Directory) -> Result<Import, StoreError> {
    let mut import = Import::default();
    if directory.had_state() {
        return Ok(import);
    }
    if let Some(bytes) = snapshot(&directory.layout().path().join("silences"))? {
        let found = alertmanager::silences(&bytes);
        import.imported().silences = import.add("silences", found, |silence| Change::PutSilence(Arc::new(silence)));
    }
    if let Some(bytes) = snapshot(&directory.layout().path().join("nflog"))? {
        let found = alertmanager::nflog(&bytes);
        import.imported().nflog = import.add("nflog", found, |entry| Change::PutNflog(Arc::new(entry)));
    }
    Ok(import)
}

fn snapshot(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(data) if data.len() > MAX_SNAPSHOT => {
            return Err(failed(path, "import it")(io::ErrorKind::FileTooLarge.into()));
        }
        _ => {}
    }
    fs::read(path).map(Some).map_err(failed(path, "import it"))
}

impl Import {
    fn imported(&mut self) -> &mut Imported {
        self.imported.get_or_insert_default()
    }

    /// Takes what could be read, and returns how many those are.
    fn add<T>(&mut self, file: &str, found: Snapshot<T>, change: impl Fn(T) -> Change) -> usize {
        let mut count = 0;
        for (number, record) in (1..).zip(found) {
            match record.and_then(|record| to_write(&change(record))) {
                Ok((key, bytes)) => {
                    self.writes.insert(key, bytes);
                    count += 1;
                }
                Err(error) => {
                    let place = format!("Alertmanager's {file}, record {number}");
                    self.imported().damaged.push(Damaged { place, error });
                }
            }
        }
        count
    }
}
