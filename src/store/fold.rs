//! What database and journals hold together: an image, and what was changed since. Folding makes a new image of it, so
//! that the journals can go. It knows keys and bytes, not records.

use std::fs::File;
use std::iter::Peekable;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::vec;

use super::StoreError;
use super::change::RecordKey;
use super::database::{Database, DatabaseError, Image, ImageWriter, Records};
use super::directory::Identity;
use super::entry;
use super::journal::{self, Contents, JournalError};
use super::layout::Layout;
use super::newest::{self, Newest, Place, Written};

/// The newest state of every record that stands in some journals.
pub(super) struct Changed {
    journals: Journals,
    /// Of the journals' whole frames.
    bytes: u64,
    newest: Vec<Written>,
}

/// Journals that were read, open.
struct Journals {
    /// The number of the first.
    first: u64,
    files: Vec<File>,
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

/// Makes the image that has `journals` and all before them in it; `None` if less than half of that is out of date.
pub(super) fn fold(layout: &Layout, identity: Identity, journals: Range<u64>) -> Result<Option<Image>, StoreError> {
    let image = Image { identity, next_journal: journals.end, bytes: 0 };
    let old = layout.open_database()?;
    let (changed, _) = Changed::read(layout, journals).map_err(|error| layout.refused(error))?;
    if !is_worthwhile(old.as_ref(), &changed).map_err(|error| layout.refused(error.into()))? {
        return Ok(None);
    }
    let place = layout.new_database()?;
    let image = write_image(old, changed, &place, image).map_err(|error| layout.refused(error))?;
    layout.adopt_database(image.next_journal)?;
    Ok(Some(image))
}

fn is_worthwhile(old: Option<&Database>, changed: &Changed) -> Result<bool, DatabaseError> {
    let before = old.map_or(0, |old| old.image.bytes);
    let half = (before + changed.bytes()) / 2;
    // The image is read for it only where that decides.
    match newest::bytes(&changed.newest) {
        newest if newest > half => Ok(false),
        newest if before + newest <= half => Ok(true),
        newest => {
            let kept = old.map_or(Ok(0), |old| changed.bytes_kept(old.records()))?;
            Ok(newest + kept <= half)
        }
    }
}

fn write_image(old: Option<Database>, changed: Changed, place: &Path, image: Image) -> Result<Image, FoldError> {
    let mut writer = ImageWriter::create(place, image)?;
    changed.over(old.as_ref().map(Database::records), |key, record| Ok(writer.add(key, record)?))?;
    Ok(writer.finish()?)
}

impl Changed {
    /// Reads whole journals, and returns what the last one holds besides; `None` if there is none.
    pub(super) fn read(layout: &Layout, journals: Range<u64>) -> Result<(Self, Option<Contents>), FoldError> {
        let (mut files, mut newest, mut bytes, mut last) = (Vec::new(), Newest::default(), 0, None);
        for number in journals.clone() {
            let wrong = |error| FoldError::Journal { number, error };
            let place = |(offset, length)| Place { file: files.len(), offset, length };
            let file = File::open(layout.journal(number)).map_err(|error| wrong(error.into()))?;
            let contents = journal::read(&file, |key, record| newest.push(key, record.map(place))).map_err(wrong)?;
            if contents.torn > 0 && number + 1 < journals.end {
                return Err(wrong(JournalError::Broken(contents.length)));
            }
            files.push(file);
            bytes += contents.length;
            last = Some(contents);
        }
        let journals = Journals { first: journals.start, files };
        Ok((Self { journals, bytes, newest: newest.sorted() }, last))
    }

    /// Bytes of what was read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of the entries of `image` that are not out of date.
    fn bytes_kept(&self, mut image: Records) -> Result<u64, DatabaseError> {
        let mut bytes = 0;
        while let Some((key, record)) = image.next()? {
            if self.newest.binary_search_by_key(&key, |(key, _)| *key).is_err() {
                bytes += (entry::HEAD + record.len()) as u64;
            }
        }
        Ok(bytes)
    }

    /// Tells `visit` of every record as it is now, in the order of their keys; `image` has what was before.
    pub(super) fn over<V>(self, mut image: Option<Records>, mut visit: V) -> Result<(), FoldError>
    where
        V: FnMut(RecordKey, &[u8]) -> Result<(), FoldError>,
    {
        let Self { journals, newest, .. } = self;
        let mut changes = Changes { journals, newest: newest.into_iter().peekable(), record: Vec::new() };
        while let Some((key, record)) = image.as_mut().map_or(Ok(None), Records::next)? {
            changes.tell_before(Some(key), &mut visit)?;
            if !changes.go_on_with(key) {
                visit(key, record)?;
            }
        }
        changes.tell_before(None, &mut visit)
    }
}

/// The changes that have not been told of yet.
struct Changes {
    journals: Journals,
    newest: Peekable<vec::IntoIter<Written>>,
    /// The record that is being told of.
    record: Vec<u8>,
}

impl Changes {
    /// Tells of those before the key `end`, of all if there is none.
    fn tell_before<V>(&mut self, end: Option<RecordKey>, visit: &mut V) -> Result<(), FoldError>
    where
        V: FnMut(RecordKey, &[u8]) -> Result<(), FoldError>,
    {
        while let Some((key, place)) = self.newest.next_if(|(key, _)| end.is_none_or(|end| *key < end)) {
            if let Some(place) = place {
                self.read(place)?;
                visit(key, &self.record)?;
            }
        }
        Ok(())
    }

    /// Whether the next one is of this key.
    fn go_on_with(&mut self, key: RecordKey) -> bool {
        self.newest.peek().is_some_and(|(next, _)| *next == key)
    }

    fn read(&mut self, place: Place) -> Result<(), FoldError> {
        let Journals { first, files } = &self.journals;
        self.record.resize(place.length as usize, 0);
        let read = files[place.file].read_exact_at(&mut self.record, place.offset);
        read.map_err(|error| FoldError::Journal { number: first + place.file as u64, error: error.into() })
    }
}
