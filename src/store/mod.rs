//! Disk: what survives a restart. It knows records and where they lie; it decides nothing about alerts.
//!
//! [`Store::open`] hands back what was saved and takes the directory for this process alone. A [`Committer`] then owns
//! the store on threads of its own, gathers changes, and writes all that wait in one go: one atomic batch, one fsync.
//!
//! A commit is appended to a journal and fsynced, as cheap as the disk allows; the next is appended meanwhile. What must
//! outlive the program, but is no promise that outlives a loss of power, need not wait for the fsync (see [`Then`]). When
//! the journals have grown, and half of what they hold is out of date, they are folded into a database aside, and go. So a
//! database is written seldom and in order, a record that changes often costs no more than its last state, and a start
//! reads a little more.
//!
//! The data directory:
//!
//! ```text
//! <storage.path>/silences, nflog       Alertmanager's snapshots, if it ran here; read once, never written
//! <storage.path>/watchbell/identity    format, node and generation, as text
//! <storage.path>/watchbell/lock        held while a watchbell runs on the directory
//! <storage.path>/watchbell/journal-N   what was written since the database was (see `journal`)
//! <storage.path>/watchbell/db-N/       the database (sled; its types end in `database`), once there is one: all before
//!                                      journal N; db.new/ while it is made
//! ```

mod change;
mod committer;
mod database;
mod directory;
mod entry;
mod error;
mod fold;
mod found;
mod import;
mod journal;
mod layout;
mod lock;
mod newest;
mod opened;
mod queue;
mod writer;

use std::io;
use std::ops::Range;
use std::path::Path;
use std::thread::{self, JoinHandle};

use watchbell_engine::version::NodeId;

pub use committer::{CommitError, Committer, OnceSynced, Stats, Then};
pub use directory::set_aside;
pub use error::StoreError;
pub use import::Imported;
pub use opened::{Damaged, Opened};

use change::Writes;
use database::Image;
use directory::{Directory, Identity};
use fold::FoldError;
use found::Found;
use import::Import;
use journal::{Appended, Journal};
use layout::Layout;

/// Bytes of journals above which they are folded: a start reads so much in less than a tenth of a second, and a state of
/// some ten thousand alerts fits into it several times.
const FOLD_ABOVE: u64 = 128 << 20;

/// How many times as large as the last image, or as when nothing was to be gained, journals are before they are folded
/// again. So a byte that is written to a journal costs half a byte of an image, however large that becomes.
const FOLD_AGAIN: u64 = 2;

/// A data directory that this process has for itself. Hand it to [`Committer::start`] to write to it.
#[derive(Debug)]
pub struct Store {
    directory: Directory,
    identity: Identity,
    /// The one that is written to, the last of `journals`.
    journal: Journal,
    /// Those that are not in the image.
    journals: Range<u64>,
    /// Bytes of those that are not written to any more.
    closed: u64,
    image: Option<Image>,
    folding: Option<JoinHandle<Result<Option<Image>, StoreError>>>,
    /// Bytes of the journals that were not worth folding the last time.
    not_worthwhile: u64,
    /// [`FOLD_ABOVE`], but for tests.
    fold_above: u64,
    folds: Folds,
}

/// How often journals were folded, and how often that failed.
#[derive(Clone, Copy, Debug, Default)]
struct Folds {
    done: u64,
    failed: u64,
}

impl Store {
    /// Opens the data directory `path`, which is made if it is not there, and reads all it holds.
    ///
    /// At the first start in Alertmanager's data directory its silences and notification log are taken over.
    pub fn open(path: &Path) -> Result<(Self, Opened), StoreError> {
        let directory = Directory::claim(path)?;
        let layout = directory.layout();
        let written = layout.identity()?;
        let found = Found::read(layout)?;
        let (identity, import) = match (written, found.identity()) {
            (None, None) => (first_start(), import::read(&directory)?),
            (written, found) => (next_start(layout, written, found)?, Import::default()),
        };
        let (mut journal, journals) = found.journal(layout, identity)?;
        let noted = journal.append(identity, &import.writes).and_then(|()| journal.appended().sync());
        noted.map_err(|error| refused(layout, &journals, error))?;
        layout.save_identity(identity)?;
        let (image, closed) = (found.image(), found.closed);
        let mut opened = Opened::new(identity, import.imported);
        found.records(|key, bytes| opened.add(key, bytes)).map_err(|error| layout.refused(error))?;
        for (key, bytes) in import.writes {
            opened.add(key, &bytes.unwrap_or_default());
        }
        let (folding, not_worthwhile, folds) = (None, 0, Folds::default());
        let fold_above = FOLD_ABOVE;
        let store =
            Self { directory, identity, journal, journals, closed, image, folding, not_worthwhile, fold_above, folds };
        Ok((store, opened))
    }

