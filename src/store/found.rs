//! What lies in a data directory when it is opened: whether it is whole, whose it is, and where to go on writing. It
//! knows keys and bytes, not records.

use std::ops::Range;

use super::StoreError;
use super::change::RecordKey;
use super::database::{Database, Image};
use super::directory::Identity;
use super::fold::{Changed, FoldError};
use super::journal::{Contents, Journal, JournalError};
use super::layout::Layout;

/// What was found.
pub(super) struct Found {
    database: Option<Database>,
    /// The journals that are not in the image.
    journals: Range<u64>,
    changed: Changed,
    /// Of the last of them; `None` if there is none, which is so before the first start only.
    last: Option<Contents>,
    /// Bytes of the others.
    pub(super) closed: u64,
}

impl Found {
    /// Looks. Journals that are in the image already are removed, and so is one that was just being made.
    pub(super) fn read(layout: &Layout) -> Result<Self, StoreError> {
        layout.remove_old_databases()?;
        let database = layout.open_database()?;
        let journals = journals(layout, database.as_ref().map(|database| database.image))?;
        let (changed, last) = match Changed::read(layout, journals.clone()) {
            Err(FoldError::Journal { number, error: JournalError::Empty }) if number + 1 == journals.end => {
                layout.remove_journal(number)?;
                drop(database);
                return Self::read(layout);
            }
            read => read.map_err(|error| layout.refused(error))?,
        };
        if let Some(Contents { torn: torn @ 1.., .. }) = last {
            tracing::warn!(component = "store", torn, "The last write was not whole; it was never acknowledged");
        }
        let closed = changed.bytes() - last.as_ref().map_or(0, |last| last.length);
        let found = Self { database, journals, changed, last, closed };
        found.check(layout)?;
        Ok(found)
    }

    /// What the journals came after.
    pub(super) fn image(&self) -> Option<Image> {
        self.database.as_ref().map(|database| database.image)
    }

    /// Who wrote here last.
    pub(super) fn identity(&self) -> Option<Identity> {
        self.last.as_ref().map(|last| last.identity)
    }

    fn check(&self, layout: &Layout) -> Result<(), StoreError> {
        let Some(image) = self.image() else { return Ok(()) };
        match self.identity() {
            None => Err(layout.damaged(format!("journal {} is missing", image.next_journal))),
            Some(last) if last.node != image.identity.node => {
                Err(layout.damaged("the database belongs to another node"))
            }
            Some(last) if last.generation < image.identity.generation => {
                Err(layout.damaged("the journals have lost their latest writes, or are old copies"))
            }
            Some(_) => Ok(()),
        }
    }

    /// The journal to go on with, and the numbers of all that are not in the image.
    pub(super) fn journal(&self, layout: &Layout, identity: Identity) -> Result<(Journal, Range<u64>), StoreError> {
        let wrong =
            |number| move |error: std::io::Error| layout.refused(FoldError::Journal { number, error: error.into() });
        let Range { start, end } = self.journals;
        match &self.last {
            Some(last) => {
                let journal = Journal::go_on(&layout.journal(end - 1), last.length);
                Ok((journal.map_err(wrong(end - 1))?, start..end))
            }
            None => Ok((Journal::create(&layout.journal(end), identity).map_err(wrong(end))?, start..end + 1)),
        }
    }

    /// Tells `visit` of every record, in the order of their keys.
    pub(super) fn records(self, mut visit: impl FnMut(RecordKey, &[u8])) -> Result<(), FoldError> {
        let Self { database, changed, .. } = self;
        changed.over(database.as_ref().map(Database::records), |key, record| {
            visit(key, record);
            Ok(())
        })
    }
}

/// The numbers of the journals after `image`.
fn journals(layout: &Layout, image: Option<Image>) -> Result<Range<u64>, StoreError> {
    let start = image.map_or(1, |image| image.next_journal);
    let mut end = start;
    for number in layout.journals()? {
        match number {
            folded if folded < start => layout.remove_journal(folded)?,
            next if next == end => end += 1,
            _ => return Err(layout.damaged(format!("journal {end} is missing"))),
        }
    }
    Ok(start..end)
}
