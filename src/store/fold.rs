//! What database and journals hold together: an image, and what was changed since. Folding makes a new image of it, so
//! that the journals can go. It knows keys and bytes, not records.

use std::collections::BTreeMap;
use std::fs::File;
use std::iter::Peekable;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::StoreError;
use super::change::RecordKey;
use super::database::{Database, DatabaseError, Image, Stored};
use super::directory::Identity;
use super::journal::{self, Contents, JournalError};
use super::layout::Layout;

/// Where the newest state of a record lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    journal: u64,
    offset: u64,
    length: u32,
}

/// The newest state of every record that stands in some journals; `None` if it was deleted.
pub(super) struct Changed {
    first: u64,
    files: Vec<File>,
    /// Of the files' whole frames.
    bytes: u64,
    newest: BTreeMap<RecordKey, Option<Place>>,
}

/// Why the state cannot be read or folded.
#[derive(Debug, thiserror::Error)]
pub(super) enum FoldError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A journal.
    #[error("journal {number}: {error}")]
    Journal {
        /// Which.
        number: u64,
        /// What is wrong with it.
        error: JournalError,
    },
}

/// Makes the image that has `journals` and all before them in it.
pub(super) fn fold(layout: &Layout, identity: Identity, journals: Range<u64>) -> Result<Image, StoreError> {
    let refused = |error| layout.refused(error);
    let image = Image { identity, next_journal: journals.end, bytes: 0 };
    let (changed, _) = Changed::read(layout, journals).map_err(refused)?;
    let old = layout.open_database()?.map(|old| old.image().map(|image| image.map(|image| old.records(image))));
    let old = old.transpose().map_err(|error| refused(error.into()))?.flatten();
    let records = changed.over(old.into_iter().flatten());
    let image = Database::make(&layout.new_database()?, image, records).map_err(refused)?;
    layout.adopt_database(image.next_journal)?;
    Ok(image)
}

impl Changed {
    /// Reads whole journals, and returns what the last one holds besides; `None` if there is none.
    pub(super) fn read(layout: &Layout, journals: Range<u64>) -> Result<(Self, Option<Contents>), FoldError> {
        let (first, mut last) = (journals.start, None);
        let mut changed = Self { first, files: Vec::new(), bytes: 0, newest: BTreeMap::new() };
        for number in journals.clone() {
            let wrong = |error| FoldError::Journal { number, error };
            let contents = changed.add(layout, number).map_err(wrong)?;
            if contents.torn > 0 && number + 1 < journals.end {
                return Err(wrong(JournalError::Broken(contents.length)));
            }
            last = Some(contents);
        }
        Ok((changed, last))
    }

    fn add(&mut self, layout: &Layout, number: u64) -> Result<Contents, JournalError> {
        let path = layout.journal(number);
        let place = |(offset, length)| Place { journal: number, offset, length };
        let newest = &mut self.newest;
        let contents = journal::read(&path, |key, record| {
            newest.insert(key, record.map(place));
        })?;
        self.files.push(File::open(path)?);
        self.bytes += contents.length;
        Ok(contents)
    }

    /// Bytes of what was read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The records of `image` as they are now, in the order of their keys.
    pub(super) fn over(
        self,
        image: impl Iterator<Item = Result<Stored, DatabaseError>>,
    ) -> impl Iterator<Item = Result<Stored, FoldError>> {
        let Self { first, files, newest, .. } = self;
        let merged = Merged { image: image.peekable(), changed: newest.into_iter().peekable() };
        merged.filter_map(move |record| match record {
            Err(error) => Some(Err(error.into())),
            Ok(Latest::Unchanged(stored)) => Some(Ok(stored)),
            Ok(Latest::Changed(key, place)) => place.map(|place| record_at(&files, first, key, place)),
        })
    }
}

fn record_at(files: &[File], first: u64, key: RecordKey, place: Place) -> Result<Stored, FoldError> {
    let file = usize::try_from(place.journal - first).ok().and_then(|index| files.get(index));
    let mut bytes = vec![0; place.length as usize];
    let read = file.expect("every journal that was read is open").read_exact_at(&mut bytes, place.offset);
    read.map_err(|error| FoldError::Journal { number: place.journal, error: error.into() })?;
    Ok((key, bytes))
}

/// A record's latest state.
enum Latest {
    Unchanged(Stored),
    Changed(RecordKey, Option<Place>),
}

/// Two rows in the order of their keys become one; of a record in both the change counts.
struct Merged<I: Iterator, C: Iterator> {
    image: Peekable<I>,
    changed: Peekable<C>,
}

impl<I, C> Iterator for Merged<I, C>
where
    I: Iterator<Item = Result<Stored, DatabaseError>>,
    C: Iterator<Item = (RecordKey, Option<Place>)>,
{
    type Item = Result<Latest, DatabaseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let changed = self.changed.peek().map(|(key, _)| *key);
        let unchanged = match self.image.peek() {
            Some(Ok((key, _))) => changed.is_none_or(|changed| *key < changed),
            Some(Err(_)) => true,
            None => false,
        };
        if unchanged {
            return self.image.next().map(|stored| stored.map(Latest::Unchanged));
        }
        let (key, place) = self.changed.next()?;
        drop(self.image.next_if(|stored| stored.as_ref().is_ok_and(|(old, _)| *old == key)));
        Some(Ok(Latest::Changed(key, place)))
    }
}