    /// Writes everything in one atomic step that the end of the program does not undo. Once what was
    /// [`appended`](Self::appended) is synced, a loss of power does not either.
    fn write(&mut self, writes: &Writes) -> Result<(), StoreError> {
        self.end_folding(JoinHandle::is_finished);
        if self.is_to_be_folded() && self.journal.is_synced() {
            // What is written counts all the same.
            if let Err(err) = self.begin_folding() {
                self.folds.failed += 1;
                tracing::error!(component = "store", %err, "A new journal cannot be begun");
            }
        }
        let written = self.journal.append(self.identity, writes);
        written.map_err(|error| refused(self.directory.layout(), &self.journals, error))
    }

    /// All that was written so far, to be synced while more is written.
    fn appended(&self) -> Appended {
        self.journal.appended()
    }

    /// Takes back what was written and is not known to be on the disk. Nothing may be under way that syncs it.
    fn take_back(&mut self) {
        self.journal.take_back();
    }

    /// Whether a new journal is to be begun, for which this one must be on the disk as a whole.
    fn is_to_be_folded(&self) -> bool {
        let last = self.not_worthwhile.max(self.image.map_or(0, |image| image.bytes));
        self.folding.is_none() && self.closed + self.journal.length() > self.fold_above.max(FOLD_AGAIN * last)
    }

    /// Goes on with a new journal, and folds the others aside.
    fn begin_folding(&mut self) -> Result<(), StoreError> {
        let layout = self.directory.layout().clone();
        let (identity, old) = (self.identity, self.journals.clone());
        let journal = Journal::create(&layout.journal(old.end), identity);
        let journal = journal.map_err(|error| refused(&layout, &(old.start..old.end + 1), error))?;
        layout.sync()?;
        self.closed += std::mem::replace(&mut self.journal, journal).length();
        self.journals.end += 1;
        let fold = move || fold::fold(&layout, identity, old);
        let thread = thread::Builder::new().name("fold".into()).spawn(fold);
        self.folding =
            thread.inspect_err(|err| tracing::error!(component = "store", %err, "no thread can be had")).ok();
        Ok(())
    }

    /// Takes the result of a folding that is `over`.
    fn end_folding(&mut self, over: impl Fn(&JoinHandle<Result<Option<Image>, StoreError>>) -> bool) {
        let Some(folding) = self.folding.take_if(|folding| over(folding)) else { return };
        match folding.join() {
            Ok(Ok(Some(image))) => self.folded(image),
            Ok(Ok(None)) => self.not_worthwhile = self.closed,
            Ok(Err(err)) => {
                self.folds.failed += 1;
                tracing::error!(component = "store", %err, "Journals cannot be folded; they are kept, and it is tried again");
            }
            Err(panic) => tracing::error!(component = "store", ?panic, "The thread that folds panicked"),
        }
    }

    fn folded(&mut self, image: Image) {
        self.folds.done += 1;
        (self.closed, self.not_worthwhile) = (0, 0);
        self.image = Some(image);
        let folded = std::mem::replace(&mut self.journals.start, image.next_journal)..image.next_journal;
        for number in folded {
            // One that stays is removed at the next start.
            if let Err(err) = self.directory.layout().remove_journal(number) {
                tracing::warn!(component = "store", %err, "A journal that is not needed stays");
            }
        }
    }

    /// Bytes that the state takes on the disk.
    fn size(&self) -> u64 {
        self.image.map_or(0, |image| image.bytes) + self.closed + self.journal.length()
    }
}

impl Drop for Store {
    /// A folding under way ends before the directory is left to others.
    fn drop(&mut self) {
        self.end_folding(|_| true);
    }
}

/// The error that a write to the last of `journals` gave.
fn refused(layout: &Layout, journals: &Range<u64>, error: io::Error) -> StoreError {
    layout.refused(FoldError::Journal { number: journals.end - 1, error: error.into() })
}

fn first_start() -> Identity {
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    Identity { node: NodeId(random), generation: 1 }
}

/// The identity of a further start. The journal is written before the file, so it may be one start ahead, never behind.
fn next_start(layout: &Layout, written: Option<Identity>, found: Option<Identity>) -> Result<Identity, StoreError> {
    let Some(found) = found else {
        return Err(layout.damaged("the journals are gone although there were some"));
    };
    let written = written.unwrap_or(found);
    if written.node != found.node {
        return Err(layout.damaged("the journals belong to another node"));
    }
    if written.generation > found.generation {
        return Err(layout.damaged("the journals have lost their latest writes, or are old copies"));
    }
    Ok(Identity { generation: found.generation + 1, ..found })
}

#[cfg(test)]
mod tests;
